/* The stage: the canvas with the picture, the line under it, the tools, dropped files and keys. */
(() => {
  const explorer = window.explorer;
  const MAX_FILE_BYTES = 16 << 20;
  const PATIENCE_MS = 5000; // for an answer to an undo, before the next one is asked for
  const RANDOM_SEEDS = 100000; // short enough to read out

  explorer.stage = (element, trigger, props, server, watch) => {
    const find = (selector) => element.querySelector(selector);
    const canvas = find("canvas"), words = find(".words"), error = find(".error"), frame = find(".frame");
    const tool = (name) => find(`[data-tool="${name}"]`);
    let now = null, settled = null, before = null, pinned = null, comparing = false;

    async function paint(answer) {
      const bitmap = await createImageBitmap(await (await fetch(answer.image)).blob());
      now = { bitmap, words: answer.words, query: answer.query, recipe: answer.recipe };
      props.value = answer.recipe;
      draw();
    }

    function draw() {
      const view = comparing ? pinned ?? (now === settled ? before : settled) ?? now : now;
      if (!view) return;
      const side = Math.round(frame.clientWidth * devicePixelRatio), { bitmap } = view;
      if (canvas.width !== side) canvas.width = canvas.height = side;
      const whole = Math.floor(side / bitmap.width);
      const size = explorer.pixels && whole ? whole * bitmap.width : side;
      const at = Math.floor((side - size) / 2), context = canvas.getContext("2d");
      context.imageSmoothingEnabled = !(explorer.pixels && whole);
      context.imageSmoothingQuality = "high";
      context.clearRect(0, 0, side, side);
      context.drawImage(bitmap, at, at, size, size);
      words.textContent = (comparing ? "before: " : "") + view.words;
      frame.classList.toggle("pinned", pinned !== null);
    }

    const say = (text) => { error.textContent = text; error.classList.remove("said"); };
    const told = (text) => { say(text); error.classList.add("said"); setTimeout(() => error.textContent === text && say(""), 2500); };

    /* Ask the server; what goes wrong is said, and null comes back. */
    async function ask(name, data) {
      const answer = await explorer.ask(server, name, data);
      if (answer.error) say(answer.error);
      return answer.error ? null : answer;
    }

    async function copy(text, what) {
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const area = Object.assign(document.createElement("textarea"), { value: text });
        document.body.append(area); // pages without https have no clipboard but this
        area.select();
        document.execCommand("copy");
        area.remove();
      }
      told(`${what} copied.`);
    }

    function compare(on) {
      if (comparing === on) return;
      comparing = on;
      tool("compare").classList.toggle("on", on);
      draw();
    }

    /* One event of the history at a time; `moved` is called when it is over. Travels start from what is on screen. */
    let queue = Promise.resolve(), over = null, travelled = null; // where the history itself has led: no new step
    const event = (name, data) => new Promise((done) => { over = done; setTimeout(done, PATIENCE_MS); trigger(name, data); });
    const step = (recipe) => (queue = queue.then(() => event("step", { recipe })));
    function travel(name, data) {
      queue = queue.then(async () => {
        await explorer.quiet();
        if (explorer.leave()) await event("step", { recipe: now.recipe });
        await event(name, data);
      });
    }
    explorer.moved = (json) => {
      if (json && json !== explorer.present) { travelled = json; explorer.load(json); }
      over?.();
    };

    async function open(file) {
      if (!file) return;
      if (file.size > MAX_FILE_BYTES) return say(`This file has ${Math.ceil(file.size / 2 ** 20)} MiB; pictures are read up to 16 MiB.`);
      const uri = await new Promise((done) => {
        const reader = new FileReader();
        reader.onload = () => done(reader.result);
        reader.onerror = () => done("");
        reader.readAsDataURL(file);
      });
      const answer = await ask("opened", { png: uri.slice(uri.indexOf(",") + 1) });
      if (answer) explorer.load(answer.recipe);
    }

    const tools = {
      undo: () => travel("undo"),
      redo: () => travel("redo"),
      keep: () => trigger("keep"),
      film: () => explorer.present && told(`Key ${explorer.addKey(explorer.present)} of the film.`),
      pin() {
        pinned = pinned ? null : now;
        tool("pin").setAttribute("aria-pressed", String(pinned !== null));
        draw();
      },
      pixels() {
        explorer.pixels = !explorer.pixels;
        localStorage.setItem("explorer.pixels", explorer.pixels ? "pixels" : "smooth");
        tool("pixels").setAttribute("aria-pressed", String(explorer.pixels));
        draw();
      },
      async png() {
        const answer = await ask("png_file", { recipe: explorer.present });
        if (answer) Object.assign(document.createElement("a"), { href: answer.data, download: answer.name }).click();
      },
      link() {
        if (!now?.query) return say("This recipe is too long for a link: save the PNG, which carries it.");
        copy(`${location.origin}${location.pathname}?${now.query}`, "Link");
      },
      async python() {
        const answer = await ask("python_text", { recipe: explorer.present });
        if (answer) await copy(answer.text, "Python");
      },
      open: () => find("input[type=file]").click(),
      dice: () => explorer.edit("seed", Math.floor(Math.random() * RANDOM_SEEDS)),
      step: (by) => explorer.edit("seed", ((explorer.value("seed") ?? 0) + by + 2 ** 32) % 2 ** 32),
      psi: (by) => explorer.edit("psi", Math.min(1.5, Math.max(-1.5, Math.round((explorer.value("psi") + by) * 100) / 100))),
    };
    explorer.tools = tools;
    explorer.say = told;

    addEventListener("click", (event) => {
      const cell = event.target.closest?.("#steps .cell");
      if (cell) travel("at", { index: Number(cell.dataset.index) });
    });
    element.addEventListener("click", (event) => tools[event.target.closest("[data-tool]")?.dataset.tool]?.());
    for (const [start, on] of [["pointerdown", true], ["pointerup", false], ["pointerleave", false], ["pointercancel", false]])
      tool("compare").addEventListener(start, () => compare(on));
    find("input[type=file]").addEventListener("change", (event) => { open(event.target.files[0]); event.target.value = ""; });
    for (const kind of ["dragover", "dragleave", "drop"])
      addEventListener(kind, (event) => {
        if (![...(event.dataTransfer?.types ?? [])].includes("Files") || event.target.closest?.(".accepts-files")) return;
        event.preventDefault();
        frame.classList.toggle("dropping", kind === "dragover");
        if (kind === "drop") open(event.dataTransfer.files[0]);
      });

    /* Keys. Fields keep theirs; sliders keep the arrows. */
    const keys = {
      ArrowLeft: () => tools.step(-1), ArrowRight: () => tools.step(1), ArrowUp: () => tools.psi(0.05), ArrowDown: () => tools.psi(-0.05),
      d: tools.dice, z: tools.undo, y: tools.redo, k: tools.keep, f: tools.film, s: tools.png, l: tools.link, p: tools.pin, x: tools.pixels, b: () => compare(true),
    };
    const takes = (target, arrow) =>
      target.closest?.("textarea, select, [contenteditable], [role=listbox], [role=combobox]") ||
      (target.tagName === "INPUT" && (arrow || !["range", "checkbox", "radio", "button"].includes(target.type))) ||
      (arrow && target.closest?.("[role=tab], [role=grid], [role=radiogroup]"));
    addEventListener("keydown", (event) => {
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key, command = event.ctrlKey || event.metaKey;
      if (event.altKey || takes(event.target, key.startsWith("Arrow")) || !element.offsetParent) return;
      if (command && !"zy".includes(key)) return;
      const action = command && event.shiftKey && key === "z" ? tools.redo : keys[key];
      if (!action) return;
      event.preventDefault();
      action();
    });
    addEventListener("keyup", (event) => event.key.toLowerCase() === "b" && compare(false));
    addEventListener("blur", () => compare(false));

    new ResizeObserver(draw).observe(frame);
    watch("value", () => explorer.load(props.value));
    tool("pixels").setAttribute("aria-pressed", String(explorer.pixels));
    explorer.attach({
      paint, error: say, render: server.frame, trigger,
      /* A gesture has ended: a step of the history, what to compare with, the address of the page. */
      settle() {
        [before, settled] = [settled, now];
        const kept = [...new URLSearchParams(location.search)].filter(([key]) => key.startsWith("__"));
        const query = [now.query, new URLSearchParams(kept).toString()].filter(Boolean).join("&");
        history.replaceState(history.state, "", query ? `?${query}` : location.pathname);
        if (now.recipe !== travelled) step(now.recipe);
        travelled = null;
        trigger("settle");
      },
    });
    if (props.value) explorer.load(props.value);
  };
})();
