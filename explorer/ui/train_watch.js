/* One run, or several side by side: numbers, what can be done, curves, settings, the log; samples are in train_panes. */
(() => {
  const explorer = window.explorer;
  const BUSY = ["queued", "preparing", "training", "stopping"];

  explorer.trainingRun = (section, parts) => {
    const { make } = explorer;
    let shown = [], scale = localStorage.getItem("explorer.curves") || "linear", drawn = "", rows = "", sure = null;
    const head = make("div", { className: "run-head" }), words = make("p", { className: "run-words" });
    words.setAttribute("role", "status");
    const numbers = make("p", { className: "numbers" }), bar = make("i", { className: "bar" });
    const host = make("div", { className: "curves" }), empty = make("p", { className: "quiet", textContent: "Curves come with the first steps." });
    const linear = make("button", { textContent: "kimg", onclick: () => rescale("linear") });
    const log = make("button", { textContent: "log kimg", onclick: () => rescale("log") });
    const draw = explorer.charts(host);
    const samples = make("div", { className: "samples" });
    const settings = make("details", { className: "settings" }, make("summary", { textContent: "Settings" }), make("table"));
    const text = make("pre", { tabIndex: 0 });
    const logs = make("details", { className: "log" }, make("summary", { textContent: "Log" }), text);
    const scales = make("div", { className: "scales" }, linear, log);
    const both = make("div", { className: "both" }, make("div", { className: "graphs" }, make("div", { className: "title" }, make("h3", { textContent: "Curves" }), scales), empty, host), samples);
    section.append(head, bar, numbers, words, both, settings, logs);
    const panes = explorer.trainingPanes(samples, parts, (many) => both.classList.toggle("across", many));
    settings.addEventListener("toggle", () => { rows = ""; table(); });
    logs.addEventListener("toggle", tail);

    function rescale(to) {
      scale = to;
      localStorage.setItem("explorer.curves", to);
      drawn = "";
      curves();
    }

    /* Buttons of one run. */
    function acts(run) {
      const button = (label, act, title = "") => make("button", { textContent: label, title, onclick: act });
      const done = async (name, data = {}) => { if (await parts.ask(name, { name: run.name, ...data })) parts.look(); };
      const again = button("Duplicate", () => parts.branch(run.name), "A new run with the same settings, to be changed");
      if (run.state === "stopping") return [again];
      if (BUSY.includes(run.state)) return [button("Stop", () => done("stop"), "It stores its state and can be resumed"), again];
      const remove = button(sure === run.name ? "Really delete?" : "Delete…", async () => {
        if (sure === run.name) { sure = null; return done("remove"); }
        const answer = await parts.ask("size", { name: run.name });
        sure = run.name;
        parts.notice(`Delete ${run.name} with its ${run.snapshots.length} snapshots, ${answer?.mib ?? "?"} MiB? Once more, then.`);
        setTimeout(() => { if (sure === run.name) { sure = null; parts.look(); } }, 8000);
        header();
      });
      if (run.state === "unreadable") return [remove];
      const resume = run.state === "finished" ? button("Train longer", () => longer(run), "Go on, to a larger kimg") : button("Resume", () => done("resume"));
      return [resume, again, remove];
    }

    function longer(run) {
      const input = make("input", { type: "number", min: run.total_kimg, value: run.total_kimg * 2 });
      input.setAttribute("aria-label", "Until, kimg");
      const send = async () => { if (await parts.ask("resume", { name: run.name, kimg: Number(input.value) })) { typing = false; parts.look(); } };
      typing = true;
      head.querySelector(".acts").replaceChildren(make("span", { textContent: "until kimg" }), input,
        make("button", { textContent: "Go on", onclick: send }), make("button", { textContent: "×", title: "Leave it", onclick: () => { typing = false; header(); } }));
      input.focus();
      input.select();
    }
    let typing = false, last = "", seen = "";

    function header() {
      const [run] = shown, many = shown.length > 1;
      const key = JSON.stringify([shown.map((one) => [one.name, one.state]), sure]);
      if (typing || (key === last && !head.contains(document.activeElement) && head.children.length)) return;
      if (key === last) return;
      last = key;
      head.replaceChildren(...(many
        ? shown.map((one, i) => { const made = make("h2", { textContent: one.name }); made.style.setProperty("--colour", explorer.charts.colours[i % 6]); made.className = "coloured"; return made; })
        : [make("h2", { textContent: run.name }), make("span", { className: `pill ${run.state}`, textContent: parts.state(run) }), make("div", { className: "acts" }, ...acts(run))]));
    }

    function facts(run) {
      const fade = run.lod !== null && run.lod % 1 ? ` (${Math.round(100 * (1 - (run.lod % 1)))} % in)` : "";
      const size = run.size && run.size !== run.resolution ? `${run.size}²${fade} of ${run.resolution}²` : run.resolution ? `${run.resolution}²${fade}` : "";
      return [
        run.total_kimg ? `${explorer.kimg(run.kimg)} of ${explorer.kimg(run.total_kimg)} kimg` : "", size,
        run.images_per_sec && BUSY.includes(run.state) ? `${explorer.short(run.images_per_sec)} images/s` : "",
        run.remaining_sec !== null ? `${explorer.duration(run.remaining_sec)} left` : "",
        run.sec ? `${explorer.duration(run.sec)} trained` : "", run.data,
        run.memory_mib && BUSY.includes(run.state) ? `${Math.round(run.memory_mib).toLocaleString("en")} MiB` : "",
      ].filter(Boolean).join(" · ");
    }

    async function curves() {
      linear.setAttribute("aria-pressed", scale === "linear");
      log.setAttribute("aria-pressed", scale === "log");
      const key = JSON.stringify([scale, shown.map((run) => [run.name, run.events])]);
      if (key === drawn) return;
      drawn = key;
      const names = shown.map((run) => run.name);
      host.classList.toggle("stale", names.join() !== seen); // what is drawn is of other runs
      const answer = await parts.ask("run_curves", { names, scale });
      if (!answer || drawn !== key) return;
      const some = answer.runs.filter((run) => Object.keys(run.curves).length);
      seen = names.join();
      host.classList.remove("stale");
      empty.hidden = some.length > 0;
      draw(answer.runs, scale);
    }

    async function table() {
      const key = JSON.stringify(shown.map((run) => [run.name, run.total_kimg]));
      if (!(settings.open || shown.length > 1) || key === rows) return;
      rows = key;
      const answer = await parts.ask("run_settings", { names: shown.map((run) => run.name) });
      if (!answer || rows !== key) return;
      const cells = (tag, values) => make("tr", {}, ...values.map((value) => make(tag, { textContent: value })));
      settings.querySelector("table").replaceChildren(
        ...(shown.length > 1 ? [cells("th", ["", ...shown.map((run) => run.name)])] : []), ...answer.rows.map((row) => cells("td", row)));
      settings.querySelector("summary").textContent = shown.length > 1 ? `Settings that differ (${answer.rows.length})` : "Settings";
    }

    async function tail() {
      if (!logs.open || shown.length !== 1) return;
      const answer = await parts.ask("log", { name: shown[0].name }), end = text.scrollTop + text.clientHeight >= text.scrollHeight - 8;
      if (!answer || text.textContent === answer.log) return;
      text.textContent = answer.log;
      if (end) text.scrollTop = text.scrollHeight;
    }

    return {
      /* Show these runs as they are now. */
      show(runs) {
        if (!runs.length) return;
        if (runs.map((run) => run.name).join() !== shown.map((run) => run.name).join()) { typing = false; sure = null; if (runs.length > 1) settings.open = true; }
        shown = runs;
        header();
        const [run] = runs, many = runs.length > 1;
        bar.style.setProperty("--done", run.total_kimg ? Math.min(1, run.kimg / run.total_kimg) : 0);
        bar.hidden = logs.hidden = many;
        numbers.textContent = many ? "" : facts(run);
        words.textContent = many ? runs.map((one) => `${one.name}: ${facts(one)}`).join("\n") : run.words;
        words.classList.toggle("bad", !many && ["failed", "unreadable"].includes(run.state));
        curves();
        panes.show(runs);
        table();
        tail();
      },
    };
  };
})();
