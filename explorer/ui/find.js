/* Forms that find directions: fitted to scores, and without labels. */
(() => {
  const explorer = window.explorer, { make, spoken } = explorer;

  /* The button Find of a form: `ask()` gives the request, or null; what was found comes into the list. */
  function seeker(element, trigger, props, server, watch, ask) {
    const go = element.querySelector("[data-go]"), told = element.querySelector(".told"), bar = element.querySelector("progress");
    const skipped = element.querySelector(".skipped"), found = explorer.foundList(element.querySelector(".found"), server, trigger);
    let running = false;
    const work = explorer.work(server, ({ state, share, left_sec, record }) => {
      running = state === "running";
      go.textContent = running ? "Cancel" : "Find";
      bar.classList.toggle("on", running);
      bar.value = share;
      const left = left_sec > 1 ? `, ${Math.ceil(left_sec)} s left` : "";
      told.textContent = running ? `${record?.phase ?? "starting"}${left}` : state === "cancelled" ? "Cancelled." : "";
      if (state !== "done" || !record?.found) return;
      found.show(record.found);
      skipped?.replaceChildren(...record.skipped.map((reason) => make("li", { textContent: reason })));
    });
    go.addEventListener("click", () => {
      if (running) return work.cancel();
      const request = ask();
      if (request) { explorer.error(""); work.run({ recipe: explorer.present, ...request }); }
    });
    watch("value", () => { if (props.value?.kept) found.kept(props.value); });
    return () => { work.cancel(); found.show([]); skipped?.replaceChildren(); };
  }

  explorer.fit = (element, trigger, props, server, watch) => {
    const find = (selector) => element.querySelector(selector);
    const names = find(".names"), about = find(".about"), count = find("[data-count]"), file = find("[type=file]");
    let model = null, scorers = [], scorer = null, method = "svm", table = null, pick = null;

    const chosen = () => [...names.children].filter((one) => one.getAttribute("aria-pressed") === "true").map((one) => one.value);
    const clear = seeker(element, trigger, props, server, watch, () => {
      if (scorer === "labels") {
        const { labels, name } = explorer.taught?.() ?? { labels: [] };
        const rows = [`seed,${(name || "my labels").replace(/[",\n]/g, " ")}`, ...labels.map(([seed, value]) => `${seed},${Number(value)}`)];
        return { scorer: "table", table: rows.join("\n"), file: "labels", method };
      }
      if (scorer === "file") {
        if (!table) { explorer.error("Choose a CSV file of scores first: rows seed,value."); return null; }
        return { scorer: "table", ...table, method };
      }
      if (!chosen().length) { explorer.error("Choose at least one attribute."); return null; }
      return { scorer, names: chosen(), count: Number(count.value), method };
    });

    function choose(key) {
      scorer = key;
      const one = scorers.find((each) => each.key === key), columns = [...(one?.columns ?? [])].sort((a, b) => b.good - a.good);
      names.replaceChildren(...columns.map(({ name, kind, good }, index) => {
        const chip = make("button", { type: "button", textContent: spoken(name), value: name });
        chip.title = `${kind === "binary" ? "a yes or no" : "a quantity"}${good ? "" : "; the scorer reads it badly"}`;
        chip.classList.toggle("bad", !good);
        chip.setAttribute("aria-pressed", index === 0);
        chip.addEventListener("click", () => chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") !== "true"));
        return chip;
      }));
      if (one) {
        const all = make("button", { type: "button", textContent: "all" });
        all.addEventListener("click", () => { const on = chosen().length < names.children.length - 1; [...names.children].forEach((chip) => chip.value && chip.setAttribute("aria-pressed", on)); });
        names.append(all);
      }
      const taught = explorer.taught?.()?.labels.length ?? 0;
      about.textContent = {
        measures: one?.problem || "Measured on the pixels: no training, the same for every model.",
        attributes: "The model's own network that reads attributes off pictures.",
        labels: `Your ${taught} labels of the part Teach, of which 20 on either side are needed here.`,
        file: table ? `${table.file}, ${table.table.trim().split("\n").length.toLocaleString("en")} lines.` : "A CSV file: rows seed,value, or a header seed,NAME,…",
      }[key];
      count.closest("label").hidden = !one;
      if (key === "file" && !table) file.click();
    }

    file.addEventListener("change", async () => {
      const chosen = file.files[0];
      file.value = "";
      if (!chosen) return;
      if (chosen.size > 8 << 20) return explorer.error(`${chosen.name} is larger than 8 MiB.`);
      table = { file: chosen.name, table: await chosen.text() };
      pick("file");
    });

    explorer.onAnswer(({ values }) => {
      const said = values.fit;
      if (!said || said.model === model) return;
      model = said.model;
      scorers = said.scorers;
      [count.min, count.max, count.value] = [said.least, said.most, said.count];
      const choices = [...scorers.map(({ title, key }) => [title, key]), ["My labels", "labels"], ["CSV file…", "file"]];
      pick = explorer.segments(find(".scorers"), choices, scorers[0].key, choose);
      find(".scorers").lastChild.addEventListener("click", () => table && scorer === "file" && file.click());
      explorer.segments(find(".methods"), [["Linear SVM", "svm"], ["Ridge regression", "ridge"]], method, (key) => (method = key));
      choose(scorers[0].key);
      clear();
    });
  };

  explorer.components = (element, trigger, props, server, watch) => {
    const find = (selector) => element.querySelector(selector);
    let model = null, kind = "pca", band = "all";
    const ABOUT = {
      pca: "The directions in which w varies most (GANSpace): the first are strongest.",
      sefa: "The directions that change the styles of these layers most (SeFa), from the weights alone.",
    };
    const tell = (key) => { kind = key; find(".about").textContent = ABOUT[key]; };
    const clear = seeker(element, trigger, props, server, watch, () => ({ kind, band, count: Number(find("[data-count]").value) }));
    explorer.onAnswer(({ values }) => {
      const said = values.components;
      if (!said || said.model === model) return;
      model = said.model;
      band = "all";
      explorer.segments(find(".kinds"), [["Principal components", "pca"], ["Singular vectors", "sefa"]], kind, tell);
      explorer.segments(find(".layers-of"), [["all layers", "all"], ...Object.entries(said.bands).map(([name, some]) => [name, name, !some])], band, (key) => (band = key));
      tell(kind);
      clear();
    });
  };
})();
