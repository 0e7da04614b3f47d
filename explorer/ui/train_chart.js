/* Curves as small SVG charts: a line through the means, a band from the least to the largest value, both from the server.
   A pointer over one chart reads all of them at the same kimg. */
(() => {
  const explorer = window.explorer;
  const HEIGHT = 132, LEFT = 46, RIGHT = 8, TOP = 8, BOTTOM = 18;
  const blank = document.createElement("template");
  blank.innerHTML = "<svg></svg>";
  const NS = blank.content.firstChild.namespaceURI;
  const DOTS = 60; // so many measurements are marked one by one
  const DECADES = 100; // a positive quantity that spans more than this factor is drawn by its logarithm, where allowed
  const COLOURS = ["var(--color-accent)", "#c2703d", "#7a68b3", "#4f8a3f", "#b5486b", "#8a7a2e"];

  const svg = (name, attributes, parent, text) => {
    const made = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent?.append(made);
    return made;
  };

  const short = (value) => {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const size = Math.abs(value);
    if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
    if (size >= 10000) return `${Number((value / 1000).toPrecision(3))} k`;
    if (size !== 0 && size < 0.001) return value.toExponential(1).replace("e-", "e−");
    return String(Number(value.toPrecision(3)));
  };

  /* Round numbers inside [low, high], `count` of them or a few more; powers of ten and their thirds where `log`. */
  function ticks(low, high, count, log) {
    if (log) {
      const all = [];
      for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1)
        for (const factor of [1, 3]) all.push(factor * 10 ** power);
      const inside = all.filter((value) => value >= low && value <= high);
      const tens = inside.filter((value) => String(value.toExponential(0)).startsWith("1"));
      const some = inside.length > count + 1 ? tens : inside;
      return some.filter((_, i) => i % Math.ceil(some.length / (count + 1) || 1) === 0);
    }
    const raw = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(raw));
    const step = [5, 2, 1].find((factor) => factor * power <= raw) * power;
    const found = [];
    for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) found.push(Math.abs(value) < step / 1e6 ? 0 : value);
    return found;
  }

  /* One chart. `series`: [{name, colour, dash, curve: {kimg, mean, low, high}}]. */
  function chart(title, { logY = false, dots = false, format = short } = {}) {
    const box = document.createElement("figure"), head = document.createElement("figcaption");
    const drawing = svg("svg", { role: "img", "aria-label": title }, null);
    box.className = "curve";
    box.append(head, drawing);
    let series = [], scale = "linear", span = [0, 1], x = () => 0, y = () => 0;

    function legend(at) {
      const name = Object.assign(document.createElement("b"), { textContent: title });
      const value = (one) => format(one.curve.mean[at === null ? one.curve.mean.length - 1 : nearest(one.curve.kimg, at)]);
      const dashes = series.some((one) => one.dash); // then colours are runs, each with two lines: "G / D"
      if (dashes) name.textContent = `${title}: ${series[0].name} ─, ${series.find((one) => one.dash).name} ┄`;
      head.replaceChildren(name, ...series.filter((one) => !one.dash).map((one) => {
        const item = document.createElement("span"), pair = dashes ? series.filter((other) => other.colour === one.colour) : [one];
        item.style.setProperty("--colour", one.colour);
        item.textContent = `${one.name && !dashes ? `${one.name} ` : ""}${pair.map(value).join(" / ")}`;
        return item;
      }));
    }

    const nearest = (values, at) => values.reduce((best, value, i) => (Math.abs(value - at) < Math.abs(values[best] - at) ? i : best), 0);

    function draw() {
      const width = box.clientWidth;
      if (!width || !series.length) return;
      drawing.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
      drawing.replaceChildren();
      const means = series.flatMap((one) => one.curve.mean), highs = series.flatMap((one) => one.curve.high), lows = series.flatMap((one) => one.curve.low);
      let low = Math.min(...means), high = Math.max(...means);
      const log = logY && low > 0 && high / low > DECADES;
      const room = (high - low) * 0.4; // single extremes beyond this are cut off rather than flatten the rest
      if (!log) [low, high] = [Math.max(Math.min(...lows), low - room), Math.min(Math.max(...highs), high + room)];
      const level = high === low ? low : null; // nothing ever changed: only that value is marked
      if (high === low) [low, high] = log ? [low / 2, high * 2] : [low - (Math.abs(low) * 0.1 || 0.5), high + (Math.abs(high) * 0.1 || 0.5)];
      const logX = scale === "log", [first, last] = span;
      const begin = logX ? Math.max(first, last / 1e6, 1e-3) : first, end = last > begin ? last : begin + 1e-3;
      const place = (value, a, b, by) => (by ? Math.log(Math.max(value, a) / a) / Math.log(b / a) : (value - a) / (b - a));
      x = (value) => LEFT + (width - LEFT - RIGHT) * Math.min(1, Math.max(0, place(value, begin, end, logX)));
      y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(1, Math.max(0, place(value, low, high, log))));
      for (const value of level === null ? ticks(low, high, 2, log) : [level]) {
        svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value), class: "rule" }, drawing);
        svg("text", { x: LEFT - 6, y: y(value) + 3.5, "text-anchor": "end" }, drawing, format(value));
      }
      const across = ticks(begin, end, Math.max(2, Math.floor(width / 140)), logX);
      for (const value of across) svg("text", { x: Math.min(x(value), width - RIGHT - 8), y: HEIGHT - 4, "text-anchor": "middle" }, drawing, short(value));
      for (const one of series) {
        const points = one.curve.kimg.map((kimg, i) => [x(kimg), i]);
        const up = points.map(([px, i]) => `${px},${y(one.curve.high[i])}`), down = points.map(([px, i]) => `${px},${y(one.curve.low[i])}`);
        svg("polygon", { points: [...up, ...down.reverse()].join(" "), class: "band", style: `fill:${one.colour}` }, drawing);
        if (points.length === 1 || (dots && points.length < DOTS)) for (const [cx, i] of points) svg("circle", { cx, cy: y(one.curve.mean[i]), r: points.length === 1 ? 2.5 : 1.8, style: `fill:${one.colour}` }, drawing);
        svg("polyline", {
          points: points.map(([px, i]) => `${px},${y(one.curve.mean[i])}`).join(" "), class: one.dash ? "line dash" : "line", style: `stroke:${one.colour}`,
        }, drawing);
      }
      svg("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" }, drawing);
    }

    const made = {
      box,
      show(given, by, whole) { series = given; scale = by; span = whole; legend(null); draw(); },
      /* The same place in every chart; null: none. */
      point(at) {
        const cursor = drawing.querySelector(".cursor");
        if (!cursor) return;
        cursor.setAttribute("visibility", at === null ? "hidden" : "visible");
        if (at !== null) { cursor.setAttribute("x1", x(at)); cursor.setAttribute("x2", x(at)); }
        legend(at);
      },
      at(clientX) {
        const width = box.clientWidth, logX = scale === "log", [first, last] = span;
        const begin = logX ? Math.max(first, last / 1e6, 1e-3) : first;
        const share = Math.min(1, Math.max(0, (clientX - drawing.getBoundingClientRect().left - LEFT) / (width - LEFT - RIGHT)));
        return logX ? begin * (last / begin) ** share : begin + (last - begin) * share;
      },
    };
    new ResizeObserver(draw).observe(box);
    return made;
  }

  const CHARTS = [ // title, [quantity, what it is called there], options
    ["Losses", [["generator_loss", "G"], ["discriminator_loss", "D"]]],
    ["Scores", [["real_score", "real"], ["fake_score", "fake"]]],
    ["Penalty (R1)", [["penalty", ""]], { logY: true }],
    ["Level of detail (lod)", [["lod", ""]]],
    ["Learning rate", [["learning_rate", ""]]],
    ["Images a second", [["images_per_sec", ""]]],
  ];
  const MEASURED = { frechet: "Fréchet distance", kid: "KID", precision: "Precision", recall: "Recall" }; // of snapshots
  const NOT_DRAWN = ["resolution", "minibatch", "peak_memory_mib"];

  /* Charts of runs in `host`: show([{name, curves}], scale) draws what there is, `at` is told where the pointer is. */
  explorer.charts = (host, at = () => {}) => {
    const made = new Map();
    const of = (title, options) => {
      if (!made.has(title)) made.set(title, chart(title, options));
      return made.get(title);
    };
    host.addEventListener("pointermove", (event) => {
      const over = [...made.values()].find((one) => one.box.contains(event.target));
      const kimg = over ? over.at(event.clientX) : null;
      for (const one of made.values()) one.point(kimg);
      at(kimg);
    });
    host.addEventListener("pointerleave", () => { for (const one of made.values()) one.point(null); at(null); });
    return (runs, scale) => {
      const known = new Set([...CHARTS.flatMap(([, parts]) => parts.map(([name]) => name)), ...NOT_DRAWN]);
      const others = [...new Set(runs.flatMap((run) => Object.keys(run.curves)))].filter((name) => !known.has(name));
      const every = [...CHARTS, ...others.map((name) => [MEASURED[name] ?? name.replaceAll("_", " ").replace(/^ppl/, "Path length"), [[name, ""]], { logY: true, dots: true }])];
      const ends = runs.flatMap((run) => Object.values(run.curves).flatMap((curve) => [curve.kimg[0], curve.kimg.at(-1)]));
      const span = [Math.min(...ends), Math.max(...ends)];
      const shown = [];
      for (const [title, parts, options] of every) {
        const series = runs.flatMap((run, r) => parts.filter(([name]) => run.curves[name]).map(([name, word], p) => ({
          name: word, // which run it is, its colour tells
          colour: COLOURS[(runs.length > 1 ? r : p) % COLOURS.length],
          dash: runs.length > 1 && p > 0,
          curve: run.curves[name],
        })));
        if (!series.length) continue;
        const one = of(title, options);
        shown.push(one.box);
        if (one.box.parentNode !== host) host.append(one.box);
        one.show(series, scale, span);
      }
      for (const box of [...host.children]) if (!shown.includes(box)) box.remove();
    };
  };
  explorer.charts.colours = COLOURS;
  explorer.short = short;
  explorer.kimg = (value) => (value >= 1000 ? Math.round(value).toLocaleString("en") : short(value));
})();
