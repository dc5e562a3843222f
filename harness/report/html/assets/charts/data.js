// The payload's columns as what charts are drawn from.

// Times travel as hundredths of a second, each as what it adds to the one before; see
// harness/report/html/charts_payload.py.
function withTimes(packed) {
  const record = {};
  for (const [name, column] of Object.entries(packed)) {
    if (!name.endsWith("_cs")) record[name] = column;
    else
      record[name.replace(/_cs$/, "_s")] = running(column).map((sum) =>
        sum === null ? null : sum / 100,
      );
  }
  return record;
}

function running(steps) {
  let sum = 0;
  return steps.map((step) => (step === null ? null : (sum += step)));
}

function reportFrom(text) {
  const payload = JSON.parse(text);
  for (const { picture } of payload.cells) {
    if (!picture) continue;
    for (const kind of Object.keys(TIME_CHARTS))
      picture[kind].lines = picture[kind].lines.map(withTimes);
    picture.runs = picture.runs.map(withTimes);
  }
  return payload;
}

function rowAt(columns, i) {
  const row = {};
  for (const [name, column] of Object.entries(columns)) {
    row[name] = Array.isArray(column) ? column[i] : rowAt(column, i);
  }
  return row;
}

function rowsOf(columns) {
  return columns.index.map((_, i) => rowAt(columns, i));
}

function cellsOf(payload) {
  return new Map(payload.cells.map((cell) => [cell.id, { ...cell, rows: rowsOf(cell.steps) }]));
}

// A line through the repetitions, to lead the eye: over what is not known it goes on.
function lineThrough(cell, key) {
  const curve = cell.picture?.curve ?? { concurrency: [], [key]: [] };
  const points = curve.concurrency.map((x, i) => ({ x, y: curve[key][i] }));
  const known = points.filter(({ y }) => y !== null);
  return { x: known.map(({ x }) => x), y: known.map(({ y }) => y) };
}

function highest(values) {
  return values.reduce((most, value) => (value !== null && value > most ? value : most), -Infinity);
}

function peakOf(lines) {
  return highest(lines.map((line) => line.peak));
}

// Where a moment lies: the step around it and its phase, or nothing between steps.
function stepAt(spans, at) {
  const span = spans.find((each) => each.start_s <= at && at < each.end_s);
  if (!span) return "";
  const phase = span.phases.find(([, start, end]) => start <= at && at < end);
  return stepName(span) + (phase ? `, ${phase[0]}` : "");
}

function verdictOf(cell, index) {
  return cell.rows.find((row) => row.index === index)?.verdict ?? null;
}
