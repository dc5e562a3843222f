// What a launch consists of, step by step. Accepting overlaps with the other phases (in the direct
// feed it contains the spawn), so it is told and not stacked.

function phasesFigure(cell, look) {
  const figure = new Figure(look);
  const rows = cell.rows
    .filter((row) => row.kind !== "warmup" && PHASES.some(({ key }) => row.phases[key] !== null))
    .sort(
      (a, b) => a.concurrency - b.concurrency || a.repetition - b.repetition || a.index - b.index,
    );
  if (!rows.length) {
    return Object.assign(figure, {
      missing: "No run of this cell was launched, so there are no phases.",
    });
  }
  const names = phaseNames(rows);
  const tell = (i) => phaseWords(cell, rows[i]);
  for (const phase of PHASES) {
    if (rows.every((row) => row.phases[phase.key] === null)) continue;
    figure.item(phase.name, { colour: phase.colour, shape: "bar" });
    figure.trace(
      phase.name,
      {
        type: "bar",
        x: names,
        y: rows.map((row) => row.phases[phase.key]),
        meta: phase.key,
        customdata: rows.map((row) => row.index),
        marker: { color: figure.theme[phase.colour] },
      },
      tell,
    );
  }
  launchMarkers(figure, rows, names, tell);
  phaseAxes(figure, rows, names);
  figure.sentence = phaseSentence(rows);
  figure.note = "Bars are medians of each phase; medians need not add up to the median launch.";
  return figure;
}

// Category names must differ, or two steps would share one bar.
function phaseNames(rows) {
  const seen = new Map();
  return rows.map((row) => {
    const times = (seen.get(row.concurrency) ?? 0) + 1;
    seen.set(row.concurrency, times);
    return times === 1 ? `${row.concurrency}` : `${row.concurrency} (${times})`;
  });
}

function launchMarkers(figure, rows, names, tell) {
  const markers = [
    { key: "p50", item: "launch p50", symbol: "diamond-open", size: 9 },
    { key: "p95", item: "launch p95", symbol: "triangle-up", size: 9 },
  ];
  for (const { key, item, symbol, size } of markers) {
    const own = rows.map((row, i) => ({ row, i })).filter(({ row }) => row.launch_s[key] !== null);
    if (!own.length) continue;
    figure.item(item, { colour: "ink", shape: "symbol", symbol });
    figure.trace(
      item,
      {
        x: own.map(({ i }) => names[i]),
        y: own.map(({ row }) => row.launch_s[key]),
        mode: "markers",
        customdata: own.map(({ row }) => row.index),
        meta: `launch_s.${key}`,
        marker: {
          color: figure.theme.ink,
          size,
          symbol,
          line: { width: 1.5, color: figure.theme.ink },
        },
      },
      (i) => tell(own[i].i),
    );
  }
}

function phaseAxes(figure, rows, names) {
  const { layout, look } = figure;
  const every = Math.ceil(rows.length / (look.narrow ? 6 : 20));
  layout.barmode = "stack";
  layout.bargap = rows.length < 7 ? 0.6 : 0.3;
  layout.xaxis = axis(look, {
    title: "concurrency of the step, runs",
    type: "category",
    tickangle: 0,
    tickvals: names.filter((_, i) => i % every === 0),
    fixedrange: true,
  });
  layout.yaxis = axis(look, { title: "launch time, s", rangemode: "tozero", nticks: 6 });
  layout.margin.t = 12;
}

function phaseWords(cell, row) {
  const spawn = cell.feed === "direct" ? " (contains worker and process)" : "";
  return [
    `${countOf(row.concurrency, "run")}, repetition ${row.repetition}: ${row.verdict}`,
    `launch p50 ${seconds(row.launch_s.p50)}, p95 ${p95Words(row.launch_s)}`,
    ...PHASES.filter(({ key }) => row.phases[key] !== null).map(
      ({ key, name }) => `${name} ${seconds(row.phases[key])}`,
    ),
    `accepting ${seconds(row.phases.accept_s)}${spawn}`,
  ];
}

function phaseSentence(rows) {
  const last = rows.at(-1);
  const parts = PHASES.filter(({ key }) => last.phases[key] !== null).map(
    ({ key, name }) => `${name} ${seconds(last.phases[key])}`,
  );
  return `Launch time by phase for ${countOf(rows.length, "step")}; at ${last.concurrency}: ${parts.join(", ")}.`;
}
