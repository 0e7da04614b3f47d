/* Drawings of measurements: curves by the Train tab's charts, histograms of samples beside data, bits of attributes. */
(() => {
  const explorer = window.explorer;
  const WIDTH = 150, HEIGHT = 52;
  const blank = document.createElement("template");
  blank.innerHTML = "<svg></svg>";
  const NS = blank.content.firstChild.namespaceURI;

  const svg = (name, attributes, ...children) => {
    const made = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  /* The names of series in their colours; nothing where there is one. */
  function legend(names) {
    const { make } = explorer;
    return make("p", { className: "legend" }, ...names.map((name, i) => {
      const item = make("span", { textContent: name });
      item.style.setProperty("--colour", explorer.charts.colours[i % explorer.charts.colours.length]);
      return item;
    }));
  }

  /* Curves of the server's charts: [{title, note, runs: [{name, curves}]}]. */
  explorer.measuredCurves = (charts) => charts.map(({ kind, title, note, runs }) => {
    const { make } = explorer, host = make("div", { className: "curves" });
    const box = make("section", { className: `drawn ${kind}` }, make("h3", { textContent: title }), make("p", { className: "quiet", textContent: note }), legend(runs.map((run) => run.name)), host);
    const draw = explorer.charts(host);
    draw(runs, "linear");
    return box;
  });

  const edge = (value) => String(Number(value.toPrecision(2))).replace("-", "−");

  /* One attribute: bars of the data, and the samples' outline over them. */
  function histogram({ name, low, high, data, samples, overlap }) {
    const { make } = explorer, top = Math.max(...data, ...samples) || 1, step = WIDTH / data.length;
    const y = (share) => HEIGHT - (HEIGHT - 2) * (share / top);
    const bars = data.map((share, i) => svg("rect", { x: i * step + 0.5, y: y(share), width: step - 1, height: HEIGHT - y(share), class: "data" }));
    const outline = samples.map((share, i) => `${i ? "L" : "M"}${i * step},${y(share)}H${(i + 1) * step}`).join("");
    const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${name}: data and samples` }, ...bars, svg("path", { d: outline, class: "samples" }));
    return make("figure", {}, make("figcaption", {}, make("b", { textContent: name, title: name }), make("span", { textContent: `${Math.round(100 * overlap)} %`, title: "Overlap of the two histograms" })),
      drawing, make("small", {}, make("span", { textContent: edge(low) }), make("span", { textContent: edge(high) })));
  }

  /* What a table has no room for. */
  explorer.measuredDetail = ({ histograms, bits }) => {
    const { make } = explorer, some = bits.filter((one) => one.bits >= 0.005), most = Math.max(...some.map((one) => one.bits), 0.01);
    const key = make("p", { className: "legend" }, make("span", { className: "data", textContent: "data" }), make("span", { className: "samples", textContent: "samples" }), make("i", { textContent: "the least alike first" }));
    const rest = bits.length - some.length, told = rest ? `; ${rest} attribute${rest > 1 ? "s are" : " is"} told without a mistake` : "";
    const bar = (one) => {
      const length = make("i");
      length.style.setProperty("--share", one.bits / most);
      return make("div", {}, make("span", { textContent: one.name, title: one.name }), length, make("output", { textContent: one.bits.toFixed(2) }));
    };
    return [
      ...(histograms.length ? [key, make("div", { className: "histograms" }, ...histograms.map(histogram))] : []),
      ...(bits.length ? [make("p", { className: "quiet", textContent: `Bits that a hyperplane leaves unknown, by attribute${told}` }), make("div", { className: "bits" }, ...some.map(bar))] : []),
    ];
  };
})();
