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
    item: "response p95, median",
    series: "response p95",
    colour: "series-1",
    line: "response_p95_s",
    key: "response_s.p95",
    pick: (row) => row.response_s.p95,
    yaxis: "y",
  });
  launchTrace(figure, cell, rows);
  verdictTraces(figure, cell, rows, {
    item: "throughput, median",
    series: "throughput",
    colour: "series-3",
    line: "throughput_runs_per_s",
    key: "throughput_runs_per_s",
    pick: (row) => row.throughput_runs_per_s,
    yaxis: "y2",
  });
  beyondTrace(figure, cell, rows, top);
  limitLines(figure, limits, top);
  capacityMarks(figure, cell);
  figure.sentence = curveSentence(cell, limits);
  if (rows.some((row) => row.response_s.p95 !== null && !row.response_s.enough)) {
    figure.note =
      "Open symbols and thin crosses: too few runs for a p95; what is drawn is the largest of them.";
  }
  return figure;
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
    anchor: "y2",
    zeroline: false,
    tickformat: ",d",
    ...ticks,
  });
  layout.yaxis = axis(look, { title: "p95, s", domain: TOP_PANEL, range: [0, top], nticks: 6 });
  layout.yaxis2 = axis(look, {
    title: "runs/s",
    domain: LOW_PANEL,
    rangemode: "tozero",
    nticks: 4,
  });
  layout.margin.t = 58;
}

function launchTrace(figure, cell, rows) {
  const known = rows.filter((row) => row.launch_s.p95 !== null);
  if (!known.length) return;
  const colour = figure.theme["series-2"];
  const item = figure.item("launch p95, median", { colour: "series-2", shape: "line" });
  const line = lineThrough(cell, "launch_p95_s");
  figure.trace(item, { ...line, mode: "lines", line: { color: colour, width: 1.5 } });
  figure.trace(
    item,
    {
      series: "launch p95",
      x: known.map((row) => row.concurrency),
      y: known.map((row) => row.launch_s.p95),
      mode: "markers",
      customdata: known.map((row) => row.index),
      meta: "launch_s.p95",
      marker: {
        color: colour,
        size: 6,
        symbol: known.map((row) => (row.launch_s.enough ? "square" : "square-open")),
      },
    },
    (i) => stepWords(cell, known[i]),
  );
}

function verdictTraces(figure, cell, rows, { item, series, colour, line, key, pick, yaxis }) {
  const { theme } = figure;
  if (rows.every((row) => pick(row) === null)) return;
  figure.item(item, { colour, shape: "line" });
  figure.trace(item, {
    ...lineThrough(cell, line),
    yaxis,
    mode: "lines",
    line: { color: theme[colour], width: 2 },
  });
  for (const [verdict, mark] of Object.entries(VERDICTS)) {
    const own = rows.filter((row) => row.verdict === verdict && pick(row) !== null);
    if (!own.length) continue;
    const symbols = own.map((row) => (row.response_s.enough ? mark.symbol : mark.open));
    const shown = symbols.includes(mark.symbol) ? mark.symbol : mark.open;
    figure.item(verdict, { colour: mark.colour, shape: "symbol", symbol: shown });
    figure.trace(
      verdict,
      {
        series,
        x: own.map((row) => row.concurrency),
        y: own.map(pick),
        yaxis,
        mode: "markers",
        customdata: own.map((row) => row.index),
        meta: key,
        cliponaxis: false,
        marker: {
          color: theme[mark.colour],
          size: 10,
          symbol: symbols,
          line: { width: 2, color: theme[mark.colour] },
        },
      },
      (i) => stepWords(cell, own[i]),
    );
  }
}

// Where runs fail or are lost the p95 is beyond all bounds: above the chart, not absent.
function beyondTrace(figure, cell, rows, top) {
  const own = rows.filter((row) => row.response_s.p95 === null && row.response_s.n > 0);
  if (!own.length) return;
  figure.item(BEYOND, { colour: "bad", shape: "symbol", symbol: "triangle-up" });
  figure.trace(
    BEYOND,
    {
      series: "response p95",
      x: own.map((row) => row.concurrency),
      y: own.map(() => top),
      mode: "markers",
      cliponaxis: false,
      customdata: own.map((row) => row.index),
      marker: { color: figure.theme.bad, size: 11, symbol: "arrow-up" },
    },
    (i) => stepWords(cell, own[i]),
  );
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

function curveSentence(cell, limits) {
  const line = lineThrough(cell, "response_p95_s");
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
