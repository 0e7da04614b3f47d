/* The Film tab's right half: a preview of a few frames to scrub, the job that makes the file, and the film itself. */
(() => {
  const explorer = window.explorer;
  const CALM_MS = 250; // after this long without a change a preview is asked for

  explorer.filmView = (element, server, { film, ask, say, kind, enough }) => {
    const find = (selector) => element.querySelector(selector);
    const screen = find(".screen"), canvas = find(".screen canvas"), scrub = find(".scrub"), time = find(".time"), play = find("[data-act=play]");
    const job = find(".job"), bar = find(".job progress"), told = find(".job .told"), save = find(".job .save"), made = find(".made"), facts = find(".facts");
    let preview = null, asked = null, busy = false, again = false, timer = 0, playing = !matchMedia("(prefers-reduced-motion)").matches, began = 0;
    let ran = null, hushed = false; // the preview stopped for the film that is shown, and goes on when there is another one

    function changed() {
      clearTimeout(timer);
      timer = setTimeout(look, CALM_MS);
    }

    /* Latest wins: while one preview is on its way, newer wishes only mark that another is due. */
    async function look() {
      if (!element.offsetParent || !explorer.present) return;
      screen.classList.toggle("bare", !enough());
      screen.classList.toggle("pixels", explorer.pixels);
      if (!enough()) { preview = null; asked = null; time.textContent = facts.textContent = ""; return; }
      if (busy) { again = true; return; }
      const wish = film(), key = JSON.stringify(wish);
      if (key === asked) return;
      busy = true;
      const other = key !== ran; // than the film that was made last, which is shown or told of
      if (other) made.replaceChildren();
      if (other && !job.classList.contains("on")) job.classList.remove("done");
      screen.classList.add("waiting");
      await explorer.quiet();
      const answer = await ask("preview", wish);
      busy = false;
      screen.classList.remove("waiting");
      asked = answer ? key : null;
      if (answer) {
        say("");
        const strip = await createImageBitmap(await (await fetch(answer.image)).blob());
        preview = { ...answer, strip, seconds: answer.total / answer.fps, width: strip.width / answer.frames.length };
        began = performance.now();
        if (other && hushed) [playing, hushed] = [true, false];
        facts.textContent = `${preview.total} frames of ${preview.size.join(" × ")} pixels; the preview has ${preview.frames.length}`;
        show(0);
        tick();
      }
      if (again) { again = false; changed(); }
    }

    /* The frame at `at` seconds: the last one of the preview that is not later. */
    function show(at) {
      if (!preview) return;
      const frame = at * preview.fps, later = preview.frames.findIndex((number) => number > frame + 1e-6);
      const index = (later < 0 ? preview.frames.length : Math.max(later, 1)) - 1;
      if (preview.index !== index || canvas.width !== preview.width) {
        canvas.width = preview.width;
        canvas.height = preview.strip.height;
        canvas.getContext("2d").drawImage(preview.strip, index * preview.width, 0, preview.width, preview.strip.height, 0, 0, preview.width, preview.strip.height);
        preview.index = index;
      }
      scrub.value = at / preview.seconds;
      time.textContent = `${at.toFixed(1)} of ${Number(preview.seconds.toFixed(2))} s`;
    }

    let ticking = false;
    function tick() {
      if (ticking) return;
      ticking = true;
      const step = (now) => {
        if (!playing || !preview || !element.offsetParent) { ticking = false; return; }
        show(((now - began) / 1000) % preview.seconds);
        requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
      play.textContent = playing ? "❚❚" : "▶";
    }

    function hold(on) {
      playing = on;
      if (on) hushed = false;
      play.textContent = on ? "❚❚" : "▶";
      if (on && preview) { began = performance.now() - 1000 * Number(scrub.value) * preview.seconds; tick(); }
    }

    scrub.addEventListener("input", () => { hold(false); made.replaceChildren(); if (preview) show(Number(scrub.value) * preview.seconds * 0.99999); });
    new ResizeObserver(() => { changed(); tick(); }).observe(element);

    const work = explorer.work(server, (status) => {
      const record = status.record, running = status.state === "running";
      job.classList.toggle("on", running);
      job.classList.toggle("done", status.state === "done");
      bar.value = status.share ?? 0;
      if (running) told.textContent = record ? `${record.stage}, ${explorer.progress(`${Math.round(100 * status.share)} %`, "100 %", status.left_sec)}`.replace(" of 100 %", "") : "starting";
      else told.textContent = { done: "", cancelled: "Cancelled; nothing was kept.", failed: "" }[status.state] ?? "";
      if (status.state === "done" && record) ready(record.url);
      if (status.error) say(status.error);
      if (status.state === "cancelled") job.classList.add("done");
      save.hidden = status.state !== "done";
    });

    function ready(url) {
      const suffix = url.slice(url.lastIndexOf(".") + 1);
      Object.assign(save, { href: url, download: `film.${suffix}`, hidden: false, textContent: `Save film.${suffix}` });
      told.textContent = "Ready.";
      if (suffix === "zip") return save.click();
      const shown = suffix === "mp4" ? Object.assign(document.createElement("video"), { controls: true, loop: true, autoplay: true, muted: true, playsInline: true, src: url })
        : Object.assign(document.createElement("img"), { alt: "The film", src: url });
      screen.classList.toggle("pixels", explorer.pixels);
      hushed ||= playing;
      hold(false);
      made.replaceChildren(shown);
    }

    return {
      changed,
      acts: {
        play: () => { made.replaceChildren(); hold(!playing); },
        make() {
          say("");
          if (!enough()) return say("A film leads from key to key: give at least two key pictures.");
          ran = JSON.stringify(film());
          work.run({ ...film(), format: element.querySelector("[name=format]").value });
        },
        cancel: () => work.cancel(),
        show: () => preview && explorer.load(preview.recipes[preview.index ?? 0]),
      },
    };
  };
})();
