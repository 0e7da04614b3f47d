/* The cards of the Models tab. What a file says of itself is set as text, never as HTML. */
(() => {
  const explorer = window.explorer;

  explorer.cards = (element, props, watch) => {
    const list = element.querySelector(".cards");

    function show(cards) {
      list.replaceChildren(...(cards || []).map((card) => {
        const box = document.createElement("article");
        box.dataset.digest = card.digest;
        const line = (tag, text) => text && box.append(Object.assign(document.createElement(tag), { textContent: text }));
        line("h2", card.name);
        line("p", card.about);
        line("small", card.facts);
        line("small", card.licence);
        const use = Object.assign(document.createElement("button"), { type: "button", textContent: "Show" });
        use.addEventListener("click", () => explorer.edit("model", card.digest));
        box.append(use);
        return box;
      }));
      mark();
    }

    function mark() {
      const digest = explorer.value("model");
      for (const box of list.children) box.classList.toggle("here", box.dataset.digest === digest);
    }

    watch("value", () => show(props.value));
    explorer.onAnswer(mark);
    show(props.value);
  };
})();
