// One figure over the nights: a point a night, the level it had, the band single nights lie in,
// where it moved to another level, and what else changed then.

const ROLES = {
  subject: { colour: "series-1", name: "version under test" },
  baseline: { colour: "series-8", name: "baseline" },
};
const SHIFTS = {
  worse: { colour: "bad", symbol: "x", word: "worse" },
  better: { colour: "good", symbol: "circle", word: "better" },
};
const LEVEL = "level, and 95 % of single nights";
const ELSE = "what else changed";
const LEAST_REACH = 0.08;
const ROOM = 0.08;
const NOTES = ["dagster", "baseline", "host", "method", "harness"];
const LABEL_PX = 6.6;
const ROW_PX = 15;
const ROWS = 2;
const DAY_MS = 86400000;

// A reader that never scrolls here is told the same, so every chart is put together once before it
// is drawn; what hangs on every single night waits until then.
const met = new WeakSet();

function trendFigure(chart, campaign, look) {
  const figure = new Figure(look);
  const brief = !met.has(chart);
  met.add(chart);
  const range = valueRange(chart.series);
  trendAxes(figure, chart, { campaign, range });
  for (const series of chart.series) itemOf(figure, chart, series);
  for (const series of chart.series) levelBands(figure, series, campaign);
  const notes = noteLines(figure, campaign);
  // What is under test lies above what it is held against.
  for (const series of [...chart.series].reverse()) {
    nightPoints(figure, chart, series, { campaign, brief, range });
    levelLines(figure, series, campaign);
  }
  for (const series of chart.series) shiftMarks(figure, chart, series, campaign);
  noteTrace(figure, notes, campaign);
  const order = [...chart.series.map((series) => itemOf(figure, chart, series)), "changes", ELSE];
  figure.stops.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  figure.sentence = trendSentence(chart, campaign);
  return figure;
}

// Outliers do not press all others flat, and a steady figure is not blown up.
function valueRange(all) {
  const values = all.flatMap((series) => [
    ...series.values.filter((_, i) => !series.aside.has(series.nights[i])),
    ...series.levels.flatMap(({ low, high }) => [low, high]),
  ]);
  const least = -highest(values.map((value) => -value));
  const most = highest(values);
  const middle = (least + most) / 2;
  const reach = Math.max((most - least) / 2, middle * LEAST_REACH) * (1 + ROOM);
  return [middle - reach, middle + reach];
}

function highest(values) {
  return values.reduce((most, value) => Math.max(most, value), -Infinity);
}

function trendAxes(figure, chart, { campaign, range }) {
  const { layout, look } = figure;
  const at = campaign.at_ms;
  const room = Math.max(DAY_MS / 2, (at.at(-1) - at[0]) * 0.02);
  layout.hovermode = "x unified";
  layout.xaxis = axis(look, {
    type: "date",
    range: look.range ?? [at[0] - room, at.at(-1) + room],
    hoverformat: "%Y-%m-%d %H:%M",
    nticks: look.narrow ? 4 : 8,
    zeroline: false,
    spikecolor: look.theme["ink-soft"],
    spikedash: "solid",
    spikethickness: -2,
    automargin: false,
  });
  layout.yaxis = axis(look, {
    range,
    title: chart.form === "ratio" ? "÷ baseline" : chart.unit,
    fixedrange: true,
    nticks: 6,
    zeroline: false,
  });
  layout.yaxis9 = { overlaying: "y", range: [0, 1], visible: false, fixedrange: true };
  layout.margin.t = 8 + ROWS * ROW_PX;
  layout.margin.b = 40;
  if (chart.form === "ratio") {
    const line = { color: look.theme["ink-soft"], width: 1, dash: "dash" };
    figure.shape(figure.item("same as the baseline", { colour: "ink-soft", shape: "line", dash: "dash" }), horizontal(1, line));
  }
}

function shown(chart, value) {
  return chart.form === "ratio" ? `×${value.toFixed(3)}` : quantity(value, chart.unit);
}

function itemOf(figure, chart, series) {
  const { colour, name } = ROLES[series.role];
  return figure.item(chart.form === "ratio" ? "ratio of a night" : `${name}, a night`, {
    colour,
    shape: "symbol",
    symbol: "circle",
  });
}

function levelBands(figure, series, campaign) {
  if (!series.levels.length) return;
  const { colour } = ROLES[series.role];
  const item = figure.item(LEVEL, { colour, shape: "line" });
  for (const level of series.levels) {
    figure.shape(item, {
      type: "rect",
      x0: campaign.at_ms[level.first],
      x1: campaign.at_ms[level.last],
      y0: level.low,
      y1: level.high,
      fillcolor: figure.theme[colour],
      opacity: 0.13,
      line: { width: 0 },
      layer: "below",
    });
  }
}

function nightPoints(figure, chart, series, { campaign, brief, range }) {
  const item = itemOf(figure, chart, series);
  const { colour } = ROLES[series.role];
  const words = (i) => shown(chart, series.values[i]);
  const lone = (i) => (series.aside.has(series.nights[i]) ? ", an outlier" : "");
  figure.trace(
    item,
    {
      name: item,
      series: item,
      x: series.nights.map((night) => campaign.at_ms[night]),
      y: series.values.map((value) => Math.min(range[1], Math.max(range[0], value))),
      customdata: series.values,
      mode: "markers",
      meta: series.role,
      cliponaxis: false,
      marker: {
        color: figure.theme[colour],
        size: series.nights.length > 200 ? 4 : 6,
        symbol: series.values.map((value, i) => symbolOf(series, i, { value, range })),
      },
      hovertext: brief
        ? []
        : series.nights.map((night, i) =>
            escaped(`${words(i)}${lone(i)}, ${campaign.versions[campaign.version[night]]}`),
          ),
      hovertemplate: `%{hovertext}<extra>${escaped(item)}</extra>`,
    },
    (i) => [
      dayOf(campaign, series.nights[i]),
      `${item}: ${words(i)}${lone(i)}`,
      campaign.versions[campaign.version[series.nights[i]]],
    ],
  );
}

// Beyond the chart: an arrow at its edge.
function symbolOf(series, i, { value, range }) {
  if (value > range[1]) return "triangle-up-open";
  if (value < range[0]) return "triangle-down-open";
  return series.aside.has(series.nights[i]) ? "circle-open" : "circle";
}

function levelLines(figure, series, campaign) {
  const { colour } = ROLES[series.role];
  for (const level of series.levels) {
    figure.trace(LEVEL, {
      name: "level",
      x: [campaign.at_ms[level.first], campaign.at_ms[level.last]],
      y: [level.value, level.value],
      mode: "lines",
      meta: `level ${series.role}`,
      line: { color: figure.theme[colour], width: 2.5 },
    });
  }
}

function shiftMarks(figure, chart, series, campaign) {
  for (const [verdict, { colour, symbol, word }] of Object.entries(SHIFTS)) {
    const own = series.changes.filter((each) => each.verdict === verdict);
    if (!own.length) continue;
    const item = figure.item(`change for the ${word}`, { colour, shape: "symbol", symbol });
    figure.trace(
      item,
      {
        name: item,
        series: "changes",
        x: own.map((each) => campaign.at_ms[each.at]),
        y: own.map((each) => each.value),
        mode: "markers",
        meta: `change ${series.role}`,
        marker: {
          color: figure.theme[colour],
          size: 11,
          symbol,
          line: { color: figure.theme.panel, width: 1.5 },
        },
        hovertext: own.map((each) => escaped(`${each.effect}: ${each.told}`)),
        hovertemplate: `%{hovertext}<extra>${escaped(item)}</extra>`,
      },
      (i) => [
        dayOf(campaign, own[i].at),
        `${item}: ${own[i].effect}, ${own[i].told}`,
        own[i].causes,
      ],
    );
    for (const each of own) shiftLabel(figure, item, each, { campaign, colour });
  }
}

function shiftLabel(figure, item, change, { campaign, colour }) {
  const at = campaign.at_ms[change.at];
  const late = at > (campaign.at_ms[0] + 3 * campaign.at_ms.at(-1)) / 4;
  figure.annotate(item, {
    x: at,
    y: change.value,
    text: `<b>${escaped(change.effect.replace("-", "−"))}</b>`,
    xanchor: late ? "right" : "left",
    // Away from the level it left.
    yanchor: change.up ? "bottom" : "top",
    xshift: late ? -9 : 9,
    yshift: change.up ? 4 : -4,
    font: { color: figure.theme[colour] },
  });
}

// A line for whatever changed beside the figures; its text above the chart where there is room,
// the likeliest cause first, and always in the hover label.
function noteLines(figure, campaign) {
  const [from, to] = figure.look.range ?? figure.layout.xaxis.range;
  const pxPerMs = figure.look.plotWidth / (to - from);
  const inside = campaign.annotations.filter(({ at }) => {
    const ms = campaign.at_ms[at];
    return from <= ms && ms <= to;
  });
  const taken = Array.from({ length: ROWS }, () => []);
  const ordered = [...inside].sort((a, b) => NOTES.indexOf(a.what) - NOTES.indexOf(b.what));
  for (const note of ordered) noteLabel(figure, note, { campaign, taken, from, pxPerMs });
  return inside;
}

function noteLabel(figure, note, { campaign, taken, from, pxPerMs }) {
  const item = figure.item(ELSE, { colour: "accent", shape: "line", dash: "dot" });
  const x = campaign.at_ms[note.at];
  const own = note.what === "harness" || note.what === "method";
  const color = figure.theme[own ? "ink-soft" : "accent"];
  figure.shape(item, vertical(x, { color, width: 1, dash: "dot" }));
  const text = note.what === "dagster" ? note.now : note.name;
  const middle = (x - from) * pxPerMs;
  const half = (text.length * LABEL_PX) / 2 + 3;
  const span = [Math.max(0, middle - half), middle + half];
  if (span[1] > figure.look.plotWidth + 10 || middle - half < -20) return;
  const row = taken.findIndex((spans) => spans.every(([a, b]) => span[1] < a || b < span[0]));
  if (row < 0) return;
  taken[row].push(span);
  figure.annotate(item, {
    x,
    yref: "paper",
    y: 1,
    yshift: row * ROW_PX,
    yanchor: "bottom",
    text: escaped(text),
    font: { color, size: figure.look.fontPx - 1 },
    bgcolor: "rgba(0,0,0,0)",
  });
}

// Heard in the hover label and with the keyboard.
function noteTrace(figure, notes, campaign) {
  const nights = [...new Set(notes.map((note) => note.at))];
  if (!nights.length) return;
  const told = nights.map((night) =>
    notes
      .filter(({ at }) => at === night)
      .map(({ name, before, now }) => `${name} ${before} → ${now}`),
  );
  figure.trace(
    ELSE,
    {
      name: ELSE,
      x: nights.map((night) => campaign.at_ms[night]),
      y: nights.map(() => 1),
      yaxis: "y9",
      mode: "markers",
      meta: "notes",
      marker: { size: 1, opacity: 0 },
      hovertext: told.map(label),
      hovertemplate: "%{hovertext}<extra></extra>",
    },
    (i) => [dayOf(campaign, nights[i]), ...told[i]],
  );
}

function trendSentence(chart, campaign) {
  const told = chart.series.map((series) => {
    const last = series.levels.at(-1);
    const whose = ROLES[series.role].name;
    const change = series.changes.at(-1);
    const now = last
      ? `${whose} at ${last.told} since ${dayOf(campaign, last.first)}`
      : `${whose}: last ${shown(chart, series.values.at(-1))}`;
    return change ? `${now}, ${change.effect} (${change.verdict})` : now;
  });
  const nights = Math.max(...chart.series.map((series) => series.nights.length));
  return `${chart.name} over ${countOf(nights, "night")}: ${told.join("; ")}.`;
}
