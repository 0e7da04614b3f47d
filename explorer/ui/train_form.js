/* The form for a new run: data with a look at them, the settings that matter, all others in a fold, an estimate. */
(() => {
  const explorer = window.explorer;
  const CALM_MS = 250, AT_ONCE = 4; // uploads side by side
  const DATA = { portraits: "Portraits", upload: "Upload", folder: "Folder or zip here" };

  explorer.trainingForm = (section, parts) => {
    const { make } = explorer;
    let offered = null, upload = "", source = "portraits", looks = 0, timer = 0, sights = 0, unseen = false; // unseen: the data have changed since they were looked at
    const fields = {}; // name → input, of the form itself
    const settings = {}; // name → input, of the options

    const labelled = (text, input, hint = "") => {
      const label = make("label", { className: "field" }, make("span", { textContent: text }), input);
      if (hint) label.title = hint;
      input.setAttribute("aria-label", text); // the label's own text would hold all choices
      return label;
    };
    const number = (name, attributes = {}) => (fields[name] = make("input", { type: "number", step: "any", ...attributes }));
    const select = (name, options) => {
      const made = (fields[name] = make("select"));
      made.append(...options.map(([value, text]) => make("option", { value, textContent: text })));
      return made;
    };
    const value = (input) => {
      if (input.value === "") return null;
      if (input.dataset.kind === "flag") return input.value === "true";
      return input.type === "number" ? Number(input.value) : input.value;
    };

    /* What the server is asked with: only what was filled in. */
    function form() {
      const given = Object.entries(settings).map(([name, input]) => [name, value(input)]).filter(([, entry]) => entry !== null);
      const own = Object.entries(fields).map(([name, input]) => [name, input.type === "checkbox" ? input.checked : value(input)]);
      return { ...Object.fromEntries(own), resolution: Number(fields.resolution.value), data: source, upload, settings: Object.fromEntries(given) };
    }

    const told = make("p", { className: "wrong" }), sight = make("div", { className: "sight" }), estimate = make("p", { className: "estimate" });
    told.setAttribute("role", "alert");
    estimate.setAttribute("aria-live", "polite");
    const go = make("button", { className: "primary", textContent: "Begin training" });
    const measure = make("button", { textContent: "Estimate time and memory" });
    const work = explorer.work(parts.server, estimated);
    let measuring = false;

    function build() {
      const kinds = make("div", { className: "kinds" });
      kinds.setAttribute("role", "radiogroup");
      kinds.setAttribute("aria-label", "Data");
      kinds.append(...offered.data.map((kind) => {
        const button = make("button", { textContent: DATA[kind], onclick: () => { source = kind; changed(true); } });
        button.setAttribute("role", "radio");
        button.dataset.kind = kind;
        return button;
      }));
      const file = make("input", { type: "file", multiple: true, accept: "image/*,.zip", hidden: true });
      file.setAttribute("aria-label", "Images or a zip");
      const drop = make("button", { className: "drop accepts-files", textContent: "Choose images or a zip, or drop them here", onclick: () => file.click() });
      file.addEventListener("change", () => { take([...file.files]); file.value = ""; });
      for (const kind of ["dragover", "drop"]) drop.addEventListener(kind, (event) => { event.preventDefault(); if (kind === "drop") take([...event.dataTransfer.files]); });
      fields.folder = make("input", { type: "text", placeholder: "/home/me/photos", spellcheck: false });
      fields.labels = make("input", { type: "checkbox", checked: true });
      const data = make("div", { className: "data" },
        make("div", { className: "part portraits" }, labelled("How many", number("count", { min: 1, placeholder: offered.portraits }), "They are rendered before training begins, and kept for other runs")),
        make("div", { className: "part upload" }, drop, file),
        make("div", { className: "part folder" }, labelled("Path on this machine", fields.folder)),
        make("div", { className: "part upload folder" }, labelled("Subfolders are classes", fields.labels)));
      const main = make("div", { className: "main" },
        labelled("Resolution", select("resolution", offered.resolutions.map((side) => [side, `${side}²`])), "Pixels per side of the finished model"),
        labelled("Preset", select("preset", offered.presets.map((name) => [name, name === "small" ? "small (laptop)" : `${name.toUpperCase()} (paper)`])), "Networks and schedule: small, or the paper's configurations B to F"),
        labelled("Length, kimg", number("kimg", { min: 0 }), "Thousands of images shown before the run ends"),
        option(offered.groups.flatMap((group) => group.options).find((one) => one.name === "minibatch"), "Minibatch"),
        option(offered.groups.flatMap((group) => group.options).find((one) => one.name === "mirror"), "Mirror"),
        labelled("Seed", number("seed", { min: 0, placeholder: 0 }), "Of the weights and of all draws"),
        labelled("Begin from", select("begin", []), "The networks of a model with its discriminator, or of any snapshot of an earlier run"),
        labelled("Name", (fields.name = make("input", { type: "text", maxLength: 60, placeholder: "after its data" }))));
      const fold = make("details", { className: "all" }, make("summary", { textContent: "All settings" }),
        make("p", { className: "quiet", textContent: "Empty fields keep what they show: the values of the preset, which for B to F are the paper's." }),
        ...offered.groups.map((group) => make("fieldset", {}, make("legend", { textContent: group.title }),
          ...group.options.filter((one) => !settings[one.name]).map((one) => option(one)))),
        make("fieldset", {}, make("legend", { textContent: "Snapshots" }),
          labelled("snapshot_kimg", number("snapshot_kimg", { min: 0, placeholder: "every 1/50" }), "Between two snapshots with their samples"),
          labelled("Measure each", measures(), "Against the pictures trained on, by features of EfficientNet-Lite0; it takes time at every snapshot"),
          labelled("Samples measured", (settings.metrics_count = make("input", { type: "number", step: 1, min: 2 })), "And as many pictures of the data: distances of fewer are larger, so compare runs with as many")));
      section.replaceChildren(
        make("div", { className: "left" }, make("h3", { textContent: "Data" }), kinds, data, make("h3", { textContent: "Run" }), main, fold, told,
          make("div", { className: "acts-row" }, go, measure), estimate),
        sight);
      fields.preset.value = "small";
      fields.resolution.value = "64";
      section.addEventListener("input", (event) => {
        const start = event.target === fields.begin && offered.starts.find((one) => one.key === fields.begin.value);
        if (start?.resolution) fields.resolution.value = String(start.resolution);
        changed([fields.folder, fields.count, fields.resolution].includes(event.target) || Boolean(start));
      });
      go.addEventListener("click", begin);
      measure.addEventListener("click", () => (measuring ? work.cancel() : work.run({ form: form() })));
    }

    /* Which metrics of each snapshot. */
    function measures() {
      const input = (settings.metrics = make("select"));
      input.append(...[["", ""], ["fid", "Fréchet distance"], ["fid,kid,pr", "and KID, precision, recall"], ["fid,kid,pr,ppl", "and path length"]]
        .map(([value, textContent]) => make("option", { value, textContent })));
      return input;
    }

    /* A field of an option; empty, it shows the preset's value. */
    function option(one, text = one.name) {
      let input;
      if (one.kind === "flag" || one.kind === "choice") {
        input = make("select");
        const choices = one.kind === "flag" ? [["true", "yes"], ["false", "no"]] : one.choices.map((choice) => [choice, choice]);
        input.append(make("option", { value: "", textContent: "as the preset" }), ...choices.map(([entry, words]) => make("option", { value: entry, textContent: words })));
        input.dataset.kind = one.kind;
      } else input = make("input", { type: "number", step: "any", min: one.low, max: one.high });
      settings[one.name] = input;
      return labelled(text, input, one.help);
    }

    function marks(values) {
      const words = (entry) => (entry === true ? "yes" : entry === false ? "no" : entry === null || entry === undefined ? "all" : String(entry) || "no");
      for (const [name, input] of Object.entries(settings)) {
        if (input.tagName === "SELECT") input.options[0].textContent = `${words(values[name])} (preset)`;
        else { input.placeholder = words(values[name]); input.parentNode.classList.toggle("table", words(values[name]).includes(",")); }
      }
      fields.kimg.placeholder = String(values.kimg);
    }

    function changed(data = false) {
      for (const button of section.querySelectorAll(".kinds button")) button.setAttribute("aria-checked", button.dataset.kind === source);
      for (const part of section.querySelectorAll(".part")) part.hidden = !part.classList.contains(source);
      clearTimeout(timer);
      unseen ||= data;
      timer = setTimeout(check, CALM_MS);
      if (!measuring) estimate.textContent = "";
    }

    async function check() {
      const mine = ++looks, answer = await parts.ask("values", { form: form() }, say);
      if (mine !== looks || !answer) return;
      marks(answer.values);
      say(answer.wrong);
      if (unseen) see();
    }

    const say = (text) => { told.textContent = text; };

    /* What the network will see. */
    async function see() {
      unseen = false;
      const mine = ++sights, ready = source === "portraits" || (source === "upload" ? upload : fields.folder.value.trim());
      if (!ready) return sight.replaceChildren();
      sight.classList.add("stale");
      if (!sight.children.length) sight.replaceChildren(make("h3", { textContent: "What the network will see" }), make("p", { className: "waiting", textContent: "Looking at the pictures …" }));
      const answer = await parts.ask("look", { form: form() }, (text) => { if (mine === sights) sight.replaceChildren(make("p", { className: "wrong", textContent: text })); });
      if (mine !== sights) return;
      sight.classList.remove("stale");
      if (!answer) return;
      sight.replaceChildren(make("h3", { textContent: "What the network will see" }), make("img", { src: answer.image, alt: "The first pictures, cropped and resized" }),
        make("p", { className: "quiet", textContent: answer.words }), ...answer.warnings.map((text) => make("p", { className: "warning", textContent: text })));
    }

    async function take(files) {
      if (!files.length) return;
      const button = section.querySelector(".drop"), queue = [...files.entries()], done = [];
      upload = "";
      say("");
      try {
        await Promise.all(Array.from({ length: AT_ONCE }, async () => {
          for (let next = queue.shift(); next; next = queue.shift()) {
            const { path } = await parts.upload(next[1]);
            done.push({ path, name: next[1].webkitRelativePath || next[1].name });
            button.textContent = `Uploading: ${done.length} of ${files.length}`;
          }
        }));
      } catch (error) {
        button.textContent = "Choose images or a zip, or drop them here";
        return say("The upload broke off: a file is too large, or the app does not answer.");
      }
      const answer = await parts.ask("uploaded", { files: done }, say);
      button.textContent = answer ? `${answer.words}: choose others` : "Choose images or a zip, or drop them here";
      upload = answer?.upload ?? "";
      see();
    }

    async function begin() {
      go.disabled = true;
      say("");
      const answer = await parts.ask("begin", { form: form() }, say);
      go.disabled = false;
      if (!answer) return;
      fields.name.value = "";
      parts.choose([answer.name]);
      parts.look();
    }

    const size = (mib) => (mib < 1024 ? `${Math.round(mib)} MiB` : `${Number((mib / 1024).toPrecision(3))} GiB`);

    function estimated(status) {
      measuring = status.state === "running";
      measure.textContent = measuring ? "Stop measuring" : "Estimate time and memory";
      const { found, free_mib: free, disk_mib: disk, free_disk_mib: room, metrics_sec: measuringSec } = status.record ?? {};
      if (measuring) estimate.textContent = `Measuring a few real steps: ${Math.round(100 * status.share)} %`;
      else if (status.error) estimate.textContent = status.error;
      else if (!found) estimate.textContent = "";
      else {
        const inferred = Object.keys(found.images_per_sec).filter((side) => !found.measured.includes(Number(side)));
        const { generator, discriminator } = found.parameters;
        const words = [
          `About ${explorer.duration(found.seconds + measuringSec)} on this machine${measuringSec ? `, ${explorer.duration(measuringSec)} of them to measure snapshots` : ""}`,
          `${size(found.memory_mib)} of memory${free ? ` (${size(free)} free)` : ""}`,
          `${size(disk)} on disk${room ? ` (${size(room)} free)` : ""}`,
          `${explorer.short(generator)} + ${explorer.short(discriminator)} weights`,
        ];
        const speeds = Object.entries(found.images_per_sec).map(([side, speed]) => `${side}² ${explorer.short(speed)}`).join(", ");
        estimate.textContent = `${words.join(" · ")}. Images a second: ${speeds}${inferred.length ? ` (${inferred.map((side) => `${side}²`).join(", ")} inferred)` : ""}.`;
        if (free && found.memory_mib > free) estimate.textContent += " That is more memory than is free: give a smaller minibatch, microbatch or fmap_max.";
        if (room && disk > room) estimate.textContent += " That is more than the disk has left: let snapshots come less often (snapshot_kimg).";
      }
    }

    /* The choices of what to begin from; `chosen` is one of them, even if it is gone: the server says so. */
    function offer(chosen) {
      const option = (value, textContent) => make("option", { value, textContent });
      const groups = Map.groupBy(offered.starts, (start) => start.group);
      fields.begin.replaceChildren(option("", "nothing"), ...[...groups].map(([label, starts]) => make("optgroup", { label },
        ...starts.map((start) => option(start.key, label === "Models" ? start.words : `${label}, ${start.words}`)))));
      if (chosen && !offered.starts.some((start) => start.key === chosen)) fields.begin.append(option(chosen, `${chosen.replace(/^\w+:/, "")} (gone)`));
      fields.begin.value = chosen;
    }

    function fill(given) {
      source = given.data;
      upload = given.upload ?? "";
      for (const [name, input] of Object.entries(fields)) {
        if (input.type === "checkbox") input.checked = given[name] !== false;
        else if (name in given) input.value = given[name] ?? "";
      }
      for (const [name, input] of Object.entries(settings)) {
        const entry = String(given.settings[name] ?? "");
        if (input.tagName === "SELECT" && ![...input.options].some((one) => one.value === entry)) input.append(make("option", { value: entry, textContent: entry }));
        input.value = entry;
      }
      section.querySelector("details.all").open = Object.keys(given.settings).some((name) => !["minibatch", "mirror"].includes(name));
      if (given.uploaded) section.querySelector(".drop").textContent = `${given.uploaded}: choose others`;
    }

    return {
      /* Show the form, filled in like an earlier run's where `given` says how. */
      async open(given) {
        const answer = await parts.ask("choices");
        if (!answer) return;
        const before = offered ? fields.begin.value : "";
        if (!offered) { offered = answer; build(); }
        offered.starts = answer.starts;
        offer(given ? given.begin : answer.starts.some((start) => start.key === before) ? before : "");
        if (given) fill(given);
        changed(true);
      },
    };
  };
})();
