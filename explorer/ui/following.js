/* Snapshots on the stage: `explorer.snapshots.open` shows one, `.follow` a run, whose newest is drawn as it comes, until
   another model is chosen. A followed run is known to this tab of the browser, also after a reload. */
(() => {
  const explorer = window.explorer;
  const POLL_MS = 1500, KEY = "explorer.follow";

  explorer.following = (element, trigger, props, server, watch) => {
    const button = element.querySelector("button"), listeners = [];
    let followed = null, asked = null, given = null, goes = false, busy = false; // asked: its snapshot that was asked for; given: the model shown for it

    function mark(snapshot) {
      button.hidden = followed === null;
      button.textContent = followed === null ? "" : `following ${followed}${snapshot ? `, ${explorer.kimg(Number(snapshot))} kimg` : ""} ×`;
      for (const listener of listeners) listener();
    }

    function follow(name, leads = false) {
      followed = name;
      asked = given = null;
      goes = leads;
      if (name === null) sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, name);
      mark();
      look();
    }

    async function look() {
      if (followed === null || busy || !explorer.answered) return; // before the first picture, the page's own would come after it
      const name = followed;
      busy = true;
      const answer = await server.newest({ name }).catch(() => null);
      busy = false;
      if (name !== followed || !answer) return;
      if (answer.error) return follow(null); // it is gone
      if (!answer.snapshot || answer.snapshot === asked) return;
      asked = answer.snapshot;
      trigger("open", { run: name, snapshot: asked, goes });
      goes = false;
    }

    watch("value", () => {
      const told = props.value;
      if (!told?.digest) return;
      if (told.run === followed && told.snapshot === asked) { given = told.digest; mark(told.snapshot); }
      if (told.recipe) explorer.load(told.recipe);
      else explorer.edit("model", told.digest);
      if (told.goes) [...document.querySelectorAll("button[role=tab]")].find((tab) => tab.textContent.trim() === "Explore")?.click();
    });
    explorer.onAnswer(() => {
      if (followed !== null && given !== null && explorer.value("model") !== given) follow(null); // another was chosen
      else if (asked === null) look();
    });
    button.addEventListener("click", () => follow(null));
    explorer.snapshots = {
      follow,
      followed: () => followed,
      /* Show a snapshot: with the recipe on screen, or with another one (JSON), which has to be of it. */
      open: (run, snapshot, recipe = null) => trigger("open", { run, snapshot, recipe, goes: true }),
      onFollow: (listener) => listeners.push(listener),
    };
    setInterval(look, POLL_MS);
    const kept = sessionStorage.getItem(KEY);
    if (kept) follow(kept);
    else mark();
  };
})();
