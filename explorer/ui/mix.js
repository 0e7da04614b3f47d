/* The mixer: which layers come from seed B, and how much. What the hand sets goes to the picture at once; a picture with
   a mix of its own (undo, a click in the matrix) sets the mixer, one without leaves it as it is. */
(() => {
  const explorer = window.explorer;
  const last = 2 ** 32 - 1;
  const leave = { __type__: "update" }; // Gradio's word for: as it is
  const views = []; // called when what they show has changed
  let sizes = [], bands = {}, b = 1, amounts = [], ticked = [], on = false;

  const chosen = () => [...ticked.keys()].filter((layer) => ticked[layer]);
  const pairs = () => chosen().map((layer) => [layer, amounts[layer]]);
  const is = (layers) => layers.length > 0 && String(layers) === String(chosen());
  const draw = () => views.forEach((view) => view());

  const mixing = (explorer.mixing = {
    value: () => ({ b, amounts: pairs() }),
    /* A seed typed or stepped to; what the field should show: what is there, or where that is no seed, the one before. */
    seed(value) {
      if (value === null || value === b) return leave;
      if (!Number.isInteger(value) || value < 0 || value > last) {
        explorer.error(`A seed is a whole number from 0 to ${last}.`);
        return b ?? leave;
      }
      b = value;
      send();
      return leave;
    },
    step: (by) => mixing.seed(Math.min(last, Math.max(0, (b ?? 0) + by))),
    dice: () => mixing.seed(explorer.dice()),
    amount(value) { if (value === Math.round(100 * strongest()) / 100) return; amounts = amounts.map(() => value); send(); },
    toggle() { on ? send([]) : send(); },
    layers(layers) { ticked = sizes.map((_, layer) => layers.includes(layer)); send(); },
  });

  const strongest = () => Math.max(...pairs().map(([, amount]) => amount), ...(chosen().length ? [] : amounts));

  function send(given = pairs()) {
    explorer.edit("mix", { b, amounts: given, asked: true });
    draw();
  }

  explorer.onAnswer(({ values }) => {
    const said = values.mix;
    if (!said) return;
    if (String(sizes) !== String(said.sizes)) {
      ({ sizes, bands } = said);
      amounts = sizes.map(() => 1);
      ticked = sizes.map((_, layer) => bands.coarse.includes(layer));
    }
    if (!explorer.value("mix").asked) { // else the hand is ahead of this answer
      on = said.amounts !== null;
      if (on) {
        b = said.b;
        const given = new Map(said.amounts), most = Math.max(...given.values());
        ticked = sizes.map((_, layer) => given.has(layer));
        amounts = sizes.map((_, layer) => given.get(layer) ?? most);
      }
    }
    draw();
  });

  explorer.mixer = (element, props) => {
    const find = (selector) => element.querySelector(selector), [low, high] = element.querySelectorAll("input");
    const button = (text, title, act) => {
      const made = Object.assign(document.createElement("button"), { type: "button", textContent: text, title });
      made.addEventListener("click", act);
      return made;
    };
    let built = "";

    function build() {
      built = String(sizes);
      element.firstElementChild.style.setProperty("--layers", sizes.length);
      const every = [...sizes.keys()], span = (layers) => [...new Set([sizes[layers[0]], sizes[layers.at(-1)]])].map((s) => `${s}²`).join("–");
      find(".choose").replaceChildren(...Object.entries({ ...bands, all: every }).map(([name, layers]) => {
        const made = button(name, layers.length ? `Layers at ${span(layers)}` : `This model has no ${name} layers`, () => mixing.layers(layers));
        made.disabled = !layers.length;
        return Object.assign(made, { layers });
      }));
      find(".ticks").replaceChildren(...every.map((layer) => button(layer, `Layer ${layer} at ${sizes[layer]}²`, () => {
        ticked[layer] = !ticked[layer];
        send();
      })));
      const runs = [];
      for (const size of sizes) runs.at(-1)?.size === size ? (runs.at(-1).count += 1) : runs.push({ size, count: 1 });
      find(".sizes").replaceChildren(...runs.map(({ size, count }) => {
        const made = Object.assign(document.createElement("span"), { textContent: `${size}²` });
        made.style.gridColumn = `span ${count}`;
        return made;
      }));
      for (const input of [low, high]) Object.assign(input, { min: 0, max: sizes.length - 1, step: 1 });
    }

    views.push(() => {
      if (built !== String(sizes)) build();
      const now = chosen();
      for (const one of find(".choose").children) one.setAttribute("aria-pressed", is(one.layers));
      [...find(".ticks").children].forEach((tick, layer) => tick.setAttribute("aria-pressed", ticked[layer]));
      if (now.length) { low.value = now[0]; high.value = now.at(-1); }
      find(".span").style.setProperty("--from", low.value);
      find(".span").style.setProperty("--to", high.value);
      document.querySelector("#mix-on")?.setAttribute("aria-pressed", on);
      props.value = mixing.value();
    });

    for (const input of [low, high])
      input.addEventListener("input", () => {
        const ends = [Number(low.value), Number(high.value)];
        if (ends[0] > ends[1]) ends[input === low ? 1 : 0] = Number(input.value);
        mixing.layers([...sizes.keys()].filter((layer) => layer >= ends[0] && layer <= ends[1]));
      });
    if (sizes.length) draw();
  };

  /* The amount of each layer that comes from B, as upright sliders. */
  explorer.amounts = (element) => {
    const row = element.querySelector(".bars");
    views.push(() => {
      while (row.children.length > sizes.length) row.lastChild.remove();
      sizes.forEach((size, layer) => {
        const label = row.children[layer] ?? made(layer), input = label.querySelector("input");
        const share = ticked[layer] ? amounts[layer] : 0;
        input.value = share;
        input.setAttribute("aria-label", `Amount, layer ${layer} at ${size}²`);
        label.querySelector("output").textContent = Math.round(100 * share);
        label.querySelector("span").textContent = `${size}²`;
        label.classList.toggle("own", share > 0);
      });
    });

    function made(layer) {
      const label = document.createElement("label");
      const input = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 1, step: 0.01 });
      input.addEventListener("input", () => {
        amounts[layer] = Number(input.value);
        ticked[layer] = amounts[layer] > 0;
        send();
      });
      label.append(document.createElement("output"), input, document.createElement("span"));
      row.append(label);
      return label;
    }
    if (sizes.length) draw();
  };
})();
