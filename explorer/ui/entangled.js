/* Tables of numbers as heat maps: a row for each direction. Numbers stand in the cells where there is room, and under the
   map for the cell that is pointed at. */
(() => {
  const explorer = window.explorer, { spoken } = explorer;
  const NAME_PX = 110, LEAST_PX = 15, ROOMY_PX = 34; // names of rows; cells at least; cells that show their numbers
  const FULL = { cosines: 1, measured: 1 }; // the number that has the full colour
  const MOST_LISTED = 128, MOST_TABLES = 32;

  const minus = (text) => String(text).replace("-", "−");
  const make = (tag, made = {}) => Object.assign(document.createElement(tag), made);

  explorer.entangled = (element, server) => {
    const find = (selector) => element.querySelector(selector);
    const heat = find(".heat"), bar = find("progress"), go = find("[data-go]"), hover = find(".hover"), told = find(".state .told");
    const tables = new Map(); // by all that they depend on: another lock, space, name or model asks for another one
    let kind = "cosines", space = "w", list = [], running = false, drawn = null, measuring = "", asking = "", failed = ["", ""];

    const locks = () => (find("[data-locks]").checked ? explorer.steering.locks() : []);
    const request = () => ({ model: explorer.value("model"), digests: list.slice(0, MOST_LISTED).map(({ digest }) => digest), locks: locks(), space });
    const key = (which) => JSON.stringify([which, request(), list.map(({ name }) => name)]);

    function keep(at, table) {
      tables.delete(at);
      tables.set(at, table);
      if (tables.size > MOST_TABLES) tables.delete(tables.keys().next().value);
    }

    const work = explorer.work(server, (status) => {
      running = status.state === "running";
      go.textContent = running ? "Stop" : "Measure";
      bar.classList.toggle("on", running);
      bar.value = status.share;
      const left = status.left_sec > 1 ? `, ${Math.ceil(status.left_sec)} s left` : "";
      told.textContent = running ? `${status.record?.phase ?? "beginning"}${left}` : status.state === "cancelled" ? "Stopped." : "";
      if (status.state === "done" && status.record?.table) keep(measuring, status.record.table);
      if (status.state === "done") draw();
    });

    async function compare() {
      const data = request(), mine = key("cosines");
      if (!list.length || !element.offsetParent || kind !== "cosines" || tables.has(mine) || asking === mine) return draw();
      asking = mine;
      const answer = await explorer.ask(server, "cosines", data);
      if (asking === mine) asking = "";
      if (answer.error) failed = [mine, answer.error]; else keep(mine, answer);
      draw();
    }

    const listed = (names) => names.map(spoken).join(", ");
    function words({ kind, space, locks, seeds, missing, held }) {
      const what = kind === "cosines" ? `Cosines in ${space.toUpperCase()}: rows ${locks.length ? "with locks" : "as they are"}, columns as they are`
        : `Change per σ in ${space.toUpperCase()}, in standard deviations of the score; mean of ${seeds} seeds`;
      return [what + (locks.length ? `, with ${listed(locks)} held still` : ""), ...(missing.length ? [`No direction in Z: ${listed(missing)}`] : []),
        ...(held.length ? [`Nothing is left of ${listed(held)}`] : [])].join(". ") + ".";
    }

    function colour(value, full) {
      const share = Math.round(100 * Math.min(1, Math.abs(value) / full));
      return `color-mix(in srgb, ${value < 0 ? "var(--heat-minus)" : "var(--heat-plus)"} ${share}%, var(--background-fill-secondary))`;
    }

    function draw() {
      const table = list.length ? tables.get(key(kind)) ?? null : null;
      for (const pick of element.querySelectorAll(".pick button"))
        pick.setAttribute("aria-pressed", pick.dataset.value === (pick.parentElement.dataset.pick === "kind" ? kind : space));
      find(".measuring").hidden = kind !== "measured";
      find("[data-csv]").disabled = !table;
      const held = explorer.steering?.locks().length ?? 0;
      find(".count").textContent = held ? `(${held})` : "";
      if (!running) told.textContent = table ? words(table) : list.length ? "" : "This model has no directions yet.";
      if (!table) {
        const lost = failed[0] === key(kind);
        if (kind === "cosines" && list.length && !lost) return; // it is on its way
        if (lost && !running) told.textContent = failed[1];
        heat.replaceChildren();
        drawn = null;
        const what = `in ${space.toUpperCase()}${locks().length ? " with these locks" : ""}`;
        hover.textContent = kind === "measured" && list.length && !running ? `Not measured yet ${what}.` : "";
        return;
      }
      if (drawn === table) return;
      drawn = table;
      hover.textContent = "Point at a cell, or tap it, for its numbers.";
      const grid = make("table"), head = grid.createTHead().insertRow(), body = grid.createTBody();
      head.append(make("td"));
      for (const name of table.columns) { const th = make("th", { scope: "col", title: spoken(name) }); th.append(make("span", { textContent: spoken(name) })); head.append(th); }
      const roomy = (heat.clientWidth - NAME_PX) / table.columns.length >= ROOMY_PX;
      grid.style.minWidth = `${NAME_PX + table.columns.length * LEAST_PX}px`; // more columns than fit are scrolled to
      table.rows.forEach((name, i) => {
        const row = body.insertRow();
        row.append(make("th", { scope: "row", textContent: spoken(name), title: spoken(name) }));
        table.mean[i].forEach((value, j) => {
          const cell = row.insertCell();
          cell.dataset.at = `${i} ${j}`;
          cell.style.background = colour(value, FULL[kind]);
          cell.classList.toggle("strong", Math.abs(value) > 0.6 * FULL[kind]);
          if (roomy) cell.textContent = minus(value.toFixed(2));
        });
      });
      grid.classList.toggle("roomy", roomy);
      heat.replaceChildren(grid);
    }

    function point(event) {
      const at = event.target.closest?.("td[data-at]")?.dataset.at;
      if (!at || !drawn) return;
      const [i, j] = at.split(" ").map(Number), value = minus(drawn.mean[i][j].toFixed(3));
      const row = spoken(drawn.rows[i]), column = spoken(drawn.columns[j]);
      const rest = drawn.locks.length ? `; ${Math.round(100 * drawn.left[i])} % of ${row} is left` : "";
      hover.textContent = drawn.kind === "cosines" ? `${row} with ${column}: ${value}${rest}`
        : `+1σ of ${row} changes ${column} by ${value} ± ${drawn.error[i][j].toFixed(3)} standard deviations (${minus((drawn.mean[i][j] * drawn.unit[j]).toPrecision(3))} in its own unit)${rest}`;
    }

    for (const pick of element.querySelectorAll(".pick"))
      pick.addEventListener("click", ({ target }) => {
        const value = target.closest("button")?.dataset.value;
        if (!value) return;
        if (pick.dataset.pick === "kind") kind = value; else space = value;
        compare();
      });
    find("[data-locks]").addEventListener("change", compare);
    go.addEventListener("click", () => {
      if (running) return work.cancel();
      measuring = key("measured");
      work.run({ ...request(), seeds: Math.round(Number(find("[data-seeds]").value)) });
    });
    find("[data-csv]").addEventListener("click", () => {
      if (!drawn) return;
      const url = URL.createObjectURL(new Blob([drawn.csv], { type: "text/csv" }));
      make("a", { href: url, download: `${drawn.kind}.csv` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    });
    heat.addEventListener("mouseover", point);
    heat.addEventListener("click", point);
    explorer.onDirections((directions) => { list = directions; compare(); });
    explorer.onAnswer(() => element.offsetParent && compare());
    new ResizeObserver(() => { drawn = null; compare(); }).observe(element); // the part has been opened, or the window changed
  };
})();
