/* What a run's network makes, back through time: its sample grids, or live pictures of any snapshot. One pane for each
   run that is compared, or two of one run side by side. */
(() => {
  const explorer = window.explorer;
  const KEPT = 60; // grids that a pane remembers
  const MOST = 6;

  explorer.trainingPanes = (host, parts, changed) => {
    const { make } = explorer;
    let shown = [], two = false, live = localStorage.getItem("explorer.live") === "yes";
    const grids = make("button", { textContent: "Grids", title: "The samples that the trainer drew, of the same seeds each time", onclick: () => mode(false) });
    const pictures = make("button", { textContent: "Live", title: "Any seeds, drawn now by the snapshot", onclick: () => mode(true) });
    const beside = make("button", { textContent: "Two side by side", onclick: () => { two = !two; arrange(); } });
    const seeds = make("input", { type: "text", value: localStorage.getItem("explorer.live.seeds") ?? "0-7", placeholder: "Explore's picture", spellcheck: false });
    const psi = make("input", { type: "range", min: -1, max: 1.5, step: 0.05, value: 0.7 }), told = make("output", { textContent: "0.7" });
    seeds.setAttribute("aria-label", "Seeds of the live pictures");
    seeds.title = "Such as 0-7, 12; none: the picture of Explore, with all that was done to it";
    psi.setAttribute("aria-label", "ψ of the live pictures");
    const strength = make("label", {}, "ψ ", psi, told);
    const which = make("div", { className: "which" }, make("label", {}, "Seeds ", seeds), strength);
    const row = make("div", { className: "panes" });
    host.append(make("div", { className: "title" }, make("h3", { textContent: "Samples" }), make("div", { className: "kind" }, make("div", { className: "scales" }, grids, pictures), beside)), which, row);
    const panes = [];

    seeds.addEventListener("change", () => { localStorage.setItem("explorer.live.seeds", seeds.value); again(); });
    psi.addEventListener("input", () => { told.textContent = psi.value; again(); });
    explorer.onAnswer(() => { if (live && host.offsetParent) again(); });

    function mode(to) {
      live = to;
      localStorage.setItem("explorer.live", live ? "yes" : "no");
      arrange();
    }

    function again() {
      psi.disabled = !seeds.value.trim(); // a picture of Explore has its own
      strength.classList.toggle("off", psi.disabled);
      for (const pane of panes) pane.draw();
    }

    /* It stays at the newest until its slider is moved. */
    function pane(number) {
      const image = make("img", { alt: "" }), slider = make("input", { type: "range", min: 0, step: 1 }), caption = make("span"), wrong = make("p", { className: "wrong" });
      const reals = make("button", { textContent: "Real", title: "Pictures trained on" });
      const open = make("button", { textContent: "Open in Explore" }), follow = make("button", { textContent: "Follow", title: "Explore, Mix and Noise show each new snapshot as it comes" });
      const branch = make("button", { textContent: "Train from here", title: "A new run that begins with the networks of this snapshot" });
      slider.setAttribute("aria-label", "Samples at");
      const grid = make("div", { className: "grid" }, image);
      const box = make("div", { className: "pane" }, grid, wrong, slider, make("div", { className: "line" }, caption, reals, open, follow, branch));
      const known = new Map();
      let run = null, newest = true, at = null, real = false, version = 0, busy = false, stale = false, recipes = [], columns = 1;

      const names = () => (live ? run?.snapshots : run?.samples) ?? [];
      /* Where the slider stands: the last one that is not later than `at`. */
      function index() {
        const all = names();
        if (newest || at === null) return all.length - 1;
        return Math.max(0, all.findLastIndex((name) => Number(name) <= Number(at)));
      }
      const name = () => (real && !live ? "reals" : names()[index()]);

      function draw() {
        const wanted = name(), all = names();
        slider.max = Math.max(0, all.length - 1);
        slider.value = index();
        slider.disabled = all.length < 2;
        reals.hidden = live;
        reals.setAttribute("aria-pressed", real);
        follow.setAttribute("aria-pressed", explorer.snapshots.followed() === run?.name);
        open.disabled = !run?.snapshots.includes(wanted);
        branch.disabled = !run?.beginnings.includes(wanted);
        follow.disabled = !run?.snapshots.length;
        const when = wanted === "reals" ? "trained on" : wanted === undefined ? "" : `${explorer.kimg(Number(wanted))} kimg`;
        const compared = shown.length > 1;
        caption.textContent = [compared ? run?.name : "", when].filter(Boolean).join(" · ");
        caption.className = compared ? "coloured" : "";
        caption.style.setProperty("--colour", explorer.charts.colours[number % 6]);
        box.classList.toggle("none", wanted === undefined);
        grid.classList.toggle("live", live);
        if (wanted === undefined) return;
        const key = `${run.name}/${wanted}${live ? `/${seeds.value}/${seeds.value.trim() ? psi.value : explorer.present}` : ""}`;
        if (image.dataset.key !== key) (live ? drawLive : drawGrid)(wanted, key, `${live ? "Pictures" : "Samples"} of ${run.name}, ${when}`);
      }

      function put(key, source, alt) {
        wrong.textContent = "";
        image.dataset.key = key;
        image.src = source;
        image.alt = alt;
      }

      async function drawGrid(wanted, key, alt) {
        const mine = ++version;
        if (!known.has(key)) {
          const answer = await parts.ask("sample", { name: run.name, sample: wanted });
          if (!answer) return;
          known.set(key, answer.image);
          if (known.size > KEPT) known.delete(known.keys().next().value);
        }
        if (mine === version) put(key, known.get(key), alt);
      }

      /* One request at a time; the last one wanted is the one that stays. */
      async function drawLive(wanted, key, alt) {
        const mine = ++version;
        if (busy) { stale = true; return; }
        busy = true;
        const answer = await parts.ask("live", {
          visitor: `${explorer.visitor}/live${number}`, name: run.name, snapshot: wanted, seeds: seeds.value, psi: Number(psi.value), recipe: explorer.present,
        }, (text) => { wrong.textContent = text; image.dataset.key = key; });
        busy = false;
        if (answer?.image && live && mine === version) {
          ({ recipes, columns } = answer);
          grid.classList.toggle("alone", recipes.length === 1);
          put(key, answer.image, alt);
        }
        if (stale) { stale = false; draw(); }
      }

      slider.addEventListener("input", () => { at = names()[slider.value]; newest = Number(slider.value) === names().length - 1; real = false; draw(); });
      reals.addEventListener("click", () => { real = !real; draw(); });
      open.addEventListener("click", () => explorer.snapshots.open(run.name, name()));
      branch.addEventListener("click", () => parts.branch(run.name, name()));
      follow.addEventListener("click", () => { const on = explorer.snapshots.followed() === run.name; explorer.snapshots.follow(on ? null : run.name, !on); });
      image.addEventListener("click", (event) => {
        if (!live || !recipes.length) return;
        const place = image.getBoundingClientRect(), cell = place.width / columns;
        const picked = Math.floor((event.clientY - place.top) / cell) * columns + Math.floor((event.clientX - place.left) / cell);
        if (recipes[picked]) explorer.snapshots.open(run.name, name(), recipes[picked]);
      });
      return {
        box, draw,
        /* `first`: it begins at the oldest, to be beside the newest. */
        show(given, first = false) {
          if (given?.name !== run?.name) { newest = !first; real = false; at = first ? names0(given) : null; }
          run = given;
          draw();
        },
      };
    }

    const names0 = (run) => run?.samples[0] ?? run?.snapshots[0] ?? null;

    function arrange() {
      const compared = shown.length > 1, wanted = compared ? shown.slice(0, MOST) : two ? [shown[0], shown[0]] : shown;
      beside.hidden = compared;
      beside.setAttribute("aria-pressed", two);
      grids.setAttribute("aria-pressed", !live);
      pictures.setAttribute("aria-pressed", live);
      which.hidden = !live;
      psi.disabled = !seeds.value.trim();
      while (panes.length < wanted.length) { panes.push(pane(panes.length)); row.append(panes.at(-1).box); }
      panes.forEach((one, i) => { one.box.hidden = i >= wanted.length; if (i < wanted.length) one.show(wanted[i], !compared && i > 0); });
      row.dataset.count = wanted.length;
      changed(wanted.length > 1);
    }

    explorer.snapshots.onFollow(again);
    return { show(runs) { shown = runs; arrange(); } };
  };
})();
