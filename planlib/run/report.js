"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const charts = read("chart-data");
  const tables = read("table-data");

  // Charts. Vega gets its data from this page only: the loader refuses every address.
  const refuse = () => Promise.reject(new Error("this report loads nothing"));
  const loader = { load: refuse, sanitize: refuse, http: refuse, file: refuse };
  const drawn = new Map();

  function draw(plot) {
    const number = Number(plot.dataset.chart);
    if (!drawn.has(number)) {
      const entry = charts.specs[number];
      const datasets = {};
      for (const name of entry.datasets) datasets[name] = charts.datasets[name];
      const options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true, defaultStyle: false, loader };
      const done = vegaEmbed(plot, { ...entry.spec, datasets }, options).then(
        () => {
          const svg = plot.querySelector("svg");
          svg.setAttribute("role", "img");
          svg.setAttribute("aria-label", plot.dataset.alt);
          plot.classList.add("drawn");
        },
        (fault) => {
          plot.textContent = "This chart could not be drawn; the tables hold the same numbers.";
          throw fault;
        },
      );
      drawn.set(number, done);
    }
    return drawn.get(number);
  }

  const plots = Array.from(document.querySelectorAll("[data-chart]"));
  window.drawAll = () => Promise.all(plots.map(draw)).then((all) => all.length);
  const near = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) {
          near.unobserve(entry.target);
          draw(entry.target);
        }
      }
    },
    { rootMargin: "600px" },
  );
  plots.forEach((plot) => near.observe(plot));

  // Paper shows everything: all charts, and what is folded away on the screen.
  window.addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll("details:not([open])")) {
      fold.open = true;
      fold.dataset.folded = "";
    }
    window.drawAll();
  });
  window.addEventListener("afterprint", () => {
    for (const fold of document.querySelectorAll("details[data-folded]")) {
      fold.open = false;
      delete fold.dataset.folded;
    }
  });

  // Downloads.
  function save(name, blob) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  const csv = (parts) => new Blob(["\ufeff", ...parts], { type: "text/csv;charset=utf-8" });

  async function unpack(id) {
    const text = atob(document.getElementById(id).textContent.trim());
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  }

  for (const button of document.querySelectorAll("[data-table]")) {
    const table = tables[button.dataset.table];
    button.addEventListener("click", () => save(table.file, csv([table.csv])));
  }
  for (const button of document.querySelectorAll("[data-plan]")) {
    button.addEventListener("click", async () => save(button.dataset.file, csv([await unpack(button.dataset.plan)])));
  }

  // On a narrow screen the contents start folded; a tap on a chapter folds them again.
  const contents = document.getElementById("contents");
  const narrow = window.matchMedia("(max-width: 64rem)");
  const fold = () => { contents.open = !narrow.matches; };
  narrow.addEventListener("change", fold);
  contents.addEventListener("click", (event) => { if (narrow.matches && event.target.closest("a")) contents.open = false; });
  fold();

  // The contents show where the reader is.
  const links = new Map(Array.from(contents.querySelectorAll("a"), (link) => [link.hash.slice(1), link]));
  const here = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) {
          links.forEach((link) => link.removeAttribute("aria-current"));
          links.get(entry.target.id)?.setAttribute("aria-current", "true");
        }
      }
    },
    { rootMargin: "-10% 0px -80% 0px" },
  );
  links.forEach((_, id) => { const target = document.getElementById(id); if (target) here.observe(target); });
})();
