/* The Film tab: the film in the making lives here, in the form and the strip of keys, and goes to the server whole.
   film_view.js shows it. It is kept in this browser, so that a reload loses nothing. */
(() => {
  const explorer = window.explorer;
  const STORED = "explorer.film";
  const STRIP = 8; // thumbnails in one request
  const SIZES = [32, 64, 128, 256, 512, 1024, 2048];

  let draft = {};
  try { draft = JSON.parse(localStorage.getItem(STORED)) ?? {}; } catch { /* a draft that cannot be read is none */ }

  function store(made) {
    draft = made;
    try { localStorage.setItem(STORED, JSON.stringify(made)); } catch { /* a full store loses a draft, no film */ }
  }

  /* From anywhere on the page: a picture becomes the last key. How many there are now; the tab may not be open yet. */
  explorer.addKey = (recipe) => {
    const keys = [...(draft.keys ?? []), { recipe, hold_sec: 0 }];
    store({ keys, values: { ...draft.values, kind: "keys" } });
    return keys.length;
  };

  explorer.film = (element, server) => {
    const find = (selector) => element.querySelector(selector), field = (name) => element.querySelector(`[name="${name}"]`);
    const fields = [...element.querySelectorAll("[name]")].filter(({ name }) => !["hold", "seeds"].includes(name));
    const list = find(".keys"), wrong = find(".wrong"), file = find("input[type=file]"), drawn = new Map();
    const kind = () => field("kind").value, number = (name) => (field(name).value === "" ? null : Number(field(name).value));
    let keys = [], chosen = 0, facts = null, wanted = {}; // wanted: what a select should show once it has its options

    const say = (text) => { wrong.textContent = text || ""; };
    async function ask(name, data) {
      const answer = await explorer.ask(server, name, { visitor: `${explorer.visitor}/film`, ...data });
      if (answer.error) say(answer.error);
      return answer.error || answer.overtaken ? null : answer;
    }

    /* The film as the server takes it: its JSON, and the grid's seeds as they were typed. */
    function film() {
      const own = kind() === "keys", present = explorer.present && JSON.parse(explorer.present);
      const sweep = {
        psi: () => ({ low: number("psi_low"), high: number("psi_high") }),
        direction: () => ({ low: number("low"), high: number("high"), direction: direction() }),
        noise: () => ({}),
        circle: () => ({ radius: number("radius"), a: number("a"), b: number("b") }),
      }[kind()];
      return {
        grid: field("grid").value,
        film: JSON.stringify({
          version: 1,
          keys: own ? keys.map(({ recipe, hold_sec }) => ({ recipe: JSON.parse(recipe), hold_sec })) : [{ recipe: present }],
          ...(sweep ? { sweep: { kind: kind(), ...sweep() } } : {}),
          space: field("space").value, easing: field("easing").value, end: field("end").value,
          step_sec: number("step"), fps: number("fps"), columns: number("columns"), size: number("size"), smooth: field("smooth").checked,
        }),
      };
    }

    function direction() {
      const [name, digest] = facts?.directions.find((one) => one[1] === field("direction").value) ?? [];
      return name ? { name, digest } : null;
    }

    /* A film from a file. A sweep's picture goes on the stage. */
    function take(made) {
      const sweep = made.sweep ?? { kind: "keys" };
      if (sweep.kind === "keys") [keys, chosen] = [made.keys.map((key) => ({ recipe: JSON.stringify(key.recipe), hold_sec: key.hold_sec ?? 0 })), 0];
      else explorer.load(JSON.stringify(made.keys[0].recipe));
      const values = {
        kind: sweep.kind, space: made.space ?? "w", easing: made.easing ?? "smooth", end: made.end ?? "stop", step: made.step_sec ?? 2,
        fps: made.fps ?? 25, grid: (made.seeds ?? []).join(","), columns: made.columns ?? "", size: made.size ?? "", smooth: made.smooth ?? false,
      };
      if (sweep.kind === "psi") Object.assign(values, { psi_low: sweep.low ?? -1, psi_high: sweep.high ?? 1 });
      if (sweep.kind === "direction") Object.assign(values, { low: sweep.low ?? -3, high: sweep.high ?? 3, direction: sweep.direction.digest });
      if (sweep.kind === "circle") Object.assign(values, { radius: sweep.radius ?? 0.4, a: sweep.a ?? 1, b: sweep.b ?? 2 });
      fill(values);
      changed();
    }

    function fill(values) {
      for (const [name, value] of Object.entries(values)) {
        const input = field(name);
        if (!input) continue;
        if (input.type === "checkbox") input.checked = value;
        else {
          if (name === "size" && value && ![...input.options].some((option) => option.value === String(value))) input.append(new Option(`${value} px`, value));
          input.value = value;
          if (input.tagName === "SELECT" && input.value !== String(value)) wanted[name] = value;
        }
      }
    }

    function keep() {
      const values = Object.fromEntries(fields.map((input) => [input.name, input.type === "checkbox" ? input.checked : wanted[input.name] ?? input.value]));
      store({ keys, values });
    }

    /* Something of the film has changed. */
    function changed() {
      say("");
      keep();
      draw();
      view.changed();
    }

    function draw() {
      chosen = Math.max(0, Math.min(chosen, keys.length - 1));
      const own = kind();
      for (const part of element.querySelectorAll("[data-kinds]")) part.hidden = !part.dataset.kinds.split(" ").includes(own);
      field("end").querySelector("[value=loop]").disabled = own === "psi" || own === "direction";
      if (field("end").selectedOptions[0].disabled) field("end").value = "back";
      while (list.children.length > keys.length) list.lastChild.remove();
      keys.forEach(({ recipe, hold_sec }, index) => {
        const button = list.children[index] ?? made(index);
        button.lastChild.textContent = hold_sec ? `${index + 1} · ${hold_sec} s` : index + 1;
        button.setAttribute("aria-label", `Key ${index + 1}`);
        button.setAttribute("aria-selected", String(index === chosen));
        if (button.dataset.recipe !== recipe) { button.dataset.recipe = recipe; paint(button); }
      });
      const hold = field("hold");
      if (document.activeElement !== hold) hold.value = keys[chosen]?.hold_sec ?? 0;
      for (const name of ["left", "right", "copy", "replace", "delete"]) find(`[data-act=${name}]`).disabled = !keys.length;
      hold.disabled = !keys.length;
      thumbnails();
    }

    function made(index) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "key", draggable: true });
      button.setAttribute("role", "option");
      button.append(document.createElement("canvas"), document.createElement("span"));
      button.addEventListener("click", () => { chosen = index; draw(); explorer.load(keys[index].recipe); });
      button.addEventListener("dragstart", (event) => { event.dataTransfer.setData("text/x-key", index); event.dataTransfer.effectAllowed = "move"; });
      button.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("text/x-key")) { event.preventDefault(); button.classList.add("over"); } });
      for (const end of ["dragleave", "drop"]) button.addEventListener(end, () => button.classList.remove("over"));
      button.addEventListener("drop", (event) => {
        const from = event.dataTransfer.getData("text/x-key");
        if (from === "") return;
        event.preventDefault();
        move(Number(from), index);
      });
      list.append(button);
      return button;
    }

    function move(from, to) {
      if (to < 0 || to >= keys.length || from === to) return;
      keys.splice(to, 0, ...keys.splice(from, 1));
      chosen = to;
      changed();
    }

    function paint(button) {
      const canvas = button.firstChild, picture = drawn.get(button.dataset.recipe);
      canvas.width = canvas.height = picture?.height ?? 1;
      if (picture) canvas.getContext("2d").drawImage(picture, 0, 0);
    }

    let fetching = false;
    async function thumbnails() {
      if (fetching || !element.offsetParent) return;
      fetching = true;
      for (let missing; (missing = [...new Set(keys.map(({ recipe }) => recipe))].filter((recipe) => !drawn.has(recipe)).slice(0, STRIP)).length; ) {
        await explorer.quiet();
        const answer = await explorer.ask(server, "strip", { visitor: `${explorer.visitor}/film-keys`, recipes: missing });
        if (answer.error) say(answer.error);
        const strip = answer.image && (await createImageBitmap(await (await fetch(answer.image)).blob()));
        for (const [index, recipe] of missing.entries()) drawn.set(recipe, strip ? await createImageBitmap(strip, index * strip.height, 0, strip.height, strip.height) : null);
        [...list.children].filter(({ dataset }) => missing.includes(dataset.recipe)).forEach(paint);
      }
      fetching = false;
    }

    /* Keys go behind the one that is chosen. */
    function add(recipes) {
      if (!recipes.length) return;
      keys.splice(keys.length ? chosen + 1 : 0, 0, ...recipes.map((recipe) => ({ recipe, hold_sec: 0 })));
      chosen += keys.length === recipes.length ? recipes.length - 1 : recipes.length;
      changed();
      list.children[chosen]?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }

    explorer.addKey = (recipe) => {
      fill({ kind: "keys" });
      chosen = keys.length - 1;
      add([recipe]);
      return keys.length;
    };

    const acts = {
      add: () => explorer.present && add([explorer.present]),
      left: () => move(chosen, chosen - 1),
      right: () => move(chosen, chosen + 1),
      copy: () => { keys.splice(chosen, 0, { ...keys[chosen] }); chosen += 1; changed(); },
      replace: () => { keys[chosen] = { ...keys[chosen], recipe: explorer.present }; changed(); },
      delete: () => { keys.splice(chosen, 1); changed(); },
      clear: () => { keys = []; fill({ kind: "keys" }); changed(); },
      async seeds() {
        say("");
        const answer = await ask("seeds", { recipe: explorer.present, seeds: field("seeds").value });
        if (answer) { field("seeds").value = ""; add(answer.recipes); }
      },
      async write() {
        const answer = await ask("written", film());
        if (!answer) return;
        const url = URL.createObjectURL(new Blob([answer.json], { type: "application/json" }));
        Object.assign(document.createElement("a"), { href: url, download: "film.json" }).click();
        setTimeout(() => URL.revokeObjectURL(url), 60_000);
      },
      open: () => file.click(),
    };

    async function open(chosenFile) {
      if (!chosenFile) return;
      const uri = await new Promise((done) => {
        const reader = new FileReader();
        reader.onload = () => done(reader.result);
        reader.onerror = () => done("");
        reader.readAsDataURL(chosenFile);
      });
      const answer = await ask("opened", { file: uri.slice(uri.indexOf(",") + 1) });
      if (answer) take(answer.film);
    }

    /* What there is to choose from depends on the model. */
    const sized = draft.values?.size !== undefined; // else pictures begin at a size that videos are looked at in
    let model = null;
    async function facts_of(digest) {
      if (digest === model || !digest) return;
      model = digest;
      const answer = await ask("facts", { model: digest });
      if (!answer || digest !== model) return;
      facts = answer;
      const direction = field("direction"), size = field("size"), before = { direction: direction.value, size: size.value, ...wanted };
      direction.replaceChildren(...facts.directions.map(([name, value]) => new Option(explorer.spoken(name), value)));
      if (!facts.directions.length) direction.append(new Option("this model has none", ""));
      const larger = SIZES.filter((px) => px > facts.resolution);
      size.replaceChildren(new Option(`${facts.resolution} px, its own`, ""), ...larger.map((px) => new Option(`${px} px`, px)));
      field("kind").querySelector("[value=noise]").disabled = !facts.noise;
      wanted = {};
      fill({ ...(before.direction ? { direction: before.direction } : {}), size: before.size || (sized ? "" : larger.find((px) => px >= 256) ?? "") });
      wanted = {};
      view.changed();
    }

    const view = explorer.filmView(element, server, { film, ask, say, kind, enough: () => kind() !== "keys" || keys.length > 1 });
    Object.assign(acts, view.acts);
    element.addEventListener("click", (event) => acts[event.target.closest("[data-act]")?.dataset.act]?.());
    field("seeds").addEventListener("keydown", (event) => event.key === "Enter" && acts.seeds());
    field("hold").addEventListener("change", () => { if (keys[chosen]) { keys[chosen].hold_sec = Math.max(0, number("hold") ?? 0); changed(); } });
    for (const input of fields) input.addEventListener("change", changed);
    field("kind").addEventListener("change", () => { // along the direction that the picture is steered along already
      const own = JSON.parse(explorer.present || "{}").edits?.at(-1)?.direction.digest, input = field("direction");
      if (kind() === "direction" && [...input.options].some(({ value }) => value === own)) { input.value = own; changed(); }
    });
    file.addEventListener("change", () => { open(file.files[0]); file.value = ""; });
    element.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("Files")) { event.preventDefault(); element.classList.add("dropping"); } });
    element.addEventListener("dragleave", () => element.classList.remove("dropping"));
    element.addEventListener("drop", (event) => {
      element.classList.remove("dropping");
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      open(event.dataTransfer.files[0]);
    });
    addEventListener("click", (event) => {
      const cell = event.target.closest?.("#film-kept .cell");
      if (cell) { fill({ kind: "keys" }); add([cell.dataset.recipe]); }
    });

    keys = draft.keys ?? [];
    chosen = keys.length - 1; // further keys go behind it
    fill(draft.values ?? {});
    draw();
    new ResizeObserver(thumbnails).observe(element);
    explorer.onAnswer(() => { facts_of(explorer.value("model")); if (kind() !== "keys") view.changed(); });
    view.changed();
  };
})();
