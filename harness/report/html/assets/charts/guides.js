// What the curve is held against: limits, the capacity and its interval, the knee.

// A response limit exists only where one job ran: with a mix each job has its own.
function curveLimits(cell, rows) {
  const limits = [];
  const response = cell.picture?.curve.response_limit_s ?? null;
  if (response !== null) {
    const [unloaded] = Object.values(cell.unloaded_response_s);
    limits.push({
      at: response,
      colour: "series-1",
      item: "response limit",
      words:
        `slowdown limit ${number(cell.limits.slowdown_p95)} × ${exactSeconds(unloaded)} = ` +
        exactSeconds(response),
      brief: `limit ${exactSeconds(response)}`,
    });
  }
  const launch = cell.limits.launch_s_p95;
  if (launch !== undefined && rows.some((row) => row.launch_s.p95 !== null)) {
    limits.push({
      at: launch,
      colour: "series-2",
      item: "launch limit",
      words: `launch limit ${seconds(launch)}`,
      brief: `limit ${seconds(launch)}`,
    });
  }
  return limits;
}

function capacityMarks(figure, cell) {
  const { capacity, knee } = cell;
  const { theme } = figure;
  if (capacity.low !== null && capacity.status !== "invalid") {
    const item = figure.item("capacity interval", { colour: "accent", shape: "band" });
    const high = capacity.high ?? figure.layout.xaxis.range[1];
    figure.shape(item, band(capacity.low, high, theme.accent, 0.16));
  }
  if (capacity.concurrency) {
    const words = `${capacity.status === "above_max" ? "holds at least" : "holds"} ${capacity.concurrency}`;
    guide(figure, { x: capacity.concurrency, item: "holds", words, colour: "accent", row: 2 });
  }
  if (capacity.first_failing !== null) {
    const words = `fails at ${capacity.first_failing}`;
    guide(figure, {
      x: capacity.first_failing,
      item: "first failing",
      words,
      colour: "bad",
      dash: "dash",
      row: 1,
    });
  }
  if (knee.status === "bracketed" && knee.runs !== null) {
    guide(figure, {
      x: knee.runs,
      item: "knee",
      words: `knee ${number(knee.runs)}`,
      colour: "warn",
      dash: "dot",
      row: 0,
    });
    kneeInterval(figure, knee);
  }
}

// The label of each kind has a row of its own above the chart: they cannot cover one another.
function guide(figure, { x, item, words, colour, dash = "solid", row }) {
  const line = { color: figure.theme[colour], width: 1.5, dash };
  figure.item(item, { colour, shape: "line", dash });
  figure.shape(item, vertical(x, line, { y1: 1 + (row * 15 + 3) / figure.look.plotPx }));
  figure.annotate(item, {
    x,
    text: escaped(words),
    yref: "paper",
    y: 1,
    yshift: row * 15 + 1,
    xshift: 3,
    xanchor: x > 0.72 * figure.layout.xaxis.range[1] ? "right" : "left",
    yanchor: "bottom",
    font: { color: figure.theme[colour] },
  });
}

function kneeInterval(figure, knee) {
  if (knee.low === null || knee.high === null) return;
  figure.trace(
    "knee",
    {
      x: [knee.runs],
      y: [0],
      yaxis: "y",
      mode: "markers",
      cliponaxis: false,
      marker: { color: figure.theme.warn, size: 7, symbol: "line-ns-open" },
      error_x: {
        type: "data",
        symmetric: false,
        array: [knee.high - knee.runs],
        arrayminus: [knee.runs - knee.low],
        color: figure.theme.warn,
        thickness: 2,
        width: 4,
      },
    },
    () => [
      `knee at ${number(knee.runs)} runs`,
      `95 %: ${number(knee.low)} to ${number(knee.high)}`,
    ],
  );
}

function limitLines(figure, limits, top) {
  for (const limit of limits) {
    const above = limit.at > top;
    const item = figure.item(above ? `${limit.item} (above the chart)` : limit.item, {
      colour: limit.colour,
      shape: "line",
      dash: "dash",
    });
    if (above) continue;
    const line = { color: figure.theme[limit.colour], width: 1.5, dash: "dash" };
    figure.shape(item, horizontal(limit.at, line));
    figure.annotate(item, {
      xref: "paper",
      x: 0,
      xanchor: "left",
      y: limit.at,
      yanchor: "bottom",
      xshift: 4,
      text: escaped(figure.look.narrow ? limit.brief : limit.words),
      font: { color: figure.theme[limit.colour] },
    });
  }
}
