/* Teaching a direction: one sheet of samples under a grid of buttons, labels by clicks, what they give so far, and the
   next page. Labels live in this browser, by model and class, and survive a reload; the server keeps none of them. */
(() => {
  const explorer = window.explorer, { make } = explorer;
  const CALM_MS = 250, MOST_SEEN = 8000, FIRST = 8;
  const WHY = {
    any: "Samples as they come.",
    likely: "Half of these are likely to be on the side that lacks labels.",
    "least sure": "What the direction is least sure of, so what it learns most from.",
  };
  const NEXT = new Map([[undefined, true], [true, false], [false, undefined]]); // neutral → has it → has not → neutral
  const SAID = new Map([[undefined, "neither"], [true, "has it"], [false, "has not"]]);

  explorer.teach = (element, trigger, props, server, watch) => {
    const find = (selector) => element.querySelector(selector);
    const canvas = find("canvas"), grid = find(".marks-on"), name = find("[data-name]"), told = find(".told"), why = find(".why");
    const found = explorer.foundList(find(".found"), server, trigger);
    let slot = null, state = null, next = null, columns = 6, busy = false, again = false, timer = 0, drawn = "";

    const fresh = () => ({ labels: [], seen: [], page: [], why: "any", curve: [], name: "" });
    const labels = () => new Map(state.labels);
    const save = () => { try { localStorage.setItem(slot, JSON.stringify(state)); } catch { /* a full store costs only the reload */ } };
    const key = () => { const { label } = JSON.parse(explorer.present); return `explorer.teach.${explorer.value("model").slice(0, 32)}.${label ?? ""}`; };

    function stored() {
      try {
        const read = JSON.parse(localStorage.getItem(slot));
        return read && ["labels", "seen", "page", "curve"].every((part) => Array.isArray(read[part])) ? { ...fresh(), ...read } : fresh();
      } catch { return fresh(); }
    }

    async function open() {
      slot = key();
      state = stored();
      name.value = state.name;
      drawn = "";
      found.show([]);
      if (state.page.length) await page(state.page);
      await learn();
      if (!state.page.length) turn();
    }

    /* Ask what the labels give; while one question runs, newer labels only mark that there is another. */
    async function learn() {
      clearTimeout(timer);
      if (busy) { again = true; return; }
      busy = true;
      do {
        again = false;
        const asked = slot, count = state.labels.length;
        const answer = await explorer.asking(server, "learn", { labels: state.labels, seen: [...state.seen, ...state.page] });
        if (asked !== slot || answer.overtaken) continue;
        if (answer.error) { told.textContent = answer.error; next = null; continue; }
        next = answer;
        if (answer.curve) state.curve = [...state.curve.filter(([n]) => n < count), answer.curve];
        if (!again) show(answer);
        save();
      } while (again);
      busy = false;
    }

    function show({ positives, negatives, found: one, words }) {
      const counts = (side, count, text) => { find(`.${side}`).textContent = `${count} ${text}`; find(`.${side}`).style.setProperty("--share", Math.min(1, count / FIRST)); };
      counts("yes", positives, positives === 1 ? "has it" : "have it");
      counts("no", negatives, negatives === 1 ? "has not" : "have not");
      told.textContent = words ?? `From ${FIRST} that have it and ${FIRST} that have not on, a direction is fitted and shown below.`;
      const typed = found.names()?.value;
      found.show(one ? [{ ...one, w: null }] : [], state.name || typed || "");
      chart();
    }

    function turn() {
      if (!next) return learn();
      state.seen = [...state.seen, ...state.page].slice(-MOST_SEEN);
      state.page = next.page;
      state.why = next.why;
      save();
      return page(state.page).then(() => learn());
    }

    async function page(seeds) {
      columns = grid.parentElement.clientWidth < 440 ? 4 : 6;
      const wanted = `${slot} ${seeds} ${columns}`;
      if (drawn === wanted) return;
      drawn = wanted;
      why.textContent = WHY[state.why] ?? WHY.any;
      await explorer.quiet();
      const answer = await explorer.asking(server, "board", { seeds, columns });
      if (answer.overtaken || drawn !== wanted) return;
      if (answer.error) { drawn = ""; return explorer.error(answer.error); }
      const picture = await createImageBitmap(await (await fetch(answer.image)).blob());
      [canvas.width, canvas.height] = [picture.width, picture.height];
      canvas.getContext("2d").drawImage(picture, 0, 0);
      grid.style.setProperty("--columns", columns);
      grid.parentElement.style.aspectRatio = `${picture.width} / ${picture.height}`;
      const rows = [];
      seeds.forEach((seed, index) => {
        if (index % columns === 0) rows.push(make("div", { className: "line", role: "row" }));
        rows.at(-1).append(Object.assign(make("button", { type: "button", tabIndex: index ? -1 : 0, role: "gridcell" }), { seed }));
      });
      grid.replaceChildren(...rows);
      mark();
    }

    const cells = () => [...grid.querySelectorAll("button")];
    function mark() {
      const known = labels();
      for (const cell of cells()) {
        const value = known.get(cell.seed);
        cell.dataset.label = { undefined: "", true: "yes", false: "no" }[value];
        cell.textContent = value === undefined ? "" : value ? "✓" : "✕";
        cell.setAttribute("aria-label", `Sample ${cell.seed}: ${SAID.get(value)}`);
        cell.title = SAID.get(value);
      }
    }

    function label(seed, value) {
      const known = labels();
      value === undefined ? known.delete(seed) : known.set(seed, value);
      state.labels = [...known];
      save();
      mark();
      clearTimeout(timer);
      timer = setTimeout(learn, CALM_MS);
    }

    /* Held-out accuracy with its 95 % interval over the number of labels. */
    function chart() {
      const box = find(".chart"), points = state.curve.slice(-200), W = 300, H = 96, L = 34, B = 16;
      box.replaceChildren();
      if (!points.length) return;
      const svg = (tag, set, text = "") => { const one = document.createElementNS("http://www.w3.org/2000/svg", tag); for (const [key, value] of Object.entries(set)) one.setAttribute(key, value); one.textContent = text; return one; };
      const low = Math.min(16, points[0][0]), high = Math.max(low + 16, points.at(-1)[0]);
      const x = (n) => L + ((W - L - 8) * (n - low)) / (high - low), y = (a) => 6 + (H - B - 6) * (1 - (Math.max(a, 0.3) - 0.3) / 0.7);
      const line = (which) => points.map((point) => `${x(point[0]).toFixed(1)},${y(point[which]).toFixed(1)}`);
      const root = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `Held-out accuracy ${percent(points.at(-1)[1])} after ${points.at(-1)[0]} labels` });
      for (const level of [0.5, 0.75, 1]) root.append(svg("line", { x1: L, x2: W - 8, y1: y(level), y2: y(level), class: level === 0.5 ? "chance" : "level" }), svg("text", { x: L - 5, y: y(level) + 3.5, "text-anchor": "end" }, `${100 * level} %`));
      root.append(svg("polygon", { points: [...line(3), ...line(2).reverse()].join(" "), class: "band" }));
      root.append(svg("polyline", { points: line(1).join(" "), class: "curve" }));
      const last = points.at(-1);
      root.append(svg("line", { x1: x(last[0]), x2: x(last[0]), y1: y(last[2]), y2: y(last[3]), class: "spread" }), svg("circle", { cx: x(last[0]), cy: y(last[1]), r: 3 }));
      root.append(svg("text", { x: L, y: H - 2 }, `${low} labels`), svg("text", { x: W - 8, y: H - 2, "text-anchor": "end" }, high));
      box.append(make("p", { className: "caption", textContent: "Held-out accuracy " }, make("small", { textContent: "with its 95 % interval; 50 % is chance" })), root);
    }
    const percent = (share) => `${Math.round(100 * share)} %`;

    grid.addEventListener("click", (event) => {
      const cell = event.target.closest("button");
      if (cell) label(cell.seed, event.shiftKey ? false : NEXT.get(labels().get(cell.seed)));
    });
    grid.addEventListener("keydown", (event) => {
      const all = cells(), at = all.indexOf(event.target.closest("button"));
      const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
      const set = { "+": true, "=": true, "-": false, "0": undefined };
      if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
      if (move) {
        const to = all[at + move];
        if (to) { all[at].tabIndex = -1; to.tabIndex = 0; to.focus(); }
      } else if (event.key in set) label(all[at].seed, set[event.key]);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    grid.addEventListener("focusin", (event) => cells().forEach((cell) => (cell.tabIndex = cell === event.target ? 0 : -1)));
    name.addEventListener("input", () => { state.name = name.value; save(); const field = found.names(); if (field) field.value = name.value; });
    find("[data-next]").addEventListener("click", async () => { if (timer) await learn(); turn(); });
    find("[data-over]").addEventListener("click", () => { state = fresh(); localStorage.removeItem(slot); open(); });
    find("[data-save]").addEventListener("click", () => {
      const rows = [`seed,${(state.name || "label").replace(/[",\n]/g, " ")}`, ...state.labels.map(([seed, value]) => `${seed},${Number(value)}`)];
      const url = URL.createObjectURL(new Blob([`${rows.join("\n")}\n`], { type: "text/csv" }));
      make("a", { href: url, download: `${state.name || "labels"}.csv` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
    });
    find("[data-open]").addEventListener("click", () => find("[type=file]").click());
    find("[type=file]").addEventListener("change", async (event) => {
      const file = event.target.files[0];
      event.target.value = "";
      if (!file) return;
      if (file.size > 1 << 20) return explorer.error(`${file.name} is larger than 1 MiB.`);
      const answer = await explorer.asking(server, "opened", { text: await file.text(), file: file.name });
      if (answer.error) return explorer.error(answer.error);
      state = { ...fresh(), labels: answer.labels, name: answer.name };
      save();
      drawn = "";
      open();
    });
    watch("value", () => { if (props.value?.kept) found.kept(props.value); });
    explorer.taught = () => (state ? { labels: state.labels, name: state.name } : null);
    explorer.follow(element, open, () => explorer.present && key());
  };
})();
