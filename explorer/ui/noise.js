/* The Noise tab: a row per layer (on, strength, seed, redraw, and how much it counts in this picture), rows for the
   groups above them, and the heat map of the spread. */
(() => {
  const explorer = window.explorer;

  explorer.noise = (element, props, server) => {
    const table = element.querySelector(".rows"), note = element.querySelector(".note"), told = element.querySelector(".told");
    const go = element.querySelector("[data-go]");
    let layers = [], rows = [], built = "", before = [], asked = null, measured = null, changes = new Map(), running = false;

    explorer.onAnswer(({ values }) => {
      const said = values.noise;
      if (!said) return;
      layers = said.layers;
      if (built !== JSON.stringify([said.groups, layers.map(({ size }) => size)])) build(said);
      note.textContent = said.note;
      document.querySelector("#noise-tab")?.classList.toggle("without", !layers.length);
      draw();
      explorer.quiet().then(() => draw(true));
    });

    function build(said) {
      built = JSON.stringify([said.groups, layers.map(({ size }) => size)]);
      [rows, before, changes, measured] = [[], layers.map(() => 1), new Map(), null];
      const groups = Object.entries(said.groups).filter(([, members]) => members.length);
      const every = [...layers.keys()];
      if (every.length) add("all", every, "All layers", true);
      for (const [name, members] of groups) {
        add(name, members, `The ${name} layers`, true);
        for (const layer of members) add(`${layer} · ${layers[layer].size}²`, [layer], `Layer ${layer} at ${layers[layer].size}²`, false);
      }
      table.replaceChildren(...rows.map(({ box }) => box));
    }

    function add(name, members, what, group) {
      const box = document.createElement("div"), make = (tag, set) => Object.assign(document.createElement(tag), set);
      box.className = group ? "row group" : "row";
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", what);
      const label = make("span", { className: "name", textContent: name });
      const on = make("input", { type: "checkbox", title: `${what}: on or off` });
      const strength = make("input", { type: "range", min: 0, max: 3, step: 0.05, title: `${what}: strength` });
      const value = make("output", {});
      const seed = make("input", { type: "text", inputMode: "numeric", maxLength: 10, placeholder: "stored", title: `${what}: seed; empty is the stored noise` });
      const redraw = make("button", { type: "button", textContent: "⚄", title: `${what}: draw anew` });
      const bar = make("span", { className: "change" });
      bar.append(make("i", {}), make("b", {}));
      for (const input of [on, strength, seed]) input.setAttribute("aria-label", input.title);
      const slot = `/${members}`;
      const scale = (amount) => explorer.edit("noise", { layers: members, strength: amount }, `/strength${slot}`);
      on.addEventListener("change", () => scale(on.checked ? before[members[0]] || 1 : 0));
      strength.addEventListener("input", () => { value.textContent = Number(strength.value).toFixed(2); scale(Number(strength.value)); });
      seed.addEventListener("change", () => {
        const text = seed.value.trim();
        seed.blur(); // what comes back may be set
        if (text && !/^[0-9]+$/.test(text)) { explorer.error("A seed is a whole number; empty is the stored noise."); return draw(true); }
        explorer.edit("noise", { layers: members, seed: text ? Number(text) : null }, `/seed${slot}`);
        explorer.quiet().then(() => draw(true));
      });
      redraw.addEventListener("click", () => explorer.edit("noise", { layers: members, seed: explorer.dice() }, `/seed${slot}`));
      box.append(label, on, strength, value, seed, redraw, bar);
      rows.push({ box, members, group, on, strength, value, seed, bar });
    }

    /* What the rows show; the control in the hand is left alone while pictures are under way. */
    function draw(rest = false) {
      const free = (input) => input !== document.activeElement || (rest && explorer.idle() && input.type !== "text");
      for (const { members, group, on, strength, value, seed, bar, box } of rows) {
        const own = members.map((layer) => layers[layer]), seeds = new Set(own.map((one) => one.seed));
        const mean = own.reduce((sum, one) => sum + one.strength, 0) / own.length;
        own.forEach((one, i) => { if (one.strength) before[members[i]] = one.strength; });
        on.checked = own.some((one) => one.strength);
        on.indeterminate = on.checked && !own.every((one) => one.strength);
        if (free(strength)) { strength.value = mean; value.textContent = mean.toFixed(2); }
        if (free(seed)) { seed.value = seeds.size === 1 ? own[0].seed ?? "" : ""; seed.placeholder = seeds.size === 1 ? "stored" : "various"; }
        box.classList.toggle("off", !on.checked);
        if (!group) bars(bar, changes.get(members[0]));
      }
      element.classList.toggle("stale", measured !== explorer.present);
    }

    function bars(bar, change) {
      const most = Math.max(0.5, ...changes.values());
      bar.firstChild.style.width = `${(100 * (change ?? 0)) / most}%`;
      bar.lastChild.textContent = change === undefined ? "" : change < 0.005 ? "none" : change.toFixed(change < 1 ? 2 : 1);
      bar.classList.toggle("dead", change !== undefined && change < 0.005);
    }

    const work = explorer.work(server, ({ state, record, left_sec }) => {
      running = state === "running" && left_sec > 0.5; // what is quick needs no button, and none that flickers
      go.textContent = running ? "Cancel" : "Measure";
      if (record && (running || state !== "running")) changes = new Map(record.changes);
      if (state === "done") measured = asked;
      told.textContent = running ? explorer.progress(record.changes.length, layers.length, left_sec) : "";
      if (layers.length) draw();
    });
    const measure = () => {
      asked = explorer.present;
      work.run({ recipe: asked });
    };
    go.addEventListener("click", () => (running ? work.cancel() : measure()));
    element.querySelector("[data-reset]").addEventListener("click", () => explorer.edit("noise", { reset: true }));
    explorer.follow(element, () => layers.length && explorer.value("noise").quick && measure(), () => explorer.present);
  };

  /* Figure 4: the standard deviation over N pictures, as it comes. */
  explorer.spread = (element, server) => {
    const find = (selector) => element.querySelector(selector), canvas = find("canvas"), told = find(".told");
    let running = false, of = null;
    const work = explorer.work(server, async ({ state, record, left_sec }) => {
      running = state === "running";
      find("button").textContent = running ? "Cancel" : "Draw";
      find("progress").value = record ? record.done / record.total : 0;
      find("progress").classList.toggle("on", running);
      if (!record) { if (state === "running") told.textContent = "starting"; else if (state !== "done") told.textContent = ""; return; }
      told.textContent = running ? explorer.progress(record.done, record.total, left_sec) : `over ${record.done} pictures`;
      const bitmap = await createImageBitmap(await (await fetch(record.image)).blob());
      canvas.width = canvas.height = bitmap.width;
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      element.classList.add("drawn");
    });
    find("button").addEventListener("click", async () => {
      if (running) return work.cancel();
      await explorer.quiet();
      of = explorer.present;
      age();
      work.run({ recipe: of, count: Number(find("input").value) });
    });
    explorer.onAnswer(age);

    function age() {
      const stale = of !== null && of !== explorer.present;
      element.classList.toggle("stale", stale);
      find(".old").textContent = stale ? "of an earlier picture" : "";
    }
  };
})();
