/* What the tabs with figures share: following the picture, long work, and the random seeds of dice. */
(() => {
  const explorer = window.explorer;
  const CALM_MS = 300, POLL_MS = 200;

  explorer.dice = () => Math.floor(Math.random() * 100000);

  const looks = [];
  /* Something that keys of followers are made of has changed without a new picture. */
  explorer.look = () => looks.forEach((look) => look());

  /* Calls `again` when `key()` is another one than last time, the picture rests, and `element` is looked at. */
  explorer.follow = (element, again, key) => {
    let done = null, timer = 0;
    async function look() {
      await explorer.quiet();
      if (!element.offsetParent || !explorer.present || done === key()) return;
      done = key();
      again();
    }
    explorer.onAnswer(() => { clearTimeout(timer); timer = setTimeout(look, CALM_MS); });
    new ResizeObserver(look).observe(element); // its tab has been opened
    looks.push(look);
  };

  /* Long work of a component with the server functions start, poll and cancel. `show` gets each status. */
  explorer.work = (server, show) => {
    let version = 0;
    const me = { visitor: explorer.visitor };
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    const ask = (name, data) => explorer.ask(server, name, data);
    const ended = (status) => status.state !== "running";
    return {
      async run(data) {
        const mine = ++version;
        show({ state: "running", share: 0, record: null });
        let status = await ask("start", { ...me, ...data });
        while (mine === version && !status.error) {
          await wait(POLL_MS);
          status = await ask("poll", me);
          if (mine !== version) return;
          if (!status.error) show(status);
          if (ended(status)) break;
        }
        if (mine === version && status.error) { explorer.error(status.error); show({ state: "failed", share: 0, record: null }); }
      },
      cancel: () => ask("cancel", me),
    };
  };

  /* "12 of 20, 3 s left" */
  explorer.progress = (done, total, left) => `${done} of ${total}${left > 1 ? `, ${Math.ceil(left)} s left` : ""}`;
})();
