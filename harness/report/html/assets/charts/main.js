// Which figures there are, when they are drawn, and what makes them be drawn anew.

const KEYS_ID = "harness-chart-keys";
const KEYS =
  "Arrow keys left and right move along the points, up and down between the series; Page Up and " +
  "Page Down leap, Home and End go to the ends, Escape leaves the chart.";
const NEAR_PX = 600;
const SCHEMES = ["data-theme", "data-scheme"];

const page = { theme: null, coarse: matchMedia("(pointer: coarse)").matches, printing: false };
const plots = [];

function begin() {
  const style = document.createElement("style");
  style.textContent = STYLE;
  document.head.append(style);
  const keys = part("p", "", KEYS);
  keys.id = KEYS_ID;
  keys.hidden = true;
  document.body.append(keys);
  page.theme = readTheme();
}

function placeholders() {
  return [...document.querySelectorAll("figure.chart[data-chart]")];
}

function sayEverywhere(sentence) {
  for (const holder of placeholders()) {
    holder.querySelector(".plot").replaceChildren(part("p", "plot-missing", sentence));
  }
}

function makePlots(payload) {
  const cells = cellsOf(payload);
  const links = new Map([...cells.keys()].map((id) => [id, { range: null, plots: [] }]));
  for (const holder of placeholders()) {
    const { chart, cell } = holder.dataset;
    if (!(chart in KINDS) || !cells.has(cell)) continue;
    const plot = new Plot(holder, cells.get(cell), links.get(cell), page);
    attempt(plot, () => plot.prepare());
    plots.push(plot);
  }
}

// A chart that cannot be drawn says so in its place; the others go on.
function attempt(plot, draw) {
  try {
    draw();
  } catch (error) {
    console.error(error);
    plot.say(`This chart could not be drawn (${error.message}). The tables hold the same numbers.`);
  }
}

function drawn(plot) {
  attempt(plot, () => plot.render());
}

function failed(error) {
  console.error(error);
  sayEverywhere(
    `The charts could not be unpacked (${error.message}). The tables hold the same numbers.`,
  );
}

function redraw(which = () => true) {
  for (const plot of plots) if (plot.drawn && which(plot)) drawn(plot);
}

async function draw(which) {
  await loadPlotly();
  for (const plot of plots) if (!plot.drawn && which(plot)) drawn(plot);
}

async function drawAll() {
  await ready;
  await draw(() => true);
}

function drawWhenNear() {
  const near = new IntersectionObserver(
    (entries) => {
      const wanted = entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target);
      if (wanted.length) draw((plot) => wanted.includes(plot.element)).catch(failed);
    },
    { rootMargin: `${NEAR_PX}px 0px` },
  );
  const sized = new ResizeObserver(() => {
    requestAnimationFrame(() => redraw((plot) => !page.printing && plot.resized()));
  });
  for (const { element } of plots) {
    near.observe(element);
    sized.observe(element);
  }
}

function followScheme() {
  const follow = () => {
    const theme = readTheme();
    if (JSON.stringify(theme) === JSON.stringify(page.theme)) return;
    page.theme = theme;
    redraw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", follow);
  matchMedia("print").addEventListener("change", follow);
  new MutationObserver(follow).observe(document.documentElement, { attributeFilter: SCHEMES });
}

// Paper is light and narrower than most screens. What is printed must be drawn before this returns.
function followPrinting() {
  const root = document.documentElement;
  let before = [];
  addEventListener("beforeprint", () => {
    if (!window.Plotly) return;
    before = SCHEMES.map((name) => [name, root.getAttribute(name)]);
    for (const name of SCHEMES) root.setAttribute(name, "light");
    page.printing = true;
    page.theme = readTheme();
    plots.forEach(drawn);
  });
  addEventListener("afterprint", () => {
    if (!page.printing) return;
    for (const [name, value] of before) {
      if (value === null) root.removeAttribute(name);
      else root.setAttribute(name, value);
    }
    page.printing = false;
    page.theme = readTheme();
    redraw();
  });
}

async function start() {
  begin();
  if (!("DecompressionStream" in window)) return sayEverywhere(CANNOT_UNPACK);
  window.harnessReport = reportFrom(await unpack("harness-data"));
  makePlots(window.harnessReport);
  drawWhenNear();
  followScheme();
  followPrinting();
  // Printing waits for nothing, so the library should be there before anybody prints.
  (window.requestIdleCallback ?? setTimeout)(() => loadPlotly().catch(failed));
}

const ready = start();
ready.catch(failed);
window.harnessCharts = { ready, drawAll, plots };
