// What stands behind and above the lines: steps as bands, events as marks, the peak.

const PLAIN_LABEL_PX = 7;
const EVENT_HEIGHT = 0.96;

function stepBands(figure, cell) {
  const { spans, end_s } = cell.picture;
  const [from, to] = figure.look.range ?? [ms(0), ms(end_s)];
  const pxPerMs = figure.look.plotWidth / (to - from);
  let freePx = 0;
  spans.forEach((span, i) => {
    const start = Math.max(from, ms(span.start_s));
    const end = Math.min(to, ms(span.end_s));
    if (end <= start) return;
    if (i % 2 === 0) figure.shape("steps", band(start, end, figure.theme.ink, 0.05));
    const middle = (start + end) / 2;
    const verdict = verdictOf(cell, span.index);
    const words = bandWords(span, verdict, (end - start) * pxPerMs);
    const leftPx = (middle - from) * pxPerMs - (words.length * PLAIN_LABEL_PX) / 2;
    if (!words || leftPx < freePx) return;
    freePx = leftPx + (words.length + 1) * PLAIN_LABEL_PX;
    bandLabel(figure, middle, { words, verdict });
  });
}

// The longest wording the band has room for, at the least its concurrency.
function bandWords(span, verdict, roomPx) {
  const sign = { pass: " ✓", fail: " ✕" }[verdict] ?? "";
  const long =
    { warmup: "warm-up", unloaded: `alone${sign}` }[span.kind] ??
    `${countOf(span.concurrency, "run")}${sign}`;
  const short = span.kind === "warmup" ? [] : [`${span.concurrency}${sign}`, `${span.concurrency}`];
  const fits = (text) => text.length * PLAIN_LABEL_PX < roomPx;
  return [long, ...short].find(fits) ?? short.at(-1) ?? "";
}

function bandLabel(figure, x, { words, verdict }) {
  const colour = { pass: "good", fail: "bad", inconclusive: "warn" }[verdict] ?? "ink-soft";
  figure.annotate("steps", {
    x,
    text: escaped(words),
    yref: "paper",
    y: 1,
    yanchor: "bottom",
    yshift: 1,
    font: { color: figure.theme[colour] },
    bgcolor: "rgba(0,0,0,0)",
  });
}

// Only heard in the hover label: which step and phase a moment belongs to.
function stepTrace(figure, picture, line) {
  const words = line.times_s.map((at) => escaped(stepAt(picture.spans, at)) || "between steps");
  figure.data.push({
    x: line.times_s.map(ms),
    y: line.times_s.map(() => 0),
    yaxis: "y9",
    mode: "lines",
    line: { width: 0 },
    hovertext: words,
    hovertemplate: "%{hovertext}<extra>step</extra>",
  });
}

// The highest of all; the others' peaks are in their hover labels.
function peakLabel(figure, lines) {
  const line = lines.reduce((most, each) => ((each.peak ?? -1) > (most.peak ?? -1) ? each : most));
  const i = line.values.indexOf(highest(line.values));
  if (i < 0) return;
  const late = line.times_s[i] > 0.75 * lines[0].times_s.at(-1);
  figure.annotate("peaks", {
    x: ms(line.times_s[i]),
    y: line.values[i],
    yanchor: "bottom",
    xanchor: late ? "right" : "left",
    text: escaped(`peak ${quantity(line.peak, line.unit)}`),
    yshift: 2,
  });
}

function eventMarks(figure, picture, chart) {
  const groups = new Map();
  for (const mark of picture.marks) {
    const shown = markOf(mark.kind, chart);
    if (shown) groups.set(shown, [...(groups.get(shown) ?? []), mark]);
  }
  for (const [shown, own] of groups) eventTrace(figure, shown, own);
}

function eventTrace(figure, { colour, symbol, word }, own) {
  const item = figure.item(word, { colour, shape: "symbol", symbol });
  for (const mark of own) {
    figure.shape(
      item,
      vertical(ms(mark.at_s), { color: figure.theme[colour], width: 1, dash: "dot" }),
    );
  }
  figure.trace(
    item,
    {
      x: own.map((mark) => ms(mark.at_s)),
      y: own.map(() => EVENT_HEIGHT),
      yaxis: "y9",
      mode: "markers",
      cliponaxis: false,
      marker: { color: figure.theme[colour], size: 9, symbol },
      hovertext: own.map((mark) => escaped(mark.text)),
      hovertemplate: `%{hovertext}<extra>${escaped(word)}</extra>`,
    },
    (i) => [clock(own[i].at_s), own[i].text],
  );
}
