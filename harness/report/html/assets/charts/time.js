// Charts over the time of a cell: lines against a limit, steps as bands, events as marks. All of
// one cell share their time axis.

const TIME_CHARTS = {
  memory: { title: "memory", height: 330, peaks: true },
  cpu: { title: "CPU", height: 250 },
  throttling: { title: "throttled", whole: "throttled share of quota periods", height: 220 },
  queues: { title: "waiting", height: 270, stepped: true },
  probe: { title: "probe time", height: 250, log: true },
  processes: { title: "memory", height: 230, stacked: true },
};
const LOG_FROM_RATIO = 100;
const PANEL_PX = 110;
const PANEL_GAP = 0.14;

// A date axis has good ticks for minutes and seconds at every zoom. It begins at some midnight:
// Plotly takes small numbers for years.
const MIDNIGHT_MS = Date.UTC(2000, 0, 1);
const ms = (time_s) => MIDNIGHT_MS + Math.round(time_s * 1000);

function timeFigure(cell, look, kind) {
  const figure = new Figure(look);
  const spec = TIME_CHARTS[kind];
  const picture = cell.picture;
  const group = picture?.[kind];
  if (!group?.lines.length) {
    return Object.assign(figure, {
      missing: group?.missing || "Nothing was recorded for this chart.",
    });
  }
  const panels = spec.stacked ? bySource(group.lines) : [group.lines];
  timeAxes(figure, { spec, picture, group, panels });
  stepBands(figure, cell);
  panels.forEach((lines, panel) => {
    if (spec.stacked) stackedLines(figure, lines, { panel, spans: picture.spans });
    else plainLines(figure, lines, { spec, spans: picture.spans });
  });
  if (group.limit !== null) limitLine(figure, group);
  if (spec.peaks) peakLabel(figure, group.lines);
  stepTrace(figure, picture, group.lines[0]);
  eventMarks(figure, picture, kind);
  figure.sentence = timeSentence(spec, group, picture);
  return figure;
}

function axisName(letter, index) {
  return index ? `${letter}${index + 1}` : letter;
}

function timeAxes(figure, { spec, picture, group, panels }) {
  const { layout, look } = figure;
  const unit = group.lines[0].unit;
  const format = picture.end_s >= 3600 ? "%-H:%M:%S" : "%-M:%S";
  layout.hovermode = "x unified";
  layout.xaxis = axis(look, {
    title: `time since the cell began, ${picture.end_s >= 3600 ? "h:min:s" : "min:s"}`,
    type: "date",
    range: look.range ?? [ms(0), ms(picture.end_s)],
    tickformat: format,
    hoverformat: format,
    nticks: look.narrow ? 5 : 10,
    anchor: axisName("y", panels.length - 1),
    zeroline: false,
    spikecolor: look.theme["ink-soft"],
    spikedash: "solid",
    // Not a width: it leaves a hairline without the pale border, which is drawn two pixels wider.
    spikethickness: -2,
  });
  panels.forEach((lines, panel) => {
    const top = 1 - panel / panels.length;
    const gap = panel < panels.length - 1 ? PANEL_GAP / panels.length : 0;
    layout[panel ? `yaxis${panel + 1}` : "yaxis"] = axis(look, {
      title: valueTitle(spec, group.lines),
      fixedrange: true,
      nticks: 5,
      domain: [top - 1 / panels.length + gap, top],
      ...valueRange(spec, group, lines),
    });
    if (panels.length > 1) panelName(figure, lines[0].source, top);
  });
  layout.height += (panels.length - 1) * PANEL_PX;
  layout.yaxis9 = { overlaying: "y", range: [0, 1], visible: false, fixedrange: true };
  layout.margin.t = 28;
}

function panelName(figure, source, top) {
  figure.annotate("panels", {
    xref: "paper",
    x: 0,
    xanchor: "left",
    xshift: 4,
    yref: "paper",
    y: top,
    yanchor: "top",
    text: escaped(source),
    font: { color: figure.theme["ink-soft"] },
  });
}

function valueTitle(spec, lines) {
  const units = [...new Set(lines.map((line) => line.unit))];
  return `${spec.title}, ${units.map((unit) => (unit === "ratio" ? "%" : unit)).join(" or ")}`;
}

function valueRange(spec, group, lines) {
  if (spec.stacked) return { rangemode: "tozero" };
  if (lines[0].unit === "ratio") return { range: [0, 1.02], tickformat: ".0%" };
  const most = highest([peakOf(lines), group.limit]);
  const least = -highest(lines.flatMap((line) => line.values).map((v) => (v > 0 ? -v : null)));
  if (spec.log && least > 0 && most / least > LOG_FROM_RATIO) {
    return {
      type: "log",
      range: [Math.log10(least) - 0.1, Math.log10(most) + 0.4],
      dtick: 1,
      tickformat: "~g",
    };
  }
  return { range: [0, 1.12 * (most || 1)] };
}

function limitLine(figure, group) {
  const item = figure.item(group.limit_name, { colour: "bad", shape: "line", dash: "dash" });
  const line = { color: figure.theme.bad, width: 1.5, dash: "dash" };
  const log = figure.layout.yaxis.type === "log";
  figure.shape(item, horizontal(group.limit, line));
  figure.annotate(item, {
    xref: "paper",
    x: 0,
    xanchor: "left",
    xshift: 4,
    y: log ? Math.log10(group.limit) : group.limit,
    yanchor: "bottom",
    text: escaped(`${group.limit_name} ${quantity(group.limit, group.lines[0].unit)}`),
    font: { color: figure.theme.bad },
  });
}

function timeSentence(spec, group, picture) {
  const unit = group.lines[0].unit;
  const most = peakOf(group.lines);
  const shown = unit === "ratio" ? percent(most) : quantity(most, unit);
  const parts = [`${spec.whole ?? spec.title} over ${clock(picture.end_s)}: at most ${shown}`];
  if (group.limit !== null) parts.push(`${group.limit_name} ${quantity(group.limit, unit)}`);
  const kills = picture.marks.filter((mark) => mark.kind === "oom_kill").length;
  if (kills) parts.push(countOf(kills, "OOM kill"));
  const text = parts.join("; ");
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}
