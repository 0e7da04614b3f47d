/* The Measure tab: what is being measured, and all that was, as a table, side by side, and as charts. */
(() => {
  const explorer = window.explorer;
  const POLL_MS = 1000;
  const VIEWS = [["table", "Table"], ["compare", "Side by side"], ["charts", "Charts"]];

  explorer.measuring = (element, server) => {
    const { make } = explorer, ask_ = element.querySelector(".ask"), section = element.querySelector(".measured"), owner = ask_ !== null;
    let told = null, view = "table", kept = null, asking = false, sure = null, opened = new Set();

    async function ask(name, data = {}, say = notice) {
      const answer = await explorer.ask(server, name, data);
      if (answer.error) say(answer.error);
      return answer.error ? null : answer;
    }

    const note = make("p", { className: "notice" });
    note.setAttribute("role", "alert");
    function notice(text, fine = false) {
      note.textContent = text;
      note.classList.toggle("fine", fine);
    }

    /* What goes on. */
    const phase = make("span"), left = make("span", { className: "quiet" }), bar = make("progress", { max: 1, value: 0 });
    const stop = make("button", { textContent: "Cancel", onclick: () => ask("cancel").then(look) });
    const on = make("button", { textContent: "Go on", onclick: () => ask("go_on").then(look) });
    const drop = make("button", { textContent: "Forget it", onclick: () => ask("forget").then(look) });
    const work = make("div", { className: "going", hidden: true }, make("div", { className: "line" }, phase, left, stop, on, drop), bar);
    work.setAttribute("role", "status");
    bar.setAttribute("aria-label", "Measured");

    const models = make("select"), metrics = make("select"), views = make("div", { className: "segments" });
    models.setAttribute("aria-label", "Show model");
    metrics.setAttribute("aria-label", "Show metric");
    const file = make("input", { type: "file", accept: ".jsonl,application/json", hidden: true });
    file.setAttribute("aria-label", "A file of measurements");
    const save = make("button", { textContent: "CSV", title: "All that is shown, as a table", onclick: download });
    const read = make("button", { textContent: "Read in…", title: "FILE.jsonl of python -m stylegan metrics --out", onclick: () => file.click() });
    const host = make("div", { className: "host" });
    section.append(work, note, make("div", { className: "bar" }, views, models, metrics, make("span", { className: "end" }, save, ...(owner ? [read, file] : []))), host);
    const form = owner ? explorer.measureForm(ask_, { ask, look }) : null;

    const filter = () => ({ model: models.value, metric: metrics.value });
    async function refresh() {
      const answer = await ask("measurements", filter());
      if (!answer) return;
      told = answer;
      fill(models, "all models", told.models);
      fill(metrics, "all metrics", told.metrics);
      draw();
    }
    function fill(select, any, names) {
      const before = select.value;
      select.replaceChildren(make("option", { value: "", textContent: any }), ...names.map((name) => make("option", { value: name, textContent: name })));
      select.value = names.includes(before) ? before : "";
    }
    for (const select of [models, metrics]) select.addEventListener("change", refresh);

    function draw() {
      if (!told) return;
      if (!views.children.length) explorer.segments(views, VIEWS.map(([key, words]) => [words, key]), view, (key) => { view = key; draw(); });
      save.disabled = !told.rows.length;
      if (!told.rows.length) return host.replaceChildren(make("p", { className: "quiet none", textContent: owner ? "What is measured comes here." : "Nothing has been measured yet." }));
      host.replaceChildren(...{ table, compare, charts }[view]());
    }

    const short = (value) => (value === null || value === undefined ? "–" : Math.abs(value) < 1e-3 && value !== 0 ? value.toExponential(2).replace("e-", "e−") : String(Number(value.toPrecision(4))).replace("-", "−"));
    const span = (row) => (row.low === null || row.high === null ? "" : `${short(row.low)} to ${short(row.high)}`);
    const when = (text) => { const date = new Date(text); return Number.isNaN(date.getTime()) ? "" : date.toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }); };
    const cells = (tag, ...values) => values.map((value) => (value instanceof Node ? make(tag, {}, value) : make(tag, { textContent: value })));

    function table() {
      const head = make("tr", {}, ...cells("th", "Model", "Metric", "Value", "95 %", "Samples", "Against", "Extractor", "When", ...(owner ? [""] : [])));
      const rows = told.rows.flatMap((row) => {
        const against = row.data ? `${row.data_count.toLocaleString("en")} ${row.data_name}` : "–";
        const more = make("button", { className: "more-of", textContent: row.label.replace("ψ ", "ψ\u00a0"), title: "All that it hangs on" });
        const line = make("tr", { className: "row" }, ...cells("td", row.of === "–" ? "the data" : row.of, more, short(row.value), span(row), row.count.toLocaleString("en"), against, row.extractor, when(row.when), ...(owner ? [row.of_run ? "" : remover(row)] : [])));
        line.dataset.metric = row.metric;
        more.setAttribute("aria-expanded", opened.has(row.id));
        more.addEventListener("click", () => { opened.has(row.id) ? opened.delete(row.id) : opened.add(row.id); draw(); });
        return opened.has(row.id) ? [line, all(row)] : [line];
      });
      const more = told.total > told.rows.length ? [make("p", { className: "quiet", textContent: `The newest ${told.rows.length} of ${told.total}; the CSV has all.` })] : [];
      return [make("div", { className: "wide-table" }, make("table", { className: "rows" }, make("thead", {}, head), make("tbody", {}, ...rows))), ...more];
    }

    function remover(row) {
      const made = make("button", { className: "remove", textContent: sure === row.id ? "remove?" : "×", title: "Remove" });
      made.setAttribute("aria-label", `Remove ${row.label} of ${row.of}`);
      made.addEventListener("click", async () => {
        if (sure !== row.id) { sure = row.id; return draw(); }
        sure = null;
        if (await ask("remove", { id: row.id })) refresh();
      });
      return made;
    }

    /* All that a number hangs on, and its drawing where it has one. */
    function all(row) {
      const facts = [
        ["model", row.model.slice(0, 16)], ["data", row.data.slice(0, 16)], ["pictures", `${row.resolution}²`], ["ψ", row.psi], ["cutoff", row.cutoff ?? "all"], ["seed", row.seed],
        ...Object.entries(row.settings).map(([key, value]) => [key.replaceAll("_", " "), typeof value === "object" ? JSON.stringify(value) : String(value)]), ["took", explorer.duration(row.sec)], ["measured", row.of_run ? "while it was trained" : ""],
      ].filter(([, value]) => value !== "");
      const cell = make("td", { colSpan: 9 }, make("dl", {}, ...facts.map(([name, value]) => make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: value })))));
      if (row.detail) detail(row.id, cell);
      return make("tr", { className: "all-of" }, cell);
    }
    const details = new Map();
    async function detail(id, into) {
      if (!details.has(id)) {
        const answer = await ask("detail", { id });
        if (!answer) return;
        details.set(id, answer);
      }
      into.append(...explorer.measuredDetail(details.get(id)));
    }

    /* Models below each other, and a column for what may be compared: the same metric under the same conditions. */
    function compare() {
      const columns = new Map(), names = [...new Set(told.rows.filter((row) => row.psi === 1).map((row) => row.of))].filter((name) => name !== "–");
      for (const row of told.rows) {
        if (row.of === "–" || row.psi !== 1 || row.settings.mixed) continue; // of the data alone, or a point of a chart
        if (!columns.has(row.conditions)) columns.set(row.conditions, { row, of: new Map() });
        const { of } = columns.get(row.conditions);
        if (!of.has(row.of)) of.set(row.of, row); // the newest
      }
      const listed = [...columns.values()].sort((a, b) => b.of.size - a.of.size || a.row.title.localeCompare(b.row.title));
      const higher = (metric) => ["precision", "recall", "overlap"].includes(metric);
      const best = ({ row, of }) => { // none where the best is shared
        const values = [...of.values()].map((one) => one.value), top = higher(row.metric) ? Math.max(...values) : Math.min(...values);
        return values.length > 1 && values.filter((value) => value === top).length === 1 ? top : null;
      };
      const heads = listed.map(({ row }) => make("div", { title: `${row.extractor}; data ${row.data.slice(0, 8) || "none"}; seed ${row.seed}` }, make("b", { textContent: row.label }),
        make("small", { textContent: row.extractor }), make("small", { textContent: `${row.count.toLocaleString("en")} samples${row.data ? `, ${row.data_count.toLocaleString("en")} ${row.data_name}` : ""}` })));
      const body = names.map((name) => {
        const line = make("tr", {}, make("th", { textContent: name }));
        for (const column of listed) {
          const row = column.of.get(name), cell = make("td", { textContent: row ? short(row.value) : "" });
          if (row) { cell.title = span(row); cell.classList.toggle("best", best(column) === row.value); }
          line.append(cell);
        }
        return line;
      });
      return [make("div", { className: "wide-table" }, make("table", { className: "compared" }, make("thead", {}, make("tr", {}, make("th"), ...cells("th", ...heads))), make("tbody", {}, ...body))),
        make("p", { className: "quiet", textContent: "A column holds what may be compared: one metric with one extractor, count and data. The best of it is bold." })];
    }

    function charts() {
      const newest = new Map();
      for (const row of told.rows) if (row.detail && !newest.has(row.of + row.label)) newest.set(row.of + row.label, row);
      const drawn = [...newest.values()].map((row) => {
        const box = make("section", { className: "drawn" }, make("h3", { textContent: `${row.label}: ${row.of}` }), make("p", { className: "quiet", textContent: `${short(row.value)}; ${row.count.toLocaleString("en")} samples${row.data ? `, ${row.data_count.toLocaleString("en")} pictures of ${row.data_name}` : ""}; ${row.extractor}` }));
        detail(row.id, box);
        return box;
      });
      const curves = explorer.measuredCurves(told.charts);
      const none = make("p", { className: "quiet none", textContent: "Two snapshots of a run, the price of ψ, mixed latents, attributes and separability make charts." });
      return curves.length + drawn.length ? [...curves, ...drawn] : [none];
    }

    async function download() {
      const answer = await ask("csv", filter());
      if (!answer) return;
      const link = make("a", { href: URL.createObjectURL(new Blob([answer.csv], { type: "text/csv" })), download: "measurements.csv" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }
    file.addEventListener("change", async () => {
      const [given] = file.files;
      file.value = "";
      if (!given) return;
      const uri = await new Promise((done) => { const reader = new FileReader(); reader.onload = () => done(reader.result); reader.readAsDataURL(given); });
      const answer = await ask("read_in", { file: uri.slice(uri.indexOf(",") + 1) });
      if (!answer) return;
      notice(answer.words, true);
      refresh();
    });

    /* What goes on now, and whether the table has become another. */
    async function look() {
      if (asking) return;
      asking = true;
      const now = await ask("now");
      asking = false;
      if (!now) return;
      const running = now.state === "running", interrupted = now.state === "interrupted";
      form.busy(running);
      work.hidden = !running && !interrupted && now.state !== "failed";
      stop.hidden = bar.hidden = !running;
      on.hidden = drop.hidden = !interrupted;
      phase.textContent = running ? now.phase : interrupted ? `The app ended while it measured: ${now.phase}.` : now.error;
      phase.classList.toggle("wrong", now.state === "failed");
      left.textContent = running ? [`${Math.floor(100 * now.share)} %`, now.left_sec === null ? "" : `${explorer.duration(now.left_sec)} left`].filter(Boolean).join(", ") : "";
      bar.value = now.share;
      if (now.kept !== kept) { kept = now.kept; refresh(); }
    }
    async function open() {
      if (!owner) return refresh();
      ask("offered").then((answer) => answer && form.offer(answer));
      look();
    }
    if (owner) setInterval(() => { if (element.offsetParent) look(); }, POLL_MS);
    let seen = false;
    new ResizeObserver(() => { const is = Boolean(element.offsetParent); if (is && !seen) open(); seen = is; }).observe(element);
  };
})();
