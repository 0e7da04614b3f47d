/* The page's one loop: edits of controls → one request at a time → the canvas. Runs before Gradio draws anything.

   `explorer.present` is the recipe on screen, as the server's canonical JSON. Controls call `edit(name, value)`; what
   loads a whole recipe calls `load(json)`. While a request is on its way newer values only replace each other, so a drag
   always ends on its last one. The server answers with the picture, its recipe and what every control should show. */
(() => {
  const SYNC_MS = 40, HAND_MS = 250; // controls are set this long after the last picture, and after the last touch of one
  const SETTLE_MS = 350; // after this long without an edit, and with no button down, a gesture is one step of the history
  const visitor = crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2);
  const pending = new Map(); // slot → [name, value]: edits that the server has not seen
  const shown = {}; // what the controls show, by name
  const readers = []; // called with every answer, after its picture is painted
  let wanted = null; // a recipe to load instead of what is present
  let stage = null, busy = false, latest = null, settled = null, model = null, timer = 0, pointerDown = false, whole = false, queued = [], touched = -HAND_MS, syncing = 0;
  const forgotten = new Set(); // names whose controls Gradio has made anew: what they show is not known

  const SILENT = "The app does not answer: is it still running?";

  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  const explorer = (window.explorer = {
    visitor, present: null, answered: 0, pixels: localStorage.getItem("explorer.pixels") === "pixels",

    /* Ask for a change. `slot` tells apart edits of one name that do not replace each other (one per layer, say). */
    edit(name, value, slot = "") {
      explorer.error("");
      pending.delete(name + slot); // a Map keeps the order of insertion: the newest edit is applied last
      pending.set(name + slot, [name, value]);
      loop();
    },

    /* A Gradio control changed. What the page itself made it show is no edit. */
    control(name, value) {
      if (value === null || value === undefined || same(value, shown[name])) return;
      shown[name] = value;
      explorer.edit(name, value);
    },

    /* Show another recipe; edits under way are forgotten. */
    load(json) {
      if (!json || (json === explorer.present && !pending.size && wanted === null)) return;
      explorer.error("");
      pending.clear();
      settle(); // what is left behind is a step of the history, however short it was shown
      wanted = json;
      loop();
    },

    /* What controls should show: [[name, index or null, what it showed at first], …] → values for Gradio, or its word
       for "leave it". Only what differs is set, and nothing while a hand is on a control: its edit may not have come. */
    take(places) {
      const leave = { __type__: "update" }, values = latest ? latest.values : {};
      if (inHand()) { sync(); return places.map(() => leave); }
      const out = places.map(([name, index, first]) => {
        const value = index === null ? values[name] : values[name]?.[index];
        const now = name in shown ? (index === null ? shown[name] : shown[name]?.[index]) : first;
        return value === undefined || value === null || (same(value, now) && !forgotten.has(name)) ? leave : value;
      });
      forgotten.clear();
      Object.keys(values).forEach((name) => (shown[name] = merged(shown[name], values[name])));
      return out;
    },

    /* Gradio has made the controls of these names anew: set them again. */
    forget(names) { names.forEach((name) => forgotten.add(name)); if (latest) refresh(); },

    value: (name) => (pending.has(name) ? pending.get(name)[1] : latest?.values[name]),
    /* Whether the server has not yet seen the newest edit of this name and slot. */
    waiting: (name, slot = "") => pending.has(name + slot),
    onAnswer(reader) { readers.push(reader); if (latest) reader(latest); },
    attach(parts) { stage = parts; explorer.themed(); loop(); },
    idle: () => !busy && !pending.size && wanted === null,
    /* Resolves when no picture is being made: what can wait (sheets) lets the picture go first. */
    quiet: () => (explorer.idle() ? Promise.resolve() : new Promise((done) => queued.push(done))),
    /* Light or dark, as chosen on this browser before; else as the system says, which Gradio sees to. */
    themed() { const theme = localStorage.getItem("explorer.theme"); if (theme) document.body.classList.toggle("dark", theme === "dark"); },
    theme() { localStorage.setItem("explorer.theme", document.body.classList.toggle("dark") ? "dark" : "light"); },
    /* Whether what is on screen is no step of the history yet; from now on it counts as one. */
    leave() { const left = settled !== explorer.present; settled = explorer.present; clearTimeout(timer); return left; },
    error(text) { stage?.error(text || ""); },
    /* What the server answers; where it does not, that is the error. */
    ask: (server, name, data = {}) => server[name](data).then((answer) => answer ?? { error: SILENT }).catch(() => ({ error: SILENT })),
    /* An element: make("button", {className, textContent, onclick}, child…). */
    make(tag, attributes = {}, ...children) {
      const made = Object.assign(document.createElement(tag), attributes);
      if (tag === "button") made.type = "button";
      made.append(...children);
      return made;
    },
    /* A stored name as people read it: mouth_open → mouth open. Its twin in Python is in words.py. */
    spoken: (name) => String(name).replaceAll("_", " ").trim() || String(name),
  });

  function merged(old, value) {
    return Array.isArray(value) && Array.isArray(old) ? value.map((v, i) => v ?? old[i]) : value;
  }

  async function loop() {
    if (busy || !stage) return;
    busy = true;
    while (wanted !== null || (pending.size && explorer.present)) {
      const sent = [...pending], loading = wanted !== null, base = wanted ?? explorer.present;
      wanted = null;
      const request = { visitor, base, edits: sent.map(([, edit]) => edit), lossless: explorer.pixels };
      const answer = await explorer.ask(stage, "render", request);
      sent.forEach(([slot, edit]) => pending.get(slot) === edit && pending.delete(slot));
      if (answer.overtaken) continue;
      if (answer.error) { explorer.error(answer.error); continue; }
      latest = answer;
      explorer.present = answer.recipe;
      await stage.paint(answer);
      explorer.answered += 1;
      whole = loading && !sent.length;
      for (const reader of readers) reader(answer);
    }
    busy = false;
    queued.splice(0).forEach((done) => done());
    if (latest) refresh();
  }

  /* Between pictures: controls that show something else than the recipe are set, and the gesture ends after a while. */
  function refresh() {
    if (latest.model !== model) { model = latest.model; stage.trigger("model"); }
    clearTimeout(timer);
    timer = setTimeout(ended, whole ? 0 : SETTLE_MS); // a recipe loaded whole is a step at once
    const stale = forgotten.size || Object.keys(latest.values).some((name) => !same(merged(shown[name], latest.values[name]), shown[name]));
    if (stale) sync();
  }

  /* While pictures are made this waits for their end, which calls it again. */
  function sync() {
    clearTimeout(syncing);
    syncing = setTimeout(() => (inHand() ? sync() : explorer.idle() && stage.trigger("sync")), SYNC_MS);
  }

  function inHand() { return performance.now() - touched < HAND_MS; }

  function ended() {
    if (pointerDown || !explorer.idle()) timer = setTimeout(ended, SETTLE_MS);
    else settle();
  }

  function settle() {
    clearTimeout(timer);
    if (!latest || busy || settled === explorer.present) return;
    settled = explorer.present;
    stage.settle();
  }

  addEventListener("input", () => (touched = performance.now()), true);
  addEventListener("pointerdown", () => (pointerDown = true), true);
  for (const end of ["pointerup", "pointercancel", "blur"]) addEventListener(end, () => (pointerDown = false), true);
})();
