"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const root = document.documentElement;

  // Dark or light: the system's choice until somebody makes another.
  one("#theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("cellbench-theme", root.dataset.theme); } catch { /* not kept, from disk in some browsers */ }
  });

  // Leaderboards: a click on a heading sorts, missing values last; figures start with the largest.
  for (const button of all(".board thead button")) {
    button.addEventListener("click", () => {
      const head = button.closest("th"), table = button.closest("table"), body = table.tBodies[0];
      const figures = head.classList.contains("num");
      const first = figures ? "descending" : "ascending", second = figures ? "ascending" : "descending";
      const order = head.getAttribute("aria-sort") === first ? second : first;
      for (const other of all("th[aria-sort]", table)) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", order);
      const value = (row) => row.cells[head.cellIndex].dataset.value;
      const compare = (a, b) => figures ? a - b : a.localeCompare(b, undefined, { numeric: true });
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        return x === "" || y === "" ? (x === "") - (y === "") : sign * compare(x, y);
      });
      body.append(...rows);
    });
  }

  const inputs = ["#filter", "#family", "#device"].map(one);
  const rows = all(".board tbody tr");
  const filter = () => {
    const [words, family, device] = inputs.map((input) => input.value.trim().toLowerCase());
    let n = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const fits = words.split(/\s+/).every((word) => text.includes(word))
        && (!family || row.dataset.family === family) && (!device || row.dataset.device === device);
      row.classList.toggle("filtered", !fits);
      n += fits;
    }
    one("#count").value = n === rows.length ? `${n} rows` : `${n} of ${rows.length} rows`;
  };
  for (const input of inputs) input.addEventListener("input", filter);
  filter();

  for (const chip of all("[data-only]")) {
    chip.addEventListener("click", () => {
      for (const other of all("[data-only]")) other.setAttribute("aria-pressed", other === chip);
      for (const part of all("[data-dataset]")) {
        part.hidden = Boolean(chip.dataset.only) && part.dataset.dataset !== chip.dataset.only;
      }
    });
  }

  const walk = (event, items, at) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || !items.length) return null;
    event.preventDefault();
    return items[(items.indexOf(at) + step + items.length + (at ? 0 : step < 0)) % items.length];
  };
  for (const shelf of all("[data-roving]")) {
    const cells = all("img", shelf);
    const enlarge = (cell) => { for (const other of cells) other.classList.toggle("at", other === cell); };
    shelf.addEventListener("keydown", (event) => {
      const next = walk(event, cells, cells.find((cell) => cell.classList.contains("at")));
      if (next) enlarge(next);
      if (event.key === "Escape") enlarge(null);
    });
    shelf.addEventListener("blur", () => enlarge(null));
  }

  // Charts: colours that are not a method's become those of the page, so that they follow dark and light.
  const inks = { "#000000": "ink", "#5E5E5E": "soft", "#E2E2E2": "grid", "#FFFFFF": "paper", "#08519C": "heat", "#FEFEFE": "on-heat" };
  const source = one("#charts")?.textContent.replace(/"(#[0-9A-F]{6})"/g, (text, hue) => hue in inks ? `"var(--${inks[hue]})"` : text);
  const { charts, datasets, config } = source ? JSON.parse(source) : { charts: [] };
  const SCALE = 1.35; // of a point of print, so that letters are as large as those around them
  const views = new Map();
  const draw = async (place) => {
    const narrow = root.clientWidth < 640;
    if (place.dataset.narrow === String(narrow)) return;
    place.dataset.narrow = narrow;
    const spec = { ...charts[place.dataset.chart][narrow ? "narrow" : "wide"], datasets, config, background: "transparent" };
    const options = { renderer: "svg", actions: false, ast: true, tooltip: { theme: "custom", disableDefaultStyle: true } };
    views.get(place)?.finalize();
    views.set(place, await vegaEmbed(place, spec, options));
    const svg = place.querySelector("svg");
    svg.style.width = `${SCALE * svg.viewBox.baseVal.width}px`;
  };
  const places = all("[data-chart]");
  const drawAll = async () => {
    for (const place of places) {
      await draw(place);
      await new Promise((then) => setTimeout(then)); // the page stays awake between two charts
    }
    root.dataset.drawn = "";
  };
  drawAll();
  let later;
  addEventListener("resize", () => { clearTimeout(later); later = setTimeout(drawAll, 200); });

  for (const button of all("[data-copy]")) {
    button.addEventListener("click", async () => {
      const text = one(`#${button.dataset.copy}`).textContent.trim().replace(/\n\s*\n/g, "\n\n");
      try {
        await navigator.clipboard.writeText(text);
      } catch { // from disk some browsers have no clipboard
        const area = Object.assign(document.createElement("textarea"), { value: text });
        document.body.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
      }
      const before = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = before; }, 1500);
    });
  }

  // Where the reader is.
  const links = new Map(all("nav a").map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.classList.remove("here");
      links.get(entry.target.id)?.classList.add("here");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const id of links.keys()) seen.observe(document.getElementById(id));

  addEventListener("beforeprint", () => { for (const part of all("details:not(.long)")) part.open = true; });
})();
