/* Tables of numbers as heat maps: a row for each direction. Numbers stand in the cells where there is room, and under the
   map for the cell that is pointed at. */
(() => {
  const explorer = window.explorer;
  const ROOMY_PX = 34; // cells from this width on show their numbers
  const FULL = { cosines: 1, measured: 1 }; // the number that has the full colour
  const MOST_LISTED = 128;

  const minus = (text) => String(text).replace("-", "−");
  const make = (tag, made = {}) => Object.assign(document.createElement(tag), made);

  explorer.entangled = (element, server) => {
    const find = (selector) => element.querySelector(selector);
    const heat = find(".heat"), bar = find("progress"), go = find("[data-go]"), hover = find(".hover"), told = find(".state .told");
    const tables = {}; // the last one of each kind
    let kind = "cosines", space = "w", list = [], running = false, drawn = null, asked = "";

    const locks = () => (find("[data-locks]").checked ? explorer.steering.locks() : []);
    const request = () => ({ model: explorer.value("model"), digests: list.slice(0, MOST_LISTED).map(({ digest }) => digest), locks: locks(), space });

    const work = explorer.work(server, (status) => {
      running = status.state === "running";
      go.textContent = running ? "Stop" : "Measure";
      bar.classList.toggle("on", running);
      bar.value = status.share;
      if (status.record?.table) { tables.measured = { ...status.record.table, for: explorer.value("model") }; draw(); }
      const left = status.left_sec > 1 ? `, ${Math.ceil(status.left_sec)} s left` : "";
      if (running) told.textContent = `${status.record?.phase ?? "beginning"}${left}`;
      else if (status.state !== "done") { told.textContent = status.state === "cancelled" ? "Stopped." : ""; }
    });

    async function compare() {
      const data = request(), mine = JSON.stringify(data);
      if (!list.length || !element.offsetParent || asked === mine) return draw();
      asked = mine;
      const answer = await server.cosines(data).catch(() => ({ error: "The app does not answer: is it still running?" }));
      if (asked !== mine) return;
      if (answer.error) { delete tables.cosines; told.textContent = answer.error; } else tables.cosines = { ...answer, for: data.model };
      draw();
    }

    function words({ kind, space, locks, seeds, missing }) {
      const what = kind === "cosines" ? `Cosines in ${space.toUpperCase()}: rows ${locks.length ? "with locks" : "as they are"}, columns as they are`
        : `Change per σ in ${space.toUpperCase()}, in standard deviations of the score; mean of ${seeds} seeds`;
      const still = locks.length ? `, without ${locks.join(", ")}` : "";
      return what + still + (missing.length ? `. No direction in Z: ${missing.join(", ")}` : "") + ".";
    }

    function colour(value, full) {
      const share = Math.round(100 * Math.min(1, Math.abs(value) / full));
      return `color-mix(in srgb, ${value < 0 ? "var(--heat-minus)" : "var(--heat-plus)"} ${share}%, var(--background-fill-secondary))`;
    }

    function draw() {
      const table = tables[kind]?.for === explorer.value("model") ? tables[kind] : null;
      for (const pick of element.querySelectorAll(".pick button"))
        pick.setAttribute("aria-pressed", pick.dataset.value === (pick.parentElement.dataset.pick === "kind" ? kind : space));
      find(".measuring").hidden = kind !== "measured";
      find("[data-csv]").disabled = !table;
      const held = explorer.steering?.locks().length ?? 0;
      find(".count").textContent = held ? `(${held})` : "";
      if (!running) told.textContent = table ? words(table) : list.length ? told.textContent : "This model has no directions yet.";
      if (!table) { heat.replaceChildren(); drawn = null; hover.textContent = kind === "measured" && !running ? "Not measured yet." : ""; return; }
      if (drawn === table) return;
      drawn = table;
      hover.textContent = "Point at a cell for its numbers.";
      const grid = make("table"), head = grid.createTHead().insertRow(), body = grid.createTBody();
      head.append(make("td"));
      for (const name of table.columns) { const th = make("th", { scope: "col", title: name }); th.append(make("span", { textContent: name })); head.append(th); }
      const roomy = (heat.clientWidth - 110) / table.columns.length >= ROOMY_PX;
      table.rows.forEach((name, i) => {
        const row = body.insertRow();
        row.append(make("th", { scope: "row", textContent: name, title: name }));
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
      const rest = drawn.locks.length ? `; ${Math.round(100 * drawn.left[i])} % of ${drawn.rows[i]} is left` : "";
      hover.textContent = drawn.kind === "cosines" ? `${drawn.rows[i]} with ${drawn.columns[j]}: ${value}${rest}`
        : `+1σ of ${drawn.rows[i]} changes ${drawn.columns[j]} by ${value} ± ${drawn.error[i][j].toFixed(3)} standard deviations (${minus((drawn.mean[i][j] * drawn.unit[j]).toPrecision(3))} in its own unit)${rest}`;
    }

    for (const pick of element.querySelectorAll(".pick"))
      pick.addEventListener("click", ({ target }) => {
        const value = target.closest("button")?.dataset.value;
        if (!value) return;
        if (pick.dataset.pick === "kind") kind = value; else space = value;
        if (!running) told.textContent = "";
        compare();
      });
    find("[data-locks]").addEventListener("change", compare);
    go.addEventListener("click", () => (running ? work.cancel() : work.run({ ...request(), seeds: Math.round(Number(find("[data-seeds]").value)) })));
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
