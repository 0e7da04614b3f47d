/* The directions of the model on screen, for all parts of the Directions tab. */
(() => {
  const explorer = window.explorer;
  const readers = [];
  let version = 0, now = null;

  /* Calls `reader(list)` when the directions of the model on screen are known, and whenever they are others. */
  explorer.onDirections = (reader) => { readers.push(reader); if (now) reader(now); };
  explorer.directionsChanged = () => { version += 1; explorer.onDirections.again?.(); };
  /* Directions by digest, with what people are told of them. */
  explorer.direction = (digest) => now?.find((one) => one.digest === digest);
  /* `name` as people read it, with a number behind it where there is such a direction already. */
  explorer.freeName = (name) => {
    const taken = new Set((now ?? []).map((one) => explorer.spoken(one.name))), wanted = explorer.spoken(name).slice(0, 60);
    let number = 1, free = wanted;
    while (taken.has(free)) free = `${wanted} ${(number += 1)}`;
    return free;
  };

  explorer.listDirections = (element, trigger, props, watch) => {
    let asked = null;
    explorer.onDirections.again = () => {
      const wanted = `${explorer.value("model")} ${version}`;
      if (!explorer.present || !element.offsetParent || asked === wanted) return;
      asked = wanted;
      trigger("again");
    };
    watch("value", () => {
      if (!props.value || props.value.model !== explorer.value("model")) return;
      now = props.value.directions;
      for (const reader of readers) reader(now);
    });
    explorer.onAnswer(explorer.onDirections.again);
    new ResizeObserver(explorer.onDirections.again).observe(element); // the tab has been opened
    explorer.onDirections.again();
  };
})();
