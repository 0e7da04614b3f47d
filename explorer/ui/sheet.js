/* Contact sheets. A sheet's value is {columns, cells: [{recipe, caption, image?}]}: cells without an image are rendered
   on the server, a strip of them at a time and never before the picture on the stage. Cells that stay the same are kept. */
(() => {
  const explorer = window.explorer;
  const STRIP = 8; // cells in one request
  const GAP_PX = 4, LEAST_PX = 72, MOST_PX = 136, HEAD_PX = 190; // a cell with its gap; what is above the sheet
  const FULL_ROWS = [3, 4, 6, 8, 12]; // columns that divide 24

  explorer.sheet = (element, trigger, props, server, watch) => {
    const grid = element.querySelector(".cells");
    const loads = grid.hasAttribute("data-loads");
    let version = 0, columns = 1;

    /* Columns: as told, or (0) the fewest with which all cells are in sight, and no cell is too small or too large. */
    function fit() {
      const width = grid.clientWidth + GAP_PX, cell = (n) => width / n;
      const all = FULL_ROWS.filter((n) => cell(n) >= LEAST_PX && cell(n) <= MOST_PX);
      const seen = all.find((n) => Math.ceil(grid.children.length / n) * cell(n) <= innerHeight - HEAD_PX);
      grid.style.setProperty("--columns", columns || seen || all.at(-1) || Math.max(2, Math.ceil(width / MOST_PX)));
    }

    function cellAt(index) {
      while (grid.children.length <= index) {
        const button = Object.assign(document.createElement("button"), { type: "button", className: "cell" });
        button.append(document.createElement("canvas"), document.createElement("span"));
        grid.append(button);
      }
      return grid.children[index];
    }

    async function show(value) {
      const mine = ++version, cells = value?.cells ?? [];
      columns = value?.columns ?? 1;
      while (grid.children.length > cells.length) grid.lastChild.remove();
      const missing = [];
      cells.forEach((cell, index) => {
        const button = cellAt(index), caption = cell.caption ?? "";
        button.lastChild.textContent = cell.short ?? caption;
        button.title = caption;
        button.setAttribute("aria-label", caption);
        button.dataset.index = index;
        button.classList.toggle("here", cell.here === true);
        button.classList.toggle("named", cell.named === true);
        button.classList.toggle("gap", !cell.image && !cell.recipe);
        if ((cell.image || cell.recipe) && button.dataset.drawn !== (cell.image ?? cell.recipe)) missing.push([button, cell]);
        button.dataset.recipe = cell.recipe ?? "";
      });
      fit();
      mark();
      const given = missing.filter(([, cell]) => cell.image), asked = missing.filter(([, cell]) => !cell.image);
      await Promise.all(given.map(([button, cell]) => draw([[button, cell]], cell.image)));
      for (let start = 0; start < asked.length && mine === version; start += STRIP) {
        await explorer.quiet();
        const some = asked.slice(start, start + STRIP);
        const data = { visitor: `${explorer.visitor}/${element.id}`, recipes: some.map(([, cell]) => cell.recipe) };
        const answer = await explorer.ask(server, "strip", data);
        if (answer.error) return explorer.error(answer.error);
        if (answer.image && mine === version) await draw(some, answer.image);
      }
    }

    async function draw(some, uri) {
      const strip = await createImageBitmap(await (await fetch(uri)).blob());
      const size = strip.height;
      some.forEach(([button, cell], index) => {
        const canvas = button.firstChild;
        canvas.width = canvas.height = size;
        canvas.getContext("2d").drawImage(strip, index * size, 0, size, size, 0, 0, size, size);
        button.dataset.drawn = cell.image ?? cell.recipe;
      });
    }

    function mark() {
      if (loads) for (const button of grid.children) button.classList.toggle("present", button.dataset.recipe === explorer.present);
      const here = grid.querySelector(".here");
      if (here && grid.scrollWidth > grid.clientWidth) grid.scrollLeft = here.offsetLeft - grid.clientWidth / 2;
    }

    grid.addEventListener("click", (event) => {
      const cell = event.target.closest(".cell");
      if (!cell) return;
      if (loads) explorer.load(cell.dataset.recipe);
      trigger("pick", { index: Number(cell.dataset.index), recipe: cell.dataset.recipe });
    });
    new ResizeObserver(fit).observe(grid);
    watch("value", () => show(props.value));
    explorer.onAnswer(mark);
    if (props.value) show(props.value);
  };
})();
