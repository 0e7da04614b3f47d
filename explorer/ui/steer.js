/* Sliders along directions. What a hand sets goes to the picture at once; a picture with other moves (undo, a click in a
   sheet) sets the sliders. Locks are of the hand until the picture has moves, which carry them. */
(() => {
  const explorer = window.explorer;
  let strengths = new Map(), layers = new Map(), locks = new Set(), known = [];

  const shown = (x) => x.toFixed(2).replace(/\.?0+$/, "").replace("-", "−");
  const make = (tag, made = {}) => Object.assign(document.createElement(tag), made);

  explorer.steer = (element) => {
    const rows = element.querySelector(".rows"), note = element.querySelector(".note"), reach = Number(rows.dataset.reach);

    function move(digest, strength) {
      strengths.set(digest, strength);
      draw();
      const where = layers.has(digest) ? layers.get(digest) : explorer.direction(digest)?.layers ?? null;
      explorer.edit("steer", { digest, strength, layers: where, locks: [...locks] }, digest);
    }

    function lock(digest) {
      locks.has(digest) ? locks.delete(digest) : locks.add(digest);
      draw();
      explorer.edit("steer", { locks: [...locks] }, "locks");
    }

    function row({ digest, name, told }) {
      const box = make("div", { className: "row" });
      const still = make("button", { type: "button", className: "lock", textContent: "🔒︎", title: "Hold still: the others move without it" });
      const slider = make("input", { type: "range", min: -reach, max: reach, step: 0.05 });
      const number = make("input", { type: "number", step: 0.1 });
      slider.setAttribute("aria-label", name);
      number.setAttribute("aria-label", `${name}, in standard deviations`);
      still.addEventListener("click", () => lock(digest));
      slider.addEventListener("input", () => move(digest, Number(slider.value)));
      slider.addEventListener("dblclick", () => move(digest, 0));
      number.addEventListener("change", () => move(digest, Number(number.value)));
      box.append(still, make("span", { className: "name", textContent: name, title: told }), slider, number);
      return Object.assign(box, { digest, still, slider, number });
    }

    function draw() {
      for (const box of rows.children) {
        const strength = strengths.get(box.digest) ?? 0, held = locks.has(box.digest);
        if (Number(box.slider.value) !== strength) box.slider.value = strength;
        if (document.activeElement !== box.number) box.number.value = Math.round(100 * strength) / 100;
        box.classList.toggle("moved", strength !== 0);
        box.still.setAttribute("aria-pressed", held);
      }
    }

    explorer.onDirections((list) => {
      known = list;
      rows.replaceChildren(...list.map(row));
      note.textContent = list.length ? "" : "This model has no directions yet: find some.";
      draw();
    });

    explorer.onAnswer(({ values }) => {
      const said = values.steer;
      if (!said) return;
      const ahead = (slot) => explorer.waiting("steer", slot);
      const given = new Map(said.moves.map((one) => [one.digest, one]));
      for (const digest of new Set([...strengths.keys(), ...given.keys()])) {
        if (ahead(digest)) continue;
        strengths.set(digest, given.get(digest)?.strength ?? 0);
        if (given.has(digest)) layers.set(digest, given.get(digest).layers);
      }
      if (said.locks && !ahead("locks")) locks = new Set(said.locks);
      draw();
    });
  };
})();
