// Which colour, shape and word stands for what. Colours are names of the page's own properties.

const VERDICTS = {
  pass: { colour: "good", symbol: "circle", open: "circle-open" },
  fail: { colour: "bad", symbol: "x", open: "x-thin-open" },
  inconclusive: { colour: "warn", symbol: "triangle-up", open: "triangle-up-open" },
  invalid: { colour: "ink-soft", symbol: "diamond-open", open: "diamond-open" },
};

const MARKS = {
  oom_kill: { colour: "bad", symbol: "x", word: "OOM kill" },
  server_died: { colour: "bad", symbol: "diamond", word: "server died" },
  fresh_server: { colour: "good", symbol: "triangle-up", word: "fresh server" },
  step_aborted: { colour: "warn", symbol: "triangle-up", word: "step broke off" },
  ping_failed: { colour: "warn", symbol: "circle-open", word: "Ping not answered", only: "queues" },
  probe_lost: { colour: "bad", symbol: "x", word: "probe lost", only: "probe" },
};
const OTHER_MARK = { colour: "ink-soft", symbol: "circle", word: "other event", only: "memory" };
const UNDRAWN_MARKS = ["end", "device_not_offered", "fallback"];

const PHASES = [
  { key: "queue_s", name: "run queue", colour: "series-4" },
  { key: "spawn_s", name: "worker and process", colour: "series-2" },
  { key: "import_s", name: "importing", colour: "series-3" },
  { key: "first_step_s", name: "to the first step", colour: "series-5" },
];

const LINE_COLOURS = Array.from({ length: 8 }, (_, i) => `series-${i + 1}`);
const DASHES = ["solid", "dot", "dash", "dashdot"];

// Nothing for a kind that this chart does not show: what concerns the whole server is on all.
function markOf(kind, chart) {
  const mark = MARKS[kind] ?? OTHER_MARK;
  const shown = !UNDRAWN_MARKS.includes(kind) && [undefined, chart].includes(mark.only);
  return shown ? mark : null;
}
