/* The Train tab: the list of runs, which of them are looked at, following one, and asking the server. */
(() => {
  const explorer = window.explorer;
  const POLL_MS = 1500;
  const WORDS = {
    queued: "waits", preparing: "prepares", training: "trains", stopping: "stops", finished: "finished", stopped: "stopped", failed: "ended early",
    new: "not begun", unreadable: "unreadable",
  };

  /* 3725 → "1 h 02 min", as the command line says it. */
  explorer.duration = (seconds) => {
    const minutes = Math.floor(seconds / 60);
    if (minutes >= 2880) return `${Math.floor(minutes / 1440)} d ${Math.floor(minutes / 60) % 24} h`;
    if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
    return minutes ? `${minutes} min` : `${Math.floor(seconds)} s`;
  };

  explorer.training = (element, server, upload) => {
    const { make } = explorer;
    const find = (selector) => element.querySelector(selector);
    const list = find(".list"), create = find(".new"), sections = { form: find(".new-run"), run: find(".run") };
    let runs = [], chosen = [], adding = false, asking = false; // chosen: names; adding: the form is open

    /* Ask the server; what goes wrong is said where the hand is, and null comes back. */
    async function ask(name, data = {}, say = notice) {
      const answer = await explorer.ask(server, name, data);
      if (answer.error) say(answer.error);
      return answer.error ? null : answer;
    }

    const note = make("p", { className: "notice" });
    note.setAttribute("role", "alert");
    find(".runs").append(note);
    let clearing = 0;
    function notice(text) {
      note.textContent = text;
      clearTimeout(clearing);
      clearing = setTimeout(() => (note.textContent = ""), 8000);
    }

    const parts = {
      ask, notice, upload, server,
      run: (name) => runs.find((run) => run.name === name),
      choose(names) { chosen = names; adding = false; draw(); },
      add(form) { adding = true; chosen = []; draw(); view.form.open(form); },
      /* The form for a run like `name`, from one of its snapshots where one is given. */
      async branch(name, snapshot = "") {
        const answer = await ask("form_of", { name, snapshot });
        if (answer) parts.add(answer.form);
      },
      look, state: (run) => WORDS[run.state] ?? run.state,
    };
    const view = { form: explorer.trainingForm(sections.form, parts), run: explorer.trainingRun(sections.run, parts) };

    function draw() {
      sections.form.hidden = !adding;
      sections.run.hidden = adding || !chosen.length;
      create.classList.toggle("here", adding);
      list.replaceChildren(...runs.map(row));
      if (!adding && chosen.length) view.run.show(chosen.map(parts.run).filter(Boolean));
    }

    function row(run) {
      const here = chosen.includes(run.name), total = run.total_kimg;
      const line = run.state === "training" && run.remaining_sec !== null ? `${explorer.duration(run.remaining_sec)} left` : parts.state(run);
      const name = make("button", { className: "name", title: run.words },
        make("b", { textContent: run.name }),
        make("span", { textContent: [line, `${explorer.kimg(run.kimg)}${total && run.state !== "finished" ? ` of ${explorer.kimg(total)}` : ""} kimg`].join(" · ") }),
        make("i", { className: "bar" }));
      name.setAttribute("aria-label", `${run.name}: ${line}`);
      name.querySelector("i").style.setProperty("--done", total ? Math.min(1, run.kimg / total) : 0);
      name.addEventListener("click", (event) => parts.choose(event.ctrlKey || event.metaKey ? toggled(run.name) : [run.name]));
      const tick = make("input", { type: "checkbox", checked: here, title: "Compare" });
      tick.setAttribute("aria-label", `Compare ${run.name}`);
      tick.addEventListener("change", () => parts.choose(toggled(run.name)));
      const made = make("div", { className: `one ${run.state}${here ? " here" : ""}` }, tick, name);
      made.setAttribute("role", "listitem");
      made.dataset.run = run.name;
      made.dataset.state = run.state;
      return made;
    }

    const toggled = (name) => (chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name].slice(-6));

    /* What there is now; a request on its way is not asked a second time. */
    async function look() {
      if (asking) return;
      asking = true;
      const answer = await ask("runs_now");
      asking = false;
      if (!answer) return;
      runs = answer.runs;
      chosen = chosen.filter((name) => parts.run(name));
      if (!chosen.length && !adding) {
        if (runs.length) chosen = [(runs.find((run) => ["training", "preparing", "stopping"].includes(run.state)) ?? runs[0]).name];
        else { parts.add(); return; }
      }
      if (!list.contains(document.activeElement) || list.children.length !== runs.length) draw();
      else view.run.show(chosen.map(parts.run).filter(Boolean));
    }

    create.addEventListener("click", () => parts.add());
    setInterval(() => { if (element.offsetParent) look(); }, POLL_MS);
    new ResizeObserver(() => element.offsetParent && look()).observe(element);
    look();
  };
})();
