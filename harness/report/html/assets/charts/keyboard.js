// A chart with the keyboard: arrows along and between series, the hover label shown and spoken.

const LEAPS = 10;

class Reader {
  // `plot` has `element`, `figure` (its stops), `subplotOf(curve)` and `speak(text)`.
  constructor(plot) {
    this.plot = plot;
    this.series = 0;
    this.place = -1;
    plot.element.addEventListener("keydown", (event) => this.press(event));
    plot.element.addEventListener("blur", () => this.leave());
  }

  press(event) {
    if (event.target !== this.plot.element || event.ctrlKey || event.altKey || event.metaKey)
      return;
    const series = this.shown();
    if (event.key === "Escape") {
      this.leave();
      this.plot.element.blur();
    } else if (series.length && this.move(event.key, series)) {
      event.preventDefault();
      this.show(series[this.series]);
    }
  }

  // What the legend has not switched off.
  shown() {
    if (!this.plot.drawn) return [];
    const { figure } = this.plot;
    return figure.stops
      .map(({ name, points }) => ({
        name,
        points: points.filter((each) => !figure.hides(each.items)),
      }))
      .filter(({ points }) => points.length);
  }

  move(key, series) {
    this.series = Math.min(this.series, series.length - 1);
    const last = series[this.series].points.length - 1;
    const leap = Math.max(1, Math.round(last / LEAPS));
    const places = {
      ArrowRight: this.place + 1,
      ArrowLeft: this.place - 1,
      Home: 0,
      End: last,
      PageDown: this.place + leap,
      PageUp: this.place - leap,
    };
    if (key in places) this.place = Math.max(0, Math.min(last, places[key]));
    else if (key === "ArrowDown") this.change(series, 1);
    else if (key === "ArrowUp") this.change(series, -1);
    else return false;
    return true;
  }

  // To the neighbouring series, at the point nearest to where one was.
  change(series, by) {
    const before = series[this.series].points[Math.max(0, this.place)]?.x;
    this.series = (this.series + by + series.length) % series.length;
    const { points } = series[this.series];
    const same = points.findIndex((each) => each.x === before);
    this.place = Math.max(0, same);
    if (same >= 0 || typeof before !== "number") return;
    points.forEach(({ x }, i) => {
      if (Math.abs(x - before) < Math.abs(points[this.place].x - before)) this.place = i;
    });
  }

  show({ name, points }) {
    const { curve, i, tell, x } = points[this.place];
    const { element, kind } = this.plot;
    // Over time the label names all lines at that moment, as it does for the mouse.
    const where = kind.timed ? { xval: x } : [{ curveNumber: curve, pointNumber: i }];
    window.Plotly.Fx.hover(element, where, this.plot.subplotOf(curve));
    const words = tell(i).join(", ");
    this.plot.speak(words.includes(name) ? words : `${name}: ${words}`);
  }

  leave() {
    this.place = -1;
    if (this.plot.drawn) window.Plotly.Fx.unhover(this.plot.element);
  }
}
