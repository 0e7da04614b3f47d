/* The form of the Measure tab: models and snapshots, data, metrics, how many; what that costs in time and in error. */
(() => {
  const explorer = window.explorer;
  const CALM_MS = 250;
  const METRICS = [
    ["fid", "Fréchet distance", "How far the features of samples are from those of the data; called FID with Inception alone", true],
    ["kid", "Kernel distance (KID)", "As the Fréchet distance, without a bias of few samples", true],
    ["pr", "Precision and recall", "How much of the samples looks like the data, and how much of the data is covered", true],
    ["halves", "Halves of the data", "The Fréchet distance of the data to itself: the floor that a model could reach"],
    ["psi", "Price of ψ", "Distance, precision and recall at six values of ψ"],
    ["mixing", "Mixed latents", "Distance with 1 to 4 latents mixed at random layers"],
    ["ppl", "Path length", "How much a picture changes for a small step, in Z and W, along paths and at their ends"],
    ["ls", "Separability", "How well a hyperplane tells attributes, in Z and W"],
    ["attributes", "Attributes", "What the model makes too much or too little of, beside the data"],
  ];
  const EXTRACTORS = [["lite0", "EfficientNet-Lite0"], ["inception", "Inception-v3 (fetched once)"], ["vgg16", "VGG16 (fetched once)"], ["file", "TorchScript file"]];
  const DISTANCES = [["lite0", "EfficientNet-Lite0"], ["vgg16", "VGG16-LPIPS (fetched once)"]];

  explorer.measureForm = (section, parts) => {
    const { make } = explorer, fields = {};
    let offered = null, data = "portraits", chosen = new Set(METRICS.filter((one) => one[3]).map(([key]) => key)), timer = 0, asked = 0, known = "";

    const labelled = (text, input, hint = "") => {
      const label = make("label", { className: "field", title: hint }, make("span", { textContent: text }), input);
      input.setAttribute("aria-label", text);
      return label;
    };
    const number = (name, attributes = {}) => (fields[name] = make("input", { type: "number", step: "any", ...attributes }));
    const text = (name, placeholder) => (fields[name] = make("input", { type: "text", spellcheck: false, placeholder }));
    const select = (name, options) => (fields[name] = make("select", {}, ...options.map(([value, words]) => make("option", { value, textContent: words }))));
    const models = make("div", { className: "models", role: "group" }), run = select("run", []);
    models.setAttribute("aria-label", "Models");
    const cost = make("div", { className: "cost" }), wrong = make("p", { className: "wrong" }), go = make("button", { className: "primary", textContent: "Measure" });
    wrong.setAttribute("role", "alert");
    cost.setAttribute("aria-live", "polite");
    const kinds = make("div", { className: "segments" }), metrics = make("div", { className: "segments" });
    const own = make("div", { className: "own" }), scorer = select("scorer", []), fewer = make("span", { className: "quiet" });

    const value = (input) => (input.type === "checkbox" ? input.checked : input.value === "" ? null : input.type === "number" ? Number(input.value) : input.value);
    const form = () => ({
      ...Object.fromEntries(Object.entries(fields).map(([name, input]) => [name, value(input)])),
      models: [...models.querySelectorAll("input:checked")].map((input) => input.value).concat([...models.querySelectorAll("select")].map((input) => input.value).filter(Boolean)),
      data, metrics: METRICS.map(([key]) => key).filter((key) => chosen.has(key)),
    });

    section.append(
      make("h3", { textContent: "Models" }), models,
      make("h3", { textContent: "Against" }), kinds, own,
      make("h3", { textContent: "What" }), metrics,
      make("div", { className: "pair-of" }, labelled("Samples", number("count", { min: 2 }), "Of each model, and as many pictures of the data where it has them"), fewer),
      make("details", {}, make("summary", { textContent: "More" }), make("div", { className: "more" },
        labelled("Extractor", select("extractor", EXTRACTORS), "The network whose features are compared"),
        labelled("TorchScript file", text("file", "/home/me/net.pt"), "A program: open none that you do not trust"),
        labelled("Distance of paths", select("distance", DISTANCES)),
        labelled("Attribute scorer", scorer),
        labelled("Pictures of the data", number("data_count", { min: 2, placeholder: "as many" })),
        labelled("ψ", number("psi", { placeholder: "1" }), "Truncation; the paper measures without"),
        labelled("Cutoff, layers", number("cutoff", { min: 0, placeholder: "all" })),
        labelled("Cutoffs of its price", text("cutoffs", "all, 8, 4"), "Layers that ψ reaches, for the price of ψ: a curve for each"),
        labelled("Seed", number("seed", { min: 0, placeholder: "0" }), "Of the resamplings that intervals come from"),
        make("label", { className: "tick" }, (fields.crop = make("input", { type: "checkbox" })), make("span", { textContent: "Path length of the face alone" })))),
      make("div", { className: "acts-row" }, go), wrong, cost);

    function chips(box, entries, is, toggle) {
      box.replaceChildren(...entries.map(([key, words, hint = ""]) => {
        const made = make("button", { textContent: words, title: hint, value: key, onclick: () => { toggle(key); mark(); changed(); } });
        made.setAttribute("aria-pressed", is(key));
        return made;
      }));
    }
    function mark() {
      for (const one of metrics.children) one.setAttribute("aria-pressed", chosen.has(one.value));
      for (const one of kinds.children) one.setAttribute("aria-pressed", one.value === data);
      own.replaceChildren(...(data === "run" ? [labelled("Run", run)] : data === "folder" ? [labelled("Folder or zip on this machine", fields.folder)] : []));
      fields.file.closest("label").hidden = fields.extractor.value !== "file";
      fields.distance.closest("label").hidden = fields.crop.closest("label").hidden = !chosen.has("ppl");
      fields.cutoffs.closest("label").hidden = !chosen.has("psi");
      scorer.closest("label").hidden = !chosen.has("ls") && !chosen.has("attributes");
    }
    text("folder", "/home/me/photos");

    /* What there is to choose from; what was chosen stays. */
    function offer(told) {
      const words = JSON.stringify(told);
      if (words === known) return;
      known = words;
      const first = offered === null, before = first ? null : form();
      offered = told;
      const ticks = told.models.map(({ key, name }, i) => {
        const tick = make("input", { type: "checkbox", value: key, checked: first ? i === 0 : before.models.includes(key) });
        return make("label", { className: "tick" }, tick, make("span", { textContent: name }));
      });
      const picks = told.runs.map(({ name, snapshots }) => {
        const options = [["", "–"], ["newest", "newest"], ["some", "5, evenly spread"], ["all", `all ${snapshots.length}`], ...snapshots.toReversed().map((one) => [one, `${explorer.kimg(Number(one))} kimg`])];
        const pick = make("select", {}, ...options.map(([which, say]) => make("option", { value: which && `run:${name}:${which}`, textContent: say })));
        pick.setAttribute("aria-label", `Snapshots of ${name}`);
        pick.value = before?.models.find((key) => key.startsWith(`run:${name}:`)) ?? "";
        return make("label", { className: "pick" }, make("span", { textContent: `run ${name}` }), pick);
      });
      models.replaceChildren(...ticks, ...picks);
      const keep = [run.value, scorer.value];
      run.replaceChildren(...told.runs.map(({ name, data: of }) => make("option", { value: name, textContent: of ? `${name} (${of})` : name })));
      scorer.replaceChildren(make("option", { value: "", textContent: "the model's own" }), ...told.models.filter((one) => one.scorer).map(({ key, name }) => make("option", { value: key.slice(6), textContent: `that of ${name}` })));
      [run.value, scorer.value] = [keep[0] || run.options[0]?.value || "", keep[1]];
      if (!first) return mark();
      fields.count.value = told.usual;
      chips(kinds, [["portraits", "Portraits"], ...(told.runs.length ? [["run", "Data of a run"]] : []), ...(told.local ? [["folder", "Folder or zip"]] : [])], (key) => key === data, (key) => (data = key));
      chips(metrics, METRICS, (key) => chosen.has(key), (key) => (chosen.has(key) ? chosen.delete(key) : chosen.add(key)));
      if (!told.local) fields.extractor.lastChild.remove();
      mark();
      changed();
    }

    function changed() {
      clearTimeout(timer);
      timer = setTimeout(price, CALM_MS);
    }
    async function price() {
      const mine = ++asked, answer = await parts.ask("cost", { form: form() }, (said) => { if (mine === asked) tell(said); });
      if (mine !== asked || !answer) return;
      tell("");
      cost.replaceChildren(make("p", { textContent: answer.time }), ...answer.errors.map((said) => make("p", { className: "warning", textContent: said })));
    }
    function tell(said) {
      wrong.textContent = said;
      if (said) cost.replaceChildren();
    }

    section.addEventListener("input", () => { mark(); changed(); });
    go.addEventListener("click", async () => {
      go.disabled = true;
      const answer = await parts.ask("measure", { form: form() }, tell);
      if (answer) tell("");
      await parts.look();
    });
    return { offer, busy(is) { go.disabled = is; } };
  };
})();
