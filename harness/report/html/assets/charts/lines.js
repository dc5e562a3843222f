// The lines of a chart over time: their names, colours and words.

function bySource(lines) {
  const sources = [...new Set(lines.map((line) => line.source))];
  return sources.map((source) => lines.filter((line) => line.source === source));
}

// Names in a picture explain themselves after a colon, comma or bracket; a hover label is short.
function shortName(line, lines) {
  const name = line.name.split(/[:,(]/)[0].trim();
  return severalOf(line, lines) ? `${name}, ${line.source}` : name;
}

function severalOf(line, lines) {
  return lines.some((other) => other.metric === line.metric && other.source !== line.source);
}

function distinct(values) {
  return [...new Set(values)];
}

// What there is one of has a colour of its own. Where each replica has its own line, the colour
// tells the replica and the dash the metric, and the legend lists the two apart.
function lineStyle(line, lines) {
  const shared = lines.filter((each) => severalOf(each, lines));
  const sources = distinct(shared.map((each) => each.source));
  const single = distinct(
    lines.filter((each) => !shared.includes(each)).map((each) => each.metric),
  );
  const several = shared.includes(line);
  const place = several
    ? sources.indexOf(line.source)
    : sources.length + single.indexOf(line.metric);
  const metric = distinct(shared.map((each) => each.metric)).indexOf(line.metric);
  const dash = isPing(line) ? "dot" : several ? DASHES[metric % DASHES.length] : "solid";
  return { colour: LINE_COLOURS[place % LINE_COLOURS.length], dash, several };
}

function lineItem(figure, line, { colour, dash, several }) {
  return figure.item(line.name, { colour: several ? "ink" : colour, dash, shape: "line" });
}

function lineItems(figure, line, style) {
  const own = lineItem(figure, line, style);
  return style.several
    ? [own, figure.item(line.source, { colour: style.colour, shape: "bar" })]
    : own;
}

// Dagster's own word comes rarely and late: points on a dotted line, not a curve.
function isPing(line) {
  return line.metric.startsWith("ping");
}

function plainLines(figure, lines, { spec, spans }) {
  for (const line of lines) lineItem(figure, line, lineStyle(line, lines));
  for (const line of lines) {
    const style = lineStyle(line, lines);
    const { colour, dash } = style;
    figure.trace(
      lineItems(figure, line, style),
      {
        name: shortName(line, lines),
        x: line.times_s.map(ms),
        y: line.values,
        mode: isPing(line) ? "lines+markers" : "lines",
        meta: line.metric,
        connectgaps: false,
        line: {
          color: figure.theme[colour],
          width: 1.5,
          dash,
          shape: spec.stepped ? "hv" : "linear",
        },
        marker: { color: figure.theme[colour], size: 5 },
        ...lineWords(line, shortName(line, lines)),
      },
      (i) => pointWords(line, i, spans),
    );
  }
}

function stackedLines(figure, lines, { panel, spans }) {
  lines.forEach((line, layer) => {
    const colour = LINE_COLOURS[layer % LINE_COLOURS.length];
    const item = figure.item(line.name, { colour, shape: "bar" });
    figure.trace(
      item,
      {
        name: `${shortName(line, lines)}, ${line.source}`,
        x: line.times_s.map(ms),
        y: line.values,
        yaxis: axisName("y", panel),
        mode: "lines",
        stackgroup: `stack${panel}`,
        stackgaps: "interpolate",
        meta: line.metric,
        line: { color: figure.theme[colour], width: 1 },
        fillcolor: faint(figure.theme[colour], 0.55),
        ...lineWords(line, shortName(line, lines)),
      },
      (i) => pointWords(line, i, spans),
    );
  });
}

function lineWords(line, name) {
  const shown =
    line.unit === "ratio" ? (value) => percent(value) : (value) => quantity(value, line.unit);
  return {
    hovertext: line.values.map((value) => escaped(shown(value))),
    hovertemplate: `%{hovertext}<extra>${escaped(name)}</extra>`,
  };
}

function pointWords(line, i, spans) {
  const shown =
    line.unit === "ratio" ? percent(line.values[i]) : quantity(line.values[i], line.unit);
  return [clock(line.times_s[i]), `${line.name}: ${shown}`, stepAt(spans, line.times_s[i])].filter(
    Boolean,
  );
}
