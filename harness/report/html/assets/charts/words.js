// How values are put into words. The same as harness/units.py, so that a hover label and a table
// never differ.

const UNKNOWN = "not known";

function seconds(value) {
  if (value === null || value === undefined) return UNKNOWN;
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 120) return `${Math.round(value)} s`;
  if (value < 7200) return twoUnits(Math.round(value), "min", "s");
  return twoUnits(Math.round(value / 60), "h", "min");
}

function twoUnits(whole, large, small) {
  const [most, rest] = [Math.floor(whole / 60), whole % 60];
  const words = `${most.toLocaleString("en")} ${large}`;
  return rest ? `${words} ${rest} ${small}` : words;
}

function clock(value) {
  const whole = Math.floor(value);
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (whole < 3600) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

function number(value) {
  if (value === null || value === undefined) return UNKNOWN;
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

function quantity(value, unit) {
  if (value === null || value === undefined) return UNKNOWN;
  if (unit === "s") return seconds(value);
  if (unit === "%") return `${number(value)} %`;
  return `${number(value)} ${unit}`.trim();
}

// Three digits, for a figure that others are calculated from in sight.
function exactSeconds(value) {
  return `${number(value)} s`;
}

function countOf(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

// Plotly reads a few HTML tags, entities and %{templates} in every text; a campaign's own words
// must stay words.
const MARKUP = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "%{": "&#37;{" };

function escaped(text) {
  return String(text).replace(/[&<>]|%\{/g, (found) => MARKUP[found]);
}

function label(lines) {
  return lines.map(escaped).join("<br>");
}

function p95Words(spread) {
  const value = seconds(spread.p95);
  if (spread.p95 === null) return value;
  return spread.enough ? value : `${value}, the largest of ${spread.n}`;
}

function stepName(step) {
  if (step.kind === "warmup") return "warm-up";
  if (step.kind === "unloaded") return "one run alone";
  const again = step.repetition > 1 ? `, repetition ${step.repetition}` : "";
  return countOf(step.concurrency, "run") + again;
}

function percent(ratio) {
  return ratio === null || ratio === undefined
    ? UNKNOWN
    : `${Number((ratio * 100).toPrecision(3))} %`;
}
