// The runs of one step as a timeline: a row is a place in flight, a bar a run. One step at a time,
// so that a campaign of many thousand runs never lies in the page at once.

const RUN_PARTS = [
  {
    item: "waiting for a worker and process",
    colour: "series-2",
    from: "sent_s",
    to: "process_started_s",
  },
  { item: "importing", colour: "series-3", from: "process_started_s", to: "started_s" },
  { item: "executing", colour: "series-1", from: "started_s", to: "ended_s" },
];
const NOT_SUCCEEDED = "did not succeed";

function ganttFigure(cell, look) {
  const figure = new Figure(look);
  const lanes = cell.picture?.runs.find((each) => each.step === look.step);
  if (!lanes?.lane.length) {
    return Object.assign(figure, { missing: "No runs were recorded for this step." });
  }
  const span = cell.picture.spans.find((each) => each.index === lanes.step);
  const runs = runRows(lanes, span);
  ganttAxes(figure, runs, span);
  for (const part of RUN_PARTS) partTrace(figure, part, runs);
  failedTrace(figure, runs);
  judgedWindow(figure, span);
  figure.sentence = ganttSentence(lanes, runs, span);
  if (lanes.omitted) {
    figure.note = `${countOf(lanes.omitted, "run")} of this step left out; the slowest and all that did not succeed are shown.`;
  }
  return figure;
}

// Times relative to the step. Where a stamp is missing the part before it lasts to the next one.
function runRows(lanes, span) {
  const start = span?.start_s ?? Math.min(...lanes.sent_s);
  const end = span?.end_s ?? highest([...lanes.sent_s, ...lanes.ended_s]);
  const since = (time) => (time === null ? null : time - start);
  return lanes.lane.map((lane, i) => ({
    lane,
    status: lanes.status[i],
    job: lanes.job[i],
    intended_s: since(lanes.intended_s[i]),
    sent_s: since(lanes.sent_s[i]),
    process_started_s: since(lanes.process_started_s[i]),
    started_s: since(lanes.started_s[i]),
    ended_s: since(lanes.ended_s[i]),
    end_s: Math.max(since(lanes.ended_s[i] ?? end), since(lanes.sent_s[i])),
  }));
}

function partOf(run, { from, to }) {
  if (from === "process_started_s" && run.process_started_s === null) return null;
  const start = run[from];
  if (start === null) return null;
  const next = [run[to], from === "sent_s" ? run.started_s : null, run.end_s];
  const end = next.find((time) => time !== null);
  return { start, length: Math.max(0, end - start) };
}

function partTrace(figure, part, runs) {
  const own = runs.map((run) => ({ run, part: partOf(run, part) })).filter((each) => each.part);
  if (!own.length) return;
  figure.item(part.item, { colour: part.colour, shape: "bar" });
  bars(figure, part.item, own, { color: figure.theme[part.colour] });
}

// Shape beside colour: who cannot tell red from blue sees the hatching.
function failedTrace(figure, runs) {
  const own = runs
    .filter((run) => run.status !== "SUCCESS")
    .map((run) => ({ run, part: { start: run.sent_s, length: run.end_s - run.sent_s } }));
  if (!own.length) return;
  const { bad } = figure.theme;
  figure.item(NOT_SUCCEEDED, { colour: "bad", shape: "bar" });
  bars(figure, NOT_SUCCEEDED, own, {
    color: faint(bad, 0.15),
    line: { color: bad, width: 1.5 },
    pattern: { shape: "/", fgcolor: bad, bgcolor: faint(bad, 0.15), size: 6, solidity: 0.35 },
  });
}

function bars(figure, item, own, marker) {
  figure.trace(
    item,
    {
      type: "bar",
      orientation: "h",
      width: 0.76,
      marker,
      base: own.map(({ part }) => part.start),
      x: own.map(({ part }) => part.length),
      y: own.map(({ run }) => run.lane + 1),
    },
    (i) => runWords(own[i].run),
  );
}

function runWords(run) {
  const lag = run.sent_s - run.intended_s;
  const at = (time) => (time === null ? "never" : `${time.toFixed(1)} s`);
  return [
    `${run.status}, job ${run.job}`,
    `sent at ${at(run.sent_s)}${lag >= 0.05 ? `, ${seconds(lag)} late` : ""}`,
    `process started at ${at(run.process_started_s)}`,
    `started at ${at(run.started_s)}`,
    `ended at ${at(run.ended_s)}`,
    `response ${run.ended_s === null ? UNKNOWN : seconds(run.ended_s - run.intended_s)}`,
  ];
}

function ganttAxes(figure, runs, span) {
  const { layout, look } = figure;
  const rows = highest(runs.map((run) => run.lane)) + 1;
  const last = highest([...runs.map((run) => run.end_s), span ? span.end_s - span.start_s : 0]);
  layout.barmode = "overlay";
  layout.height = Math.min(640, Math.max(190, 110 + rows * 22));
  layout.xaxis = axis(look, {
    title: "time since the step began, s",
    range: look.range ?? [0, last],
    zeroline: false,
    nticks: look.narrow ? 5 : 10,
  });
  layout.yaxis = axis(look, {
    title: "row: runs in flight",
    range: [rows + 0.6, 0.4],
    zeroline: false,
    ...(rows <= 12 ? { dtick: 1 } : { nticks: 8 }),
  });
}

function judgedWindow(figure, span) {
  if (!span) return;
  if (span.judged_s) {
    const item = figure.item("judged window", { colour: "accent", shape: "band" });
    const [from, to] = span.judged_s.map((time) => time - span.start_s);
    figure.shape(item, band(from, to, figure.theme.accent, 0.12));
  }
  const whole = span.end_s - span.start_s;
  for (const [name, start, end] of span.phases) {
    const roomPx = ((end - start) / whole) * figure.look.plotWidth;
    if (name.length * PLAIN_LABEL_PX > roomPx) continue;
    figure.annotate("phases", {
      x: (start + end) / 2 - span.start_s,
      text: escaped(name),
      yref: "paper",
      y: 1,
      yanchor: "bottom",
      font: { color: figure.theme["ink-soft"] },
    });
    figure.shape(
      "phases",
      vertical(
        end - span.start_s,
        { color: figure.theme.line, width: 1, dash: "dot" },
        { layer: "below" },
      ),
    );
  }
}

function ganttSentence(lanes, runs, span) {
  const bad = runs.filter((run) => run.status !== "SUCCESS").length;
  const whose = span ? stepName(span) : countOf(lanes.concurrency, "run");
  return (
    `Timeline of ${countOf(runs.length + lanes.omitted, "run")} in the step of ${whose}: ` +
    `${bad ? `${bad} did not succeed` : "all succeeded"}, at most ${highest(lanes.lane) + 1} in flight at once.`
  );
}

// The step that explains most: where it first broke, else the highest load.
function usualStep(cell) {
  const drawn = new Set(cell.picture?.runs.map((lanes) => lanes.step));
  const rows = cell.rows.filter((row) => drawn.has(row.index));
  const broke = rows.filter(
    (row) => row.verdict === "fail" && row.concurrency === cell.capacity.first_failing,
  );
  const most = highest(rows.map((row) => row.concurrency));
  const chosen = broke[0] ?? rows.find((row) => row.concurrency === most);
  return chosen?.index ?? cell.picture?.runs[0]?.step ?? null;
}
