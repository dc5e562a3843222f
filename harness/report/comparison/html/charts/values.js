// Every cell's value by version and round: points of one round are joined, so that a drift of the
// machine is seen to meet all versions alike. Beside them the middle, the interval that the ratio
// gives it, and how far equal cells differ.

const SPREAD = 0.36;
const SHORT_LABEL = 14;
const MARKS_OF_VERDICT = {
  worse: { colour: "bad", symbol: "x" },
  better: { colour: "good", symbol: "circle" },
  same: { colour: "ink-soft", symbol: "diamond" },
  cannot_tell: { colour: "warn", symbol: "triangle-up" },
};

function valuesFigure(row, look) {
  const figure = new Figure(look);
  const rounds = [...new Set(row.sides.flatMap((side) => side.values.map((each) => each.round)))];
  rounds.sort((a, b) => a - b);
  valuesAxes(figure, row);
  noiseBand(figure, row);
  joinedRounds(figure, row, rounds);
  row.sides.forEach((side, place) => sideTraces(figure, row, side, { place, rounds }));
  row.effects.forEach((effect, i) => effectTrace(figure, row, effect, i + 1));
  figure.sentence = valuesSentence(row);
  figure.note = unknownNote(row);
  return figure;
}

function known(side) {
  return side.values.filter((each) => each.value !== null);
}

function valuesAxes(figure, row) {
  const { layout, look } = figure;
  layout.xaxis = axis(look, {
    tickmode: "array",
    tickvals: row.sides.map((_, i) => i),
    ticktext: row.sides.map((side) => escaped(shortened(side.label))),
    range: [-0.6, row.sides.length - 0.4],
    showgrid: false,
    zeroline: false,
    fixedrange: true,
  });
  layout.yaxis = axis(look, { title: row.unit, nticks: 6, zeroline: false });
  layout.margin.t = 14;
  layout.margin.b = 30;
}

function shortened(label) {
  return label.length > SHORT_LABEL ? `${label.slice(0, SHORT_LABEL - 1)}…` : label;
}

function offset(round, rounds) {
  if (rounds.length < 2) return 0;
  return SPREAD * (rounds.indexOf(round) / (rounds.length - 1) - 0.5);
}

function noiseBand(figure, row) {
  const { middle } = row.sides[0];
  if (row.noise === null || middle === null) return;
  const item = figure.item("noise floor", { colour: "ink-soft", shape: "band" });
  figure.shape(item, {
    type: "rect",
    xref: "paper",
    x0: 0,
    x1: 1,
    y0: middle / (1 + row.noise),
    y1: middle * (1 + row.noise),
    fillcolor: figure.theme["ink-soft"],
    opacity: 0.14,
    line: { width: 0 },
    layer: "below",
  });
}

function joinedRounds(figure, row, rounds) {
  if (row.sides.length < 2) return;
  const lines = rounds.map((round) => roundLine(row, round, rounds)).filter((x) => x.length > 1);
  if (!lines.length) return;
  const item = figure.item("same round", { colour: "line", shape: "line" });
  for (const points of lines) {
    figure.trace(item, {
      x: points.map((each) => each.x),
      y: points.map((each) => each.y),
      mode: "lines",
      line: { color: figure.theme.line, width: 1 },
    });
  }
}

function roundLine(row, round, rounds) {
  return row.sides.flatMap((side, place) =>
    known(side)
      .filter((each) => each.round === round)
      .map((each) => ({ x: place + offset(round, rounds), y: each.value })),
  );
}

function sideTraces(figure, row, side, { place, rounds }) {
  const values = known(side);
  if (!values.length) return;
  const colour = `series-${1 + (place % 8)}`;
  figure.item("one cell", { colour: "ink", shape: "symbol", symbol: "circle-open" });
  figure.trace(
    "one cell",
    {
      series: side.label,
      name: side.label,
      x: values.map((each) => place + offset(each.round, rounds)),
      y: values.map((each) => each.value),
      mode: "markers",
      meta: "value",
      customdata: values.map((each) => each.cell),
      marker: { color: figure.theme[colour], size: 8, symbol: "circle-open", line: { width: 2 } },
    },
    (i) => [
      `${side.label}, round ${values[i].round}`,
      `${number(values[i].value)} ${row.unit}`,
      values[i].cell,
    ],
  );
  middleTrace(figure, row, side, { place, colour });
}

function middleTrace(figure, row, side, { place, colour }) {
  if (side.middle === null) return;
  const item = figure.item("middle", { colour: "ink", shape: "line" });
  figure.trace(
    item,
    {
      series: "middle",
      name: `${side.label}, middle`,
      x: [place - 0.3, place, place + 0.3],
      y: [side.middle, side.middle, side.middle],
      mode: "lines",
      meta: "middle",
      line: { color: figure.theme[colour], width: 3 },
    },
    () => [`${side.label}, middle of ${countOf(known(side).length, "cell")}`, `${side.told} ${row.unit}`],
  );
}

// The interval of the ratio, seen from the baseline's middle.
function effectTrace(figure, row, effect, place) {
  const { middle } = row.sides[0];
  if (effect.ratio === null || effect.low === null || middle === null) return;
  const { colour, symbol } = MARKS_OF_VERDICT[effect.verdict];
  const item = figure.item("difference (95 %)", { colour: "ink", shape: "symbol", symbol: "diamond" });
  const at = middle * effect.ratio;
  figure.trace(
    item,
    {
      series: "difference",
      name: `${row.sides[place].label}, difference`,
      x: [place + 0.42],
      y: [at],
      mode: "markers",
      meta: "effect",
      marker: { color: figure.theme[colour], size: 9, symbol },
      error_y: {
        type: "data",
        symmetric: false,
        array: [middle * effect.high - at],
        arrayminus: [at - middle * effect.low],
        color: figure.theme[colour],
        thickness: 2,
        width: 5,
      },
    },
    () => [`${row.sides[place].label} beside ${row.sides[0].label}`, effect.told, `noise floor ${effect.noise}`],
  );
}

function valuesSentence(row) {
  const sides = row.sides.map((side, place) => {
    const told = side.middle === null ? side.told : `${side.told} ${row.unit}`;
    const effect = place ? `, ${row.effects[place - 1].told}` : "";
    return `${side.label} ${told} (${countOf(known(side).length, "cell")})${effect}`;
  });
  return `${row.name}: ${sides.join("; ")}.`;
}

function unknownNote(row) {
  const missing = row.sides.flatMap((side) =>
    side.values
      .filter((each) => each.value === null)
      .map((each) => `${side.label}, round ${each.round}${each.why ? ` (${each.why})` : ""}`),
  );
  return missing.length ? `Unavailable: ${missing.join("; ")}.` : "";
}
