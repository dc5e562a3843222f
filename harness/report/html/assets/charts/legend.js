// The legend below a chart, in HTML: it wraps, never covers the chart, and each item is a button
// that the keyboard reaches. Colours are the page's properties, so a change of scheme needs nothing.

const SVG = "http://www.w3.org/2000/svg";
const SYMBOL_PATHS = {
  circle: "M11 1.8a4.2 4.2 0 1 0 .01 0z",
  "circle-open": "M11 1.8a4.2 4.2 0 1 0 .01 0z",
  x: "M7 2l8 8M7 10l8-8",
  "x-thin-open": "M7 2l8 8M7 10l8-8",
  "triangle-up": "M11 1.5l4.6 8.5H6.4z",
  "triangle-up-open": "M11 1.5l4.6 8.5H6.4z",
  "diamond-open": "M11 1l4.6 5-4.6 5-4.6-5z",
  diamond: "M11 1l4.6 5-4.6 5-4.6-5z",
};
const DASH_ARRAYS = { solid: "none", dot: "2 3", dash: "6 4", dashdot: "6 3 2 3" };

function svgPart(name, attributes) {
  const part = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
  return part;
}

function symbolPart({ symbol, colour }) {
  const stroked = symbol.startsWith("x") || symbol.endsWith("-open");
  return svgPart("path", {
    d: SYMBOL_PATHS[symbol] ?? SYMBOL_PATHS.circle,
    style: stroked ? `fill:none;stroke:var(--${colour});stroke-width:2` : `fill:var(--${colour})`,
  });
}

function swatchPart(swatch) {
  const style = `fill:var(--${swatch.colour});stroke:none`;
  if (swatch.shape === "symbol") return symbolPart(swatch);
  if (swatch.shape === "bar") return svgPart("rect", { x: 3, y: 1, width: 16, height: 10, style });
  if (swatch.shape === "band") {
    return svgPart("rect", { x: 1, y: 0, width: 20, height: 12, style: `${style};opacity:.22` });
  }
  const stroke = `stroke:var(--${swatch.colour});stroke-width:2;fill:none`;
  const dash = DASH_ARRAYS[swatch.dash ?? "solid"];
  return svgPart("path", { d: "M0 6h22", style: `${stroke};stroke-dasharray:${dash}` });
}

function legendButton(entry, pressed, toggle) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-pressed", String(pressed));
  const picture = svgPart("svg", {
    viewBox: "0 0 22 12",
    width: 22,
    height: 12,
    "aria-hidden": "true",
  });
  picture.append(swatchPart(entry));
  button.append(picture, entry.name);
  button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(shown));
    toggle(entry.name, shown);
  });
  return button;
}

// Made anew only when its words change: a button that was just pressed must keep the focus.
function showLegend(list, entries, hidden, toggle) {
  const words = JSON.stringify(entries);
  if (list.dataset.words === words) return;
  list.dataset.words = words;
  list.replaceChildren(
    ...entries.map((entry) => {
      const place = document.createElement("li");
      place.append(legendButton(entry, !hidden.has(entry.name), toggle));
      return place;
    }),
  );
}
