// The kinds of charts of a campaign's page: what makes each, and how high it is.

const KINDS = {
  curve: { build: curveFigure, height: 470 },
  phases: { build: phasesFigure, height: 320 },
  gantt: { build: ganttFigure, height: 300 },
};
for (const [kind, { height }] of Object.entries(TIME_CHARTS)) {
  KINDS[kind] = { build: (cell, look) => timeFigure(cell, look, kind), height, timed: true };
}
