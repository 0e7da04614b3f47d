/* One upright slider per layer of the model, as on an equaliser. Its value in the answers is a list, a number a layer. */
(() => {
  const explorer = window.explorer;

  explorer.layers = (element, props) => {
    const row = element.querySelector(".bars"), { name, what } = row.dataset;
    explorer.onAnswer(({ values }) => {
      const value = values[name];
      if (!value) return;
      while (row.children.length > value.length) row.lastChild.remove();
      value.forEach((bar, layer) => {
        const label = row.children[layer] ?? made(layer), input = label.querySelector("input");
        if (document.activeElement !== input || explorer.idle()) input.value = bar.value;
        label.querySelector("output").textContent = Number(bar.value).toFixed(2).replace("-", "−");
        label.querySelector("span").textContent = `${bar.size}²`;
        label.classList.toggle("own", bar.own === true);
        input.setAttribute("aria-label", `${what}, layer ${layer} at ${bar.size}²`);
      });
    });

    function made(layer) {
      const label = document.createElement("label");
      const { min, max, step } = row.dataset;
      const input = Object.assign(document.createElement("input"), { type: "range", min, max, step });
      input.addEventListener("input", () => explorer.edit(name, [layer, Number(input.value)], `/${layer}`));
      label.append(document.createElement("output"), input, document.createElement("span"));
      row.append(label);
      return label;
    }
  };
})();
