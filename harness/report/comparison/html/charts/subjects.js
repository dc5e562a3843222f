// What the charts of a comparison are of: one figure of one kind of cell each.

function reportFrom(text) {
  return JSON.parse(text);
}

function cellsOf(payload) {
  return new Map(payload.rows.map((row) => [row.id, row]));
}

const KINDS = { values: { build: valuesFigure, height: 280 } };
