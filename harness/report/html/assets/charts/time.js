// Charts over the time of a cell: lines against a limit, steps as bands, events as marks. All of
// one cell share their time axis.

const TIME_CHARTS = {
  memory: { title: "memory", height: 330, peaks: true },
  cpu: { title: "CPU", height: 250 },
  throttling: { title: "throttled", whole: "throttled share of quota periods", height: 220 },
  queues: { title: "waiting", height: 270, stepped: true },
  probe: { title: "probe time", height: 250, log: true },
  processes: { title: "memory", height: 230, stacked: true },
};
const LINE_COLOURS = ["series-1", "series-2", "series-3", "series-4", "series-5", "series-6", "series-7", "series-8"];
const LOG_FROM_RATIO = 100;
const PLAIN_LABEL_PX = 7;
const EVENT_HEIGHT = 0.96;
const PANEL_PX = 110;
const PANEL_GAP = 0.14;

// A date axis has good ticks for minutes and seconds at every zoom. It begins at some midnight:
// Plotly takes small numbers for years.
const MIDNIGHT_MS = Date.UTC(2000, 0, 1);
const ms = (time_s) => MIDNIGHT_MS + Math.round(time_s * 1000);

function timeFigure(cell, look, kind) {
  const figure = new Figure(look);
  const spec = TIME_CHARTS[kind];
  const picture = cell.picture;
  const group = picture?.[kind];
  if (!group?.lines.length) {
    return Object.assign(figure, { missing: group?.missing || "Nothing was recorded for this chart." });
  }
  const panels = spec.stacked ? bySource(group.lines) : [group.lines];
  timeAxes(figure, { spec, picture, group, panels });
  stepBands(figure, cell);
  panels.forEach((lines, panel) => {
    if (spec.stacked) stackedLines(figure, lines, { panel, spans: picture.spans });
    else plainLines(figure, lines, { spec, spans: picture.spans });
  });
  if (group.limit !== null) limitLine(figure, group);
  if (spec.peaks) peakLabel(figure, group.lines);
  stepTrace(figure, picture, group.lines[0]);
  eventMarks(figure, picture, kind);
  figure.sentence = timeSentence(spec, group, picture);
  return figure;
}

function bySource(lines) {
  const sources = [...new Set(lines.map((line) => line.source))];
  return sources.map((source) => lines.filter((line) => line.source === source));
}

// Names in a picture explain themselves after a colon, comma or bracket; a hover label is short.
function shortName(line, lines) {
  const name = line.name.split(/[:,(]/)[0].trim();
  return severalOf(line, lines) ? `${name}, ${line.source}` : name;
}

function severalOf(line, lines) {
  return lines.some((other) => other.metric === line.metric && other.source !== line.source);
}

function distinct(values) {
  return [...new Set(values)];
}

// What there is one of has a colour of its own. Where each replica has its own line, the colour
// tells the replica and the dash the metric, and the legend lists the two apart.
function lineStyle(line, lines) {
  const shared = lines.filter((each) => severalOf(each, lines));
  const sources = distinct(shared.map((each) => each.source));
  const single = distinct(lines.filter((each) => !shared.includes(each)).map((each) => each.metric));
  const several = shared.includes(line);
  const place = several ? sources.indexOf(line.source) : sources.length + single.indexOf(line.metric);
  const metric = distinct(shared.map((each) => each.metric)).indexOf(line.metric);
  const dash = isPing(line) ? "dot" : several ? DASHES[metric % DASHES.length] : "solid";
  return { colour: LINE_COLOURS[place % LINE_COLOURS.length], dash, several };
}

function lineItem(figure, line, { colour, dash, several }) {
  return figure.item(line.name, { colour: several ? "ink" : colour, dash, shape: "line" });
}

function lineItems(figure, line, style) {
  const own = lineItem(figure, line, style);
  return style.several ? [own, figure.item(line.source, { colour: style.colour, shape: "bar" })] : own;
}

// Dagster's own word comes rarely and late: points on a dotted line, not a curve.
function isPing(line) {
  return line.metric.startsWith("ping");
}

function plainLines(figure, lines, { spec, spans }) {
  for (const line of lines) lineItem(figure, line, lineStyle(line, lines));
  for (const line of lines) {
    const style = lineStyle(line, lines);
    const { colour, dash } = style;
    figure.trace(lineItems(figure, line, style), {
      name: shortName(line, lines), x: line.times_s.map(ms), y: line.values, mode: isPing(line) ? "lines+markers" : "lines",
      meta: line.metric, connectgaps: false,
      line: { color: figure.theme[colour], width: 1.5, dash, shape: spec.stepped ? "hv" : "linear" },
      marker: { color: figure.theme[colour], size: 5 },
      ...lineWords(line, shortName(line, lines)),
    }, (i) => pointWords(line, i, spans));
  }
}

function stackedLines(figure, lines, { panel, spans }) {
  lines.forEach((line, layer) => {
    const colour = LINE_COLOURS[layer % LINE_COLOURS.length];
    const item = figure.item(line.name, { colour, shape: "bar" });
    figure.trace(item, {
      name: `${shortName(line, lines)}, ${line.source}`, x: line.times_s.map(ms), y: line.values, yaxis: axisName("y", panel), mode: "lines",
      stackgroup: `stack${panel}`, stackgaps: "interpolate", meta: line.metric,
      line: { color: figure.theme[colour], width: 1 },
      fillcolor: faint(figure.theme[colour], 0.55),
      ...lineWords(line, shortName(line, lines)),
    }, (i) => pointWords(line, i, spans));
  });
}

function lineWords(line, name) {
  const shown = line.unit === "ratio" ? (value) => percent(value) : (value) => quantity(value, line.unit);
  return {
    hovertext: line.values.map((value) => escaped(shown(value))),
    hovertemplate: `%{hovertext}<extra>${escaped(name)}</extra>`,
  };
}

function pointWords(line, i, spans) {
  const shown = line.unit === "ratio" ? percent(line.values[i]) : quantity(line.values[i], line.unit);
  return [clock(line.times_s[i]), `${line.name}: ${shown}`, stepAt(spans, line.times_s[i])].filter(Boolean);
}

function axisName(letter, index) {
  return index ? `${letter}${index + 1}` : letter;
}

function timeAxes(figure, { spec, picture, group, panels }) {
  const { layout, look } = figure;
  const unit = group.lines[0].unit;
  const format = picture.end_s >= 3600 ? "%-H:%M:%S" : "%-M:%S";
  layout.hovermode = "x unified";
  layout.xaxis = axis(look, {
    title: `time since the cell began, ${picture.end_s >= 3600 ? "h:min:s" : "min:s"}`,
    type: "date", range: look.range ?? [ms(0), ms(picture.end_s)], tickformat: format, hoverformat: format,
    nticks: look.narrow ? 5 : 10, anchor: axisName("y", panels.length - 1), zeroline: false,
  });
  panels.forEach((lines, panel) => {
    const top = 1 - panel / panels.length;
    const gap = panel < panels.length - 1 ? PANEL_GAP / panels.length : 0;
    layout[panel ? `yaxis${panel + 1}` : "yaxis"] = axis(look, {
      title: valueTitle(spec, group.lines), fixedrange: true, nticks: 5,
      domain: [top - 1 / panels.length + gap, top], ...valueRange(spec, group, lines),
    });
    if (panels.length > 1) panelName(figure, lines[0].source, top);
  });
  layout.height += (panels.length - 1) * PANEL_PX;
  layout.yaxis9 = { overlaying: "y", range: [0, 1], visible: false, fixedrange: true };
  layout.margin.t = 28;
}

function panelName(figure, source, top) {
  figure.annotate("panels", {
    xref: "paper", x: 0, xanchor: "left", xshift: 4, yref: "paper", y: top, yanchor: "top",
    text: escaped(source), font: { color: figure.theme["ink-soft"] },
  });
}

function valueTitle(spec, lines) {
  const units = [...new Set(lines.map((line) => line.unit))];
  return `${spec.title}, ${units.map((unit) => (unit === "ratio" ? "%" : unit)).join(" or ")}`;
}

function valueRange(spec, group, lines) {
  if (spec.stacked) return { rangemode: "tozero" };
  if (lines[0].unit === "ratio") return { range: [0, 1.02], tickformat: ".0%" };
  const most = highest([peakOf(lines), group.limit]);
  const least = -highest(lines.flatMap((line) => line.values).map((v) => (v > 0 ? -v : null)));
  if (spec.log && least > 0 && most / least > LOG_FROM_RATIO) {
    return { type: "log", range: [Math.log10(least) - 0.1, Math.log10(most) + 0.4], dtick: 1, tickformat: "~g" };
  }
  return { range: [0, 1.12 * (most || 1)] };
}

function stepBands(figure, cell) {
  const { spans, end_s } = cell.picture;
  const [from, to] = figure.look.range ?? [ms(0), ms(end_s)];
  const pxPerMs = figure.look.plotWidth / (to - from);
  let freePx = 0;
  spans.forEach((span, i) => {
    const start = Math.max(from, ms(span.start_s));
    const end = Math.min(to, ms(span.end_s));
    if (end <= start) return;
    if (i % 2 === 0) figure.shape("steps", band(ms(span.start_s), ms(span.end_s), figure.theme.ink, 0.05));
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
  const long = { warmup: "warm-up", unloaded: `alone${sign}` }[span.kind] ?? `${countOf(span.concurrency, "run")}${sign}`;
  const short = span.kind === "warmup" ? [] : [`${span.concurrency}${sign}`, `${span.concurrency}`];
  const fits = (text) => text.length * PLAIN_LABEL_PX < roomPx;
  return [long, ...short].find(fits) ?? short.at(-1) ?? "";
}

function bandLabel(figure, x, { words, verdict }) {
  const colour = { pass: "good", fail: "bad", inconclusive: "warn" }[verdict] ?? "ink-soft";
  figure.annotate("steps", {
    x, text: escaped(words), yref: "paper", y: 1, yanchor: "bottom", yshift: 1,
    font: { color: figure.theme[colour] }, bgcolor: "rgba(0,0,0,0)",
  });
}

// Only heard in the hover label: which step and phase a moment belongs to.
function stepTrace(figure, picture, line) {
  const words = line.times_s.map((at) => escaped(stepAt(picture.spans, at)) || "between steps");
  figure.data.push({
    x: line.times_s.map(ms), y: line.times_s.map(() => 0), yaxis: "y9", mode: "lines",
    line: { width: 0 }, hovertext: words, hovertemplate: "%{hovertext}<extra>step</extra>",
  });
}

function limitLine(figure, group) {
  const item = figure.item(group.limit_name, { colour: "bad", shape: "line", dash: "dash" });
  const line = { color: figure.theme.bad, width: 1.5, dash: "dash" };
  const log = figure.layout.yaxis.type === "log";
  figure.shape(item, horizontal(group.limit, line));
  figure.annotate(item, {
    xref: "paper", x: 0, xanchor: "left", xshift: 4, y: log ? Math.log10(group.limit) : group.limit,
    yanchor: "bottom", text: escaped(`${group.limit_name} ${quantity(group.limit, group.lines[0].unit)}`),
    font: { color: figure.theme.bad },
  });
}

// The highest of all; the others' peaks are in their hover labels.
function peakLabel(figure, lines) {
  const line = lines.reduce((most, each) => ((each.peak ?? -1) > (most.peak ?? -1) ? each : most));
  const i = line.values.indexOf(highest(line.values));
  if (i < 0) return;
  const late = line.times_s[i] > 0.75 * lines[0].times_s.at(-1);
  figure.annotate("peaks", {
    x: ms(line.times_s[i]), y: line.values[i], yanchor: "bottom", xanchor: late ? "right" : "left",
    text: escaped(`peak ${quantity(line.peak, line.unit)}`), yshift: 2,
  });
}

function eventMarks(figure, picture, chart) {
  const words = new Map();
  for (const mark of picture.marks) {
    const shown = markOf(mark.kind, chart);
    if (shown) words.set(shown, [...(words.get(shown) ?? []), mark]);
  }
  for (const [shown, own] of words) eventTrace(figure, shown, own);
}

function eventTrace(figure, { colour, symbol, word }, own) {
  const item = figure.item(word, { colour, shape: "symbol", symbol });
  for (const mark of own) {
    figure.shape(item, vertical(ms(mark.at_s), { color: figure.theme[colour], width: 1, dash: "dot" }));
  }
  figure.trace(item, {
    x: own.map((mark) => ms(mark.at_s)), y: own.map(() => EVENT_HEIGHT), yaxis: "y9", mode: "markers",
    cliponaxis: false, marker: { color: figure.theme[colour], size: 9, symbol },
    hovertext: own.map((mark) => escaped(mark.text)),
    hovertemplate: `%{hovertext}<extra>${escaped(word)}</extra>`,
  }, (i) => [clock(own[i].at_s), own[i].text]);
}

function timeSentence(spec, group, picture) {
  const unit = group.lines[0].unit;
  const most = peakOf(group.lines);
  const shown = unit === "ratio" ? percent(most) : quantity(most, unit);
  const parts = [`${spec.whole ?? spec.title} over ${clock(picture.end_s)}: at most ${shown}`];
  if (group.limit !== null) parts.push(`${group.limit_name} ${quantity(group.limit, unit)}`);
  const kills = picture.marks.filter((mark) => mark.kind === "oom_kill").length;
  if (kills) parts.push(countOf(kills, "OOM kill"));
  const text = parts.join("; ");
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}
