"""The page. Imports Gradio, `explorer.*` and the standard library; no torch, no numpy, no stylegan (see explorer.base).

The shell (shell.py) draws the stage on the left, with the live picture, and tabs beside it. Everything a tab does to
the picture goes one way: control → named edit → recipe → picture, and back: recipe → what every control shows.

A tab is a file with one function and one line in `shell.TABS`:

    def build(app: AppContext, shared: Shared) -> None:
        strength = gr.Slider(0, 3, step=0.05, label="Strength", info="…", buttons=[])
        shared.bind("noise_all", strength, apply=lambda recipe, card, value: …, read=lambda recipe, card: …)

- `shared.bind(name, controls, apply, read)` ties controls to the recipe. `apply(recipe, card, value)` is a pure
  function, mostly one of `explorer.edits`; the value comes from a browser, so Recipe's own checks (or yours) must see
  it; for several controls it is the list of their values. `read(recipe, card)` says what they show (None: as it is),
  clamped to what they can show. No change events are needed: moving a control redraws the picture (latest wins, one
  request at a time), and undo, a click in a sheet or a dropped PNG moves the controls without causing edits.
- Buttons and own HTML call `window.explorer.edit(name, value)` in the browser: `gr.Button.click(None, js=…)`.
- `layers.layer_bars(name, …)` is a slider per layer for a binding without controls: its edits are `[layer, number]`,
  and its `read` returns `layers.bars(…)`.
- `sheet.sheet(app, elem_id, label)` is a contact sheet; its value is `sheet.cells([(recipe, caption), …], columns)`. It
  renders itself; a click loads a recipe (with `loads=False` it only fires `pick`). Unchanged cells are not redrawn.
- `shared.live` is the stage: as an input it is the recipe on screen as JSON (`shared.present(text)` checks and reads
  it), as an output it loads one. `shared.live.settle` fires when a gesture has ended.
- `shared.on(trigger, fn, inputs, outputs)` is an event with errors as messages, without flicker, private to the page.
- `shared.on_model(fn, outputs)` runs `fn(card)` when another model is shown, for choices, ranges and visibility.
- A tab's controls stand in `gr.Row(elem_classes="work")`: a Column "controls" (360 px) and a Column "beside".
- API endpoints go to a file of their own, with `api.endpoint(fn, outputs)`.
"""
