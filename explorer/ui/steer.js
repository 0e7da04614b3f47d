/* Sliders along directions. What a hand sets goes to the picture at once; a picture with other moves (undo, a click in a
   sheet) sets the sliders. Locks are of the hand until the picture has moves, which carry them. */
(() => {
  const explorer = window.explorer, { spoken } = explorer;
  const READ_MS = 120; // between two readings, while a hand drags
  const MANY = 10; // from so many directions on they can be searched
  const BAR_SD = 3; // a change of this many standard deviations fills a bar
  const PADLOCK = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4 7V5a4 4 0 0 1 8 0v2M3 7h10v7H3z"/></svg>';
  const views = []; // called when what they show has changed
  let strengths = new Map(), layers = new Map(), locks = new Set(), left = {}, list = [], chosen = null;
  let sizes = [], bands = {};

  const make = (tag, made = {}) => Object.assign(document.createElement(tag), made);
  const draw = () => views.forEach((view) => view());
  const minus = (text) => String(text).replace("-", "−");
  const layersOf = (digest) => (layers.has(digest) ? layers.get(digest) : explorer.direction(digest)?.layers ?? null);
  const number = (x) => minus(Math.abs(x) >= 100 ? x.toFixed(0) : x.toPrecision(Math.abs(x) < 1 ? 2 : 3));
  const changed = (score) => (score.std > 0 ? (score.value - score.before) / score.std : 0);

  const steering = (explorer.steering = {
    value: () => ({ digest: chosen, layers: layersOf(chosen), locks: [...locks] }),
    locks: () => [...locks],
    choose(digest) { chosen = digest; draw(); explorer.look(); },
    move(digest, strength) {
      strengths.set(digest, strength);
      chosen = digest;
      draw();
      explorer.edit("steer", { digest, strength, layers: layersOf(digest), locks: [...locks] }, digest);
    },
    lock(digest) {
      locks.has(digest) ? locks.delete(digest) : locks.add(digest);
      draw();
      explorer.edit("steer", { locks: [...locks] }, "locks");
    },
    layers(some) {
      layers.set(chosen, some);
      if (strengths.get(chosen)) steering.move(chosen, strengths.get(chosen));
      else { draw(); explorer.look(); }
    },
    reset() {
      strengths.clear(); layers.clear(); locks.clear();
      draw();
      explorer.edit("steer", { clear: true });
    },
  });

  explorer.onDirections((directions) => {
    list = directions;
    const there = new Set(list.map(({ digest }) => digest));
    locks = new Set([...locks].filter((digest) => there.has(digest)));
    if (!there.has(chosen)) chosen = list[0]?.digest ?? null;
    explorer.look();
  });

  explorer.onAnswer(({ values }) => {
    const said = values.steer;
    if (!said) return;
    ({ sizes, bands } = said);
    const given = new Map(said.moves.map((one) => [one.digest, one]));
    for (const digest of new Set([...strengths.keys(), ...given.keys()])) {
      if (explorer.waiting("steer", digest)) continue; // the hand is ahead of this answer
      strengths.set(digest, given.get(digest)?.strength ?? 0);
      if (given.has(digest)) layers.set(digest, given.get(digest).layers);
    }
    if (said.locks && !explorer.waiting("steer", "locks")) locks = new Set(said.locks);
    draw();
  });

  explorer.steer = (element, props, server) => {
    const find = (selector) => element.querySelector(selector);
    const rows = find(".rows"), search = find("[type=search]"), others = find(".others"), reach = Number(rows.dataset.reach);
    let scores = new Map(), held = "";

    function row({ digest, name: stored, told }) {
      const name = spoken(stored), box = make("div", { className: "row" }), title = make("button", { type: "button", className: "name", textContent: name, title: told });
      const still = make("button", { type: "button", className: "lock", title: `Hold ${name} still: the others move without it`, innerHTML: PADLOCK });
      const slider = make("input", { type: "range", min: -reach, max: reach, step: 0.05 });
      const field = make("input", { type: "number", step: 0.1 }), rest = make("output", { className: "left" }), reading = bar();
      slider.setAttribute("aria-label", name);
      field.setAttribute("aria-label", `${name}, in standard deviations`);
      title.addEventListener("click", () => steering.choose(digest));
      still.addEventListener("click", () => steering.lock(digest));
      slider.addEventListener("input", () => steering.move(digest, Number(slider.value)));
      slider.addEventListener("dblclick", () => steering.move(digest, 0));
      field.addEventListener("change", () => field.value !== "" && steering.move(digest, Number(field.value)));
      box.append(still, title, slider, field, rest, reading);
      return Object.assign(box, { digest, name, still, slider, field, rest, reading });
    }

    function bar() {
      const box = make("span", { className: "reading" });
      box.append(make("i"), make("b"));
      return box;
    }

    function fill(box, score) {
      box.classList.toggle("none", !score);
      if (!score) { box.title = "The scorer does not read this"; return; }
      const by = changed(score), width = Math.min(1, Math.abs(by) / BAR_SD) * 50;
      const text = (x) => (score.kind === "binary" ? `${Math.round(100 * x)} %` : number(x));
      box.firstChild.style.cssText = `left: ${by < 0 ? 50 - width : 50}%; width: ${width}%`;
      const change = Math.abs(by) >= 0.05 ? `${by > 0 ? "+" : ""}${minus(by.toFixed(1))}σ` : "";
      box.lastChild.replaceChildren(make("span", { textContent: text(score.value) }), make("span", { textContent: change }));
      box.title = `${score.name}: ${text(score.value)}; ${text(score.before)} before steering; samples have ${text(score.mean)} ± ${text(score.std)}`;
    }

    views.push(() => {
      for (const box of rows.children) {
        const strength = strengths.get(box.digest) ?? 0, rest = left[box.digest] ?? 1;
        if (Number(box.slider.value) !== strength) box.slider.value = strength;
        box.slider.style.setProperty("--from", `${50 + Math.min(0, strength / reach) * 50}%`);
        box.slider.style.setProperty("--to", `${50 + Math.max(0, Math.min(1, strength / reach)) * 50}%`);
        if (document.activeElement !== box.field) box.field.value = Math.round(100 * strength) / 100;
        box.classList.toggle("moved", strength !== 0);
        box.classList.toggle("here", box.digest === chosen);
        box.still.setAttribute("aria-pressed", locks.has(box.digest));
        box.rest.textContent = locks.size && !(locks.size === 1 && locks.has(box.digest)) ? `${Math.round(100 * rest)} %` : "";
        box.classList.toggle("gone", rest < 1e-4);
        fill(box.reading, scores.get(box.name));
      }
      props.value = steering.value();
      const now = JSON.stringify([[...locks], list.map(({ digest }) => digest)]);
      if (now !== held) { held = now; ask(); }
    });

    /* What the locks leave of each direction. */
    async function ask() {
      if (!locks.size) { left = {}; return; }
      const mine = held, data = { model: explorer.value("model"), digests: list.map(({ digest }) => digest), locks: [...locks] };
      const answer = await server.left(data).catch(() => null);
      if (mine !== held || !answer || answer.error) return;
      left = answer.left;
      draw();
    }

    explorer.onDirections(() => {
      rows.replaceChildren(...list.map(row));
      find(".note").textContent = list.length ? "" : "This model has no directions yet: find some, or import a file.";
      find(".steer").classList.toggle("empty", !list.length);
      search.hidden = list.length < MANY;
      sift();
      draw();
    });

    function sift() {
      const words = search.value.trim().toLowerCase();
      for (const box of rows.children) box.hidden = words !== "" && !search.hidden && !box.name.toLowerCase().includes(words);
    }

    /* Readings: one request at a time, and the last picture is always read. */
    let reading = false, read = null;
    async function look() {
      if (reading) return;
      reading = true;
      while (explorer.present && element.offsetParent && list.length && read !== explorer.present) {
        const recipe = explorer.present;
        const answer = await server.read({ visitor: explorer.visitor, recipe }).catch(() => ({}));
        if (answer.overtaken) continue;
        read = recipe;
        if (!answer.scores) { if (answer.error) explorer.error(answer.error); continue; }
        scores = new Map(answer.scores.map((score) => [spoken(score.name), { ...score, name: spoken(score.name) }]));
        show(answer);
        await new Promise((done) => setTimeout(done, READ_MS));
      }
      reading = false;
    }

    function show({ outside, problem }) {
      const some = outside.length === sizes.length ? "" : ` on ${outside.length > 1 ? "layers" : "layer"} ${outside.join(", ")}`;
      find(".warning").textContent = outside.length ? `w has left the region of samples${some}: fewer than one in a thousand lie as far out.` : "";
      find(".told").textContent = problem ? `Read by picture measures: ${problem}` : "";
      const named = new Set(list.map(({ name }) => spoken(name))), rest = [...scores.values()].filter(({ name }) => !named.has(name));
      others.hidden = !rest.length;
      const boxes = others.lastElementChild;
      if (boxes.children.length !== rest.length) boxes.replaceChildren(...rest.map(() => {
        const line = make("div", { className: "other" });
        line.append(make("span"), bar());
        return line;
      }));
      rest.forEach((score, index) => {
        boxes.children[index].firstChild.textContent = score.name;
        fill(boxes.children[index].lastChild, score);
      });
      draw();
    }

    search.addEventListener("input", sift);
    find("[data-reset]").addEventListener("click", steering.reset);
    explorer.onAnswer(look);
    explorer.onDirections(look);
    new ResizeObserver(look).observe(element); // the part has been opened
  };

  /* On which layers the chosen direction acts. */
  explorer.steerLayers = (element) => {
    const find = (selector) => element.querySelector(selector);
    let built = "";

    function button(text, title, act) {
      const made = make("button", { type: "button", textContent: text, title });
      made.addEventListener("click", act);
      return made;
    }

    function build() {
      built = String(sizes);
      find(".mixer").style.setProperty("--layers", sizes.length);
      const every = [...sizes.keys()];
      find(".choose").replaceChildren(...Object.entries({ ...bands, all: null }).map(([name, some]) => {
        const made = button(name, some && !some.length ? `This model has no ${name} layers` : `Move on ${name} layers`, () => steering.layers(some));
        made.disabled = some?.length === 0;
        return Object.assign(made, { some });
      }));
      find(".ticks").replaceChildren(...every.map((layer) => button(layer, `Layer ${layer} at ${sizes[layer]}²`, () => {
        const now = new Set(layersOf(chosen) ?? every);
        now.has(layer) ? now.delete(layer) : now.add(layer);
        if (now.size) steering.layers(now.size === sizes.length ? null : [...now].sort((a, b) => a - b));
      })));
      const runs = [];
      for (const size of sizes) runs.at(-1)?.size === size ? (runs.at(-1).count += 1) : runs.push({ size, count: 1 });
      find(".sizes").replaceChildren(...runs.map(({ size, count }) => {
        const made = make("span", { textContent: `${size}²` });
        made.style.gridColumn = `span ${count}`;
        return made;
      }));
    }

    views.push(() => {
      if (built !== String(sizes)) build();
      const direction = explorer.direction(chosen), now = layersOf(chosen);
      element.firstElementChild.hidden = !direction;
      document.body.classList.toggle("kept-direction", direction?.kept === true);
      find("b").textContent = direction ? spoken(direction.name) : "";
      find("small").textContent = direction?.told ?? "";
      for (const one of find(".choose").children) one.setAttribute("aria-pressed", String(one.some) === String(now));
      [...find(".ticks").children].forEach((tick, layer) => tick.setAttribute("aria-pressed", now === null || now.includes(layer)));
    });
    draw();
  };
})();
