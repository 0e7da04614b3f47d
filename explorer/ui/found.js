/* Directions that were found: numbers, the picture moved along each, the two ends of the samples, a name, Keep. */
(() => {
  const explorer = window.explorer, { make } = explorer;
  const percent = (x) => `${(100 * x).toFixed(x > 0.995 || x < 0.1 ? 1 : 0)} %`;
  const CALM_MS = 300; // a drag is over after this long
  const TITLES = {
    accuracy: "Share of samples kept out of the fit that lie on the right side",
    AUC: "Area under the ROC curve on samples kept out: 1 is perfect, 0.5 is chance",
    "2^H": "Separability: 1 is perfect, 2 is no better than chance",
    "R²": "Share of the score's variance that ridge regression explains on samples kept out",
  };

  explorer.asking = (server, name, data = {}) => explorer.ask(server, name, { visitor: explorer.visitor, recipe: explorer.present, ...data });

  function table(one) {
    const rows = [["W", one.w], ["Z", one.z]].filter(([, fit]) => fit);
    const explained = rows.some(([, fit]) => fit.r2 !== null);
    const heads = ["accuracy", "AUC", "2^H", ...(explained ? ["R²"] : [])];
    const cells = ({ accuracy, auc, separability, r2 }) => [percent(accuracy), auc.toFixed(3), separability.toFixed(2), ...(explained ? [r2 === null ? "" : r2.toFixed(2)] : [])];
    return make("table", {},
      make("tr", {}, make("th", { textContent: "held out" }), ...heads.map((head) => make("th", { textContent: head, title: TITLES[head] }))),
      ...rows.map(([space, fit]) => make("tr", {}, make("th", { textContent: `in ${space}` }), ...cells(fit).map((text) => make("td", { textContent: text })))));
  }

  const said = (one) => one.method === "labels" ? `${one.positives} have it, ${one.negatives} have not`
    : one.share !== null ? `${percent(one.share)} of the ${one.method === "pca" ? "variance of W" : "change of these styles"}`
    : `${one.samples.toLocaleString("en")} samples; ${one.negatives.toLocaleString("en")} at the low end, ${one.positives.toLocaleString("en")} at the high end, ${one.held_out.toLocaleString("en")} of them held out`;

  /* Cards of directions in `box`. `keep(digest, name)` asks for one to be kept; call `kept` of what is returned when it is. */
  explorer.foundList = (box, server, trigger) => {
    let cards = new Map(), queue = Promise.resolve(), timer = 0;
    const near = new IntersectionObserver((entries) => {
      entries.forEach(({ isIntersecting, target }) => (target.near = isIntersecting));
      refresh();
    }, { rootMargin: "200px" });

    /* Cards in sight that show another picture than the one on screen are drawn again, one at a time. */
    function refresh() {
      for (const card of cards.values()) {
        if (!card.near || card.asked || card.recipe === explorer.present || card.model !== explorer.value("model")) continue;
        card.asked = true;
        queue = queue.then(() => look(card)).finally(() => (card.asked = false));
      }
    }

    async function look(card) {
      await explorer.quiet();
      if (!card.isConnected || !card.near || card.model !== explorer.value("model")) return;
      const recipe = explorer.present;
      const answer = await explorer.asking(server, "look", { recipe, digest: card.digest });
      if (answer.error) { card.recipe = recipe; return explorer.error(answer.error); }
      if (!answer.strip) return;
      card.strip.src = answer.strip;
      card.ends.src = answer.ends;
      card.recipe = recipe;
      card.classList.add("looked");
      if (recipe !== explorer.present) calm();
    }

    function calm() { clearTimeout(timer); timer = setTimeout(refresh, CALM_MS); }
    explorer.onAnswer(calm);

    function card(one, name) {
      const field = make("input", { type: "text", maxLength: 64, value: name ?? explorer.freeName(one.name), placeholder: "name it" });
      field.setAttribute("aria-label", "Name of the direction");
      const button = make("button", { type: "button", textContent: "Keep", title: "Make it a slider under Steer" });
      const note = make("span", { className: "told" });
      note.setAttribute("aria-live", "polite");
      const keep = () => trigger("keep", { recipe: explorer.present, digest: one.digest, name: field.value });
      button.addEventListener("click", keep);
      field.addEventListener("keydown", (event) => event.key === "Enter" && keep());
      const strip = make("img", { alt: "The picture moved by −3 to 3 standard deviations" }), ends = make("img", { alt: "Samples that have it least, and samples that have it most" });
      const made = make("article", { className: "card" },
        make("div", { className: "head" }, field, button, note),
        make("div", { className: "facts" }, ...(one.w ? [table(one)] : []), make("p", { className: "quiet", textContent: said(one) })),
        make("div", { className: "scale" }, ...["−3σ", "−2", "−1", "picture", "+1", "+2", "+3σ"].map((text) => make("span", { textContent: text }))),
        strip, ends, make("div", { className: "scale two" }, make("span", { textContent: "samples that have it least" }), make("span", { textContent: "samples that have it most" })));
      return Object.assign(made, { digest: one.digest, model: explorer.value("model"), recipe: null, field, note, strip, ends });
    }

    return {
      show(found, name) {
        near.disconnect();
        cards = new Map(found.map((one) => [one.digest, card(one, name)]));
        box.replaceChildren(...cards.values());
        cards.forEach((one) => near.observe(one));
      },
      kept({ kept, name }) {
        const one = cards.get(kept);
        if (one) {
          one.field.value = explorer.spoken(name);
          const go = make("button", { type: "button", className: "link", textContent: "steer along it ›" });
          go.addEventListener("click", () => [...document.querySelectorAll(".parts [role=tab]")].find((tab) => tab.textContent.trim() === "Steer")?.click());
          one.note.replaceChildren("Kept: ", go);
        }
        explorer.directionsChanged();
      },
      names: () => cards.values().next().value?.field,
    };
  };

  /* One of several buttons is pressed; `set` is called with its value. */
  explorer.segments = (box, choices, value, set) => {
    const choose = (key) => { value = key; mark(); set(key); };
    const mark = () => [...box.children].forEach((one) => one.setAttribute("aria-pressed", one.value === value));
    box.replaceChildren(...choices.map(([title, key, disabled]) => {
      const one = make("button", { type: "button", textContent: title, value: key, disabled: disabled === true });
      one.addEventListener("click", () => choose(key));
      return one;
    }));
    mark();
    return choose;
  };
})();
