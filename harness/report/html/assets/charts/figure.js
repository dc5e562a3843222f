// A chart being put together: what Plotly draws, what its legend lists, where the keyboard stops,
// and what it says in a sentence. A legend item switches everything that names it.

class Figure {
  constructor(look) {
    this.look = look;
    this.theme = look.theme;
    this.data = [];
    this.layout = baseLayout(look);
    this.legend = [];
    this.stops = [];
    this.sentence = "";
    this.note = "";
    this.missing = "";
  }

  // A swatch is {colour, shape: line | bar | band | symbol, dash, symbol}.
  item(name, swatch) {
    if (!this.legend.some((each) => each.name === name)) this.legend.push({ name, ...swatch });
    return name;
  }

  // `items`: the one or several legend items it belongs to. `tell(i)` gives the lines of words of
  // one point: its hover label and what a reader speaks. Traces of one `series` are walked
  // through together with the keyboard.
  trace(items, { series, ...trace }, tell = null) {
    const name = trace.name ?? String(items);
    if (tell) {
      this.stop(series ?? name, { items, tell, at: trace.base ?? trace.x });
      trace.hovertext ??= Array.from(trace.x, (_, i) => label(tell(i)));
      trace.hovertemplate ??= "%{hovertext}<extra></extra>";
    } else {
      trace.hoverinfo ??= "skip";
    }
    this.data.push({ ...trace, name, visible: !this.hides(items) });
  }

  stop(series, { items, tell, at }) {
    let stop = this.stops.find((each) => each.name === series);
    if (!stop) this.stops.push((stop = { name: series, points: [] }));
    const curve = this.data.length;
    stop.points.push(...at.map((x, i) => ({ x, curve, i, items, tell })));
    if (typeof at[0] === "number") stop.points.sort((a, b) => a.x - b.x);
  }

  shape(item, shape) {
    if (!this.hides(item)) this.layout.shapes.push(shape);
  }

  annotate(item, annotation) {
    const font = { size: this.look.fontPx, ...annotation.font };
    const bgcolor = faint(this.theme.panel, 0.75);
    const whole = { showarrow: false, borderpad: 0, bgcolor, ...annotation, font };
    if (!this.hides(item)) this.layout.annotations.push(whole);
  }

  hides(items) {
    return [items].flat().some((item) => this.look.hidden.has(item));
  }
}

function vertical(x, line, more = {}) {
  return { type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line, ...more };
}

function horizontal(y, line, more = {}) {
  return { type: "line", xref: "paper", x0: 0, x1: 1, y0: y, y1: y, line, ...more };
}

function band(from, to, colour, opacity) {
  return {
    type: "rect",
    x0: from,
    x1: to,
    yref: "paper",
    y0: 0,
    y1: 1,
    fillcolor: colour,
    opacity,
    line: { width: 0 },
    layer: "below",
  };
}
