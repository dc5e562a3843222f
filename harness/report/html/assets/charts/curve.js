// Response and launch time by concurrency, with what the cell holds; throughput below.

const LOAD_WORDS = {
  closed: "concurrency: runs kept in flight",
  uniform: "concurrency offered, runs",
  poisson: "concurrency offered, runs",
  burst: "runs sent at once",
};
const BEYOND = "no p95: too many runs did not succeed";
const TOP_PANEL = [0.36, 1];
const LOW_PANEL = [0, 0.24];

function curveFigure(cell, look) {
  const figure = new Figure(look);
  const rows = cell.rows.filter((row) => row.kind !== "warmup");
  if (!rows.length) return Object.assign(figure, { missing: "No step of this cell was judged." });
  const limits = curveLimits(cell, rows);
  const top = curveTop(rows, limits);
  curveAxes(figure, rows, top);
  verdictTraces(figure, cell, rows, {
    item: "response p95, median", series: "response p95", colour: "series-1", key: "response_s.p95",
    pick: (row) => row.response_s.p95, yaxis: "y",
  });
  launchTrace(figure, cell, rows);
  verdictTraces(figure, cell, rows, {
    item: "throughput, median", series: "throughput", colour: "series-3", key: "throughput_runs_per_s",
    pick: (row) => row.throughput_runs_per_s, yaxis: "y2",
  });
  beyondTrace(figure, cell, rows, top);
  limitLines(figure, limits, top);
  capacityMarks(figure, cell);
  figure.sentence = curveSentence(cell, rows, limits);
  if (rows.some((row) => row.response_s.p95 !== null && !row.response_s.enough)) {
    figure.note = "Open symbols and thin crosses: too few runs for a p95; what is drawn is the largest of them.";
  }
  return figure;
}

// A response limit exists only where one job ran: with a mix each job has its own.
function curveLimits(cell, rows) {
  const limits = [];
  const slowdown = cell.limits.slowdown_p95;
  const unloaded = Object.values(cell.unloaded_response_s);
  if (slowdown !== undefined && unloaded.length === 1) {
    limits.push({
      at: slowdown * unloaded[0], colour: "series-1", item: "response limit",
      words:
        `slowdown limit ${number(slowdown)} × ${exactSeconds(unloaded[0])} = ` +
        exactSeconds(slowdown * unloaded[0]),
      brief: `limit ${exactSeconds(slowdown * unloaded[0])}`,
    });
  }
  const launch = cell.limits.launch_s_p95;
  if (launch !== undefined && rows.some((row) => row.launch_s.p95 !== null)) {
    limits.push({
      at: launch, colour: "series-2", item: "launch limit",
      words: `launch limit ${seconds(launch)}`, brief: `limit ${seconds(launch)}`,
    });
  }
  return limits;
}

// A limit far above everything seen would press the curve flat; it is then only in the words.
function curveTop(rows, limits) {
  const seen = highest(rows.flatMap((row) => [row.response_s.p95, row.launch_s.p95]));
  if (seen === -Infinity) return 1.1 * Math.max(1, highest(limits.map((limit) => limit.at)));
  const near = limits.map((limit) => limit.at).filter((at) => at <= 4 * seen);
  return 1.1 * highest([seen, ...near]);
}

function curveAxes(figure, rows, top) {
  const { layout, look } = figure;
  const most = highest(rows.map((row) => row.concurrency));
  const ticks = most <= (look.narrow ? 8 : 16) ? { dtick: 1 } : { nticks: look.narrow ? 6 : 12 };
  layout.xaxis = axis(look, {
    title: LOAD_WORDS[rows.at(-1).load_model] ?? "concurrency, runs",
    range: [0, most + Math.max(0.6, most * 0.06)],
    anchor: "y2", zeroline: false, tickformat: ",d", ...ticks,
  });
  layout.yaxis = axis(look, { title: "p95, s", domain: TOP_PANEL, range: [0, top], nticks: 6 });
  layout.yaxis2 = axis(look, {
    title: "runs/s", domain: LOW_PANEL, rangemode: "tozero", nticks: 4,
  });
  layout.margin.t = 58;
}

function capacityMarks(figure, cell) {
  const { capacity, knee } = cell;
  const { theme } = figure;
  if (capacity.low !== null && capacity.high !== null) {
    const item = figure.item("capacity interval", { colour: "accent", shape: "band" });
    figure.shape(item, band(capacity.low, capacity.high, theme.accent, 0.16));
  }
  if (capacity.concurrency) {
    const words = `${capacity.status === "above_max" ? "holds at least" : "holds"} ${capacity.concurrency}`;
    guide(figure, { x: capacity.concurrency, item: "holds", words, colour: "accent", row: 2 });
  }
  if (capacity.first_failing !== null) {
    const words = `fails at ${capacity.first_failing}`;
    guide(figure, { x: capacity.first_failing, item: "first failing", words, colour: "bad", dash: "dash", row: 1 });
  }
  if (knee.status === "bracketed" && knee.runs !== null) {
    guide(figure, { x: knee.runs, item: "knee", words: `knee ${number(knee.runs)}`, colour: "warn", dash: "dot", row: 0 });
    kneeInterval(figure, knee);
  }
}

// The label of each kind has a row of its own above the chart: they cannot cover one another.
function guide(figure, { x, item, words, colour, dash = "solid", row }) {
  const line = { color: figure.theme[colour], width: 1.5, dash };
  figure.item(item, { colour, shape: "line", dash });
  figure.shape(item, vertical(x, line, { y1: 1 + (row * 15 + 3) / figure.look.plotPx }));
  figure.annotate(item, {
    x, text: escaped(words), yref: "paper", y: 1, yshift: row * 15 + 1, xshift: 3,
    xanchor: x > 0.72 * figure.layout.xaxis.range[1] ? "right" : "left", yanchor: "bottom",
    font: { color: figure.theme[colour] },
  });
}

function kneeInterval(figure, knee) {
  if (knee.low === null || knee.high === null) return;
  figure.trace("knee", {
    x: [knee.runs], y: [0], yaxis: "y", mode: "markers", cliponaxis: false,
    marker: { color: figure.theme.warn, size: 7, symbol: "line-ns-open" },
    error_x: {
      type: "data", symmetric: false, array: [knee.high - knee.runs], arrayminus: [knee.runs - knee.low],
      color: figure.theme.warn, thickness: 2, width: 4,
    },
  }, () => [`knee at ${number(knee.runs)} runs`, `95 %: ${number(knee.low)} to ${number(knee.high)}`]);
}

function limitLines(figure, limits, top) {
  for (const limit of limits) {
    const above = limit.at > top;
    const item = figure.item(above ? `${limit.item} (above the chart)` : limit.item, {
      colour: limit.colour, shape: "line", dash: "dash",
    });
    if (above) continue;
    const line = { color: figure.theme[limit.colour], width: 1.5, dash: "dash" };
    figure.shape(item, horizontal(limit.at, line));
    figure.annotate(item, {
      xref: "paper", x: 0, xanchor: "left", y: limit.at, yanchor: "bottom", xshift: 4,
      text: escaped(figure.look.narrow ? limit.brief : limit.words), font: { color: figure.theme[limit.colour] },
    });
  }
}

function launchTrace(figure, cell, rows) {
  const known = rows.filter((row) => row.launch_s.p95 !== null);
  if (!known.length) return;
  const colour = figure.theme["series-2"];
  const item = figure.item("launch p95, median", { colour: "series-2", shape: "line" });
  const line = mediansBy(rows, (row) => row.launch_s.p95);
  figure.trace(item, { ...line, mode: "lines", line: { color: colour, width: 1.5 } });
  figure.trace(item, {
    series: "launch p95", x: known.map((row) => row.concurrency), y: known.map((row) => row.launch_s.p95),
    mode: "markers", customdata: known.map((row) => row.index), meta: "launch_s.p95",
    marker: {
      color: colour, size: 6,
      symbol: known.map((row) => (row.launch_s.enough ? "square" : "square-open")),
    },
  }, (i) => stepWords(cell, known[i]));
}

function verdictTraces(figure, cell, rows, { item, series, colour, key, pick, yaxis }) {
  const { theme } = figure;
  if (rows.every((row) => pick(row) === null)) return;
  figure.item(item, { colour, shape: "line" });
  figure.trace(item, { ...mediansBy(rows, pick), yaxis, mode: "lines", line: { color: theme[colour], width: 2 } });
  for (const [verdict, mark] of Object.entries(VERDICTS)) {
    const own = rows.filter((row) => row.verdict === verdict && pick(row) !== null);
    if (!own.length) continue;
    const symbols = own.map((row) => (row.response_s.enough ? mark.symbol : mark.open));
    const shown = symbols.includes(mark.symbol) ? mark.symbol : mark.open;
    figure.item(verdict, { colour: mark.colour, shape: "symbol", symbol: shown });
    figure.trace(verdict, {
      series, x: own.map((row) => row.concurrency), y: own.map(pick), yaxis, mode: "markers",
      customdata: own.map((row) => row.index), meta: key, cliponaxis: false,
      marker: {
        color: theme[mark.colour], size: 10, symbol: symbols,
        line: { width: 2, color: theme[mark.colour] },
      },
    }, (i) => stepWords(cell, own[i]));
  }
}

function beyondTrace(figure, cell, rows, top) {
  const own = rows.filter((row) => row.response_s.p95 === null);
  if (!own.length) return;
  figure.item(BEYOND, { colour: "bad", shape: "symbol", symbol: "triangle-up" });
  figure.trace(BEYOND, {
    series: "response p95", x: own.map((row) => row.concurrency), y: own.map(() => top), mode: "markers", cliponaxis: false,
    customdata: own.map((row) => row.index),
    marker: { color: figure.theme.bad, size: 11, symbol: "arrow-up" },
  }, (i) => stepWords(cell, own[i]));
}

function stepWords(cell, row) {
  const broken = row.broken.length ? `: ${row.broken.join(", ")}` : "";
  const words = [
    `${countOf(row.concurrency, "run")}, repetition ${row.repetition}: ${row.verdict}${broken}`,
    `response p95 ${p95Words(row.response_s)}`,
    `launch p95 ${p95Words(row.launch_s)}`,
    `throughput ${quantity(row.throughput_runs_per_s, "runs/s")}`,
    `${countOf(row.completed, "run")} completed, ${row.failed} failed, ${row.lost} lost`,
  ];
  if (row.slowdown_p95 !== null) words.splice(2, 0, `slowdown p95 ${number(row.slowdown_p95)}`);
  return words;
}

function curveSentence(cell, rows, limits) {
  const line = mediansBy(rows, (row) => row.response_s.p95);
  const { capacity } = cell;
  const wanted = new Set([line.x[0], capacity.concurrency, capacity.first_failing, line.x.at(-1)]);
  const told = line.x
    .map((runs, i) => ({ runs, words: `${seconds(line.y[i])} at ${runs}` }))
    .filter(({ runs }) => line.x.length <= 6 || wanted.has(runs))
    .map(({ words }) => words);
  const parts = [`p95 response by concurrency: ${told.join(", ") || UNKNOWN}`];
  if (capacity.concurrency) parts.push(`holds ${capacity.concurrency}`);
  if (capacity.first_failing !== null) parts.push(`first fails at ${capacity.first_failing}`);
  return [...parts, ...limits.map((limit) => limit.words)].join("; ") + ".";
}
