// One figure of the page: what stands around the drawing, and when it is drawn anew.

const CONFIG = { displayModeBar: false, scrollZoom: false, doubleClick: false, typesetMath: false };
const PRINT_WIDTH_PX = 660;
const MARGINS_PX = { wide: 74, narrow: 54 };

class Plot {
  // `link` is shared by the charts of a cell: {range, plots}; `page` is the page's state.
  constructor(holder, cell, link, page) {
    Object.assign(this, { holder, cell, link, page });
    this.element = holder.querySelector(".plot");
    this.kind = KINDS[holder.dataset.chart];
    this.hidden = new Set();
    this.revision = 0;
    this.step = this.firstStep();
    this.zoomed = false;
    this.drawn = false;
    link.plots.push(this);
  }

  firstStep() {
    if (this.holder.dataset.chart !== "gantt") return null;
    return "step" in this.holder.dataset ? Number(this.holder.dataset.step) : usualStep(this.cell);
  }

  look() {
    const width = this.page.printing ? PRINT_WIDTH_PX : this.element.clientWidth || 700;
    const narrow = width < NARROW_PX;
    const height = Math.round(this.kind.height * (narrow ? 0.9 : 1));
    return {
      theme: this.page.theme,
      width,
      height,
      narrow,
      coarse: this.page.coarse,
      fontPx: narrow ? 11 : 12,
      hidden: this.hidden,
      plotWidth: width - (narrow ? MARGINS_PX.narrow : MARGINS_PX.wide),
      plotPx: height - 102,
      step: this.step,
      range: this.kind.timed ? this.link.range : null,
    };
  }

  // Everything but the drawing: a reader that never scrolls here is told the same.
  prepare() {
    this.figure = this.kind.build(this.cell, this.look());
    if (this.figure.missing) {
      this.say(this.figure.missing);
      return;
    }
    const { height } = this.figure.layout;
    this.element.style.minHeight = `${height}px`;
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-roledescription", "chart");
    this.element.setAttribute("aria-describedby", KEYS_ID);
    this.element.setAttribute("aria-label", this.figure.sentence);
    this.element.tabIndex = 0;
    this.surround();
    this.reader = new Reader(this);
  }

  surround() {
    this.tools = part("div", "plot-tools");
    if (this.step !== null)
      this.tools.append(stepChooser(this.cell, this.step, (step) => this.choose(step)));
    this.reset = part("button", "plot-reset", "Reset zoom");
    this.reset.type = "button";
    this.reset.hidden = true;
    this.reset.addEventListener("click", () => this.unzoom());
    this.tools.append(this.reset);
    this.list = part("ul", "plot-legend");
    this.note = part("p", "plot-note");
    this.spoken = part("div", "plot-spoken");
    this.spoken.setAttribute("aria-live", "polite");
    this.element.before(this.tools);
    this.element.after(this.list, this.note, this.spoken);
    this.describe();
  }

  describe() {
    this.element.setAttribute("aria-label", this.figure.sentence);
    this.note.textContent = this.figure.note;
    this.note.hidden = !this.figure.note;
    this.reset.hidden = !(this.zoomed || (this.kind.timed && this.link.range));
    showLegend(this.list, this.figure.legend, this.hidden, (name, shown) =>
      this.toggle(name, shown),
    );
  }

  // Draws at once: before printing there is no time to wait.
  render() {
    if (!this.figure || (this.figure.missing && !this.drawn)) return;
    this.figure = this.kind.build(this.cell, this.look());
    const { data, layout } = this.figure;
    layout.uirevision = `zoom ${this.revision}`;
    layout.hoverlabel.font.size = layout.font.size;
    this.width = this.element.clientWidth;
    this.element.style.minHeight = `${layout.height}px`;
    window.Plotly.react(this.element, data, layout, CONFIG);
    this.scalable(layout);
    this.describe();
    if (!this.drawn) this.listen();
    this.drawn = true;
  }

  // A folded chart has no width; it keeps the drawing it has.
  resized() {
    const { clientWidth } = this.element;
    return clientWidth > 0 && clientWidth !== this.width;
  }

  // Paper may be narrower than what was drawn for it; with a box a drawing shrinks as a whole.
  scalable({ width, height }) {
    for (const drawing of this.element.querySelectorAll(".main-svg")) {
      drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    }
  }

  listen() {
    // The legend, the label and the live region say it; the ticks alone would be noise.
    this.element.querySelector(".plot-container")?.setAttribute("aria-hidden", "true");
    this.element.on("plotly_doubleclick", () => this.unzoom());
    this.element.on("plotly_relayout", (change) => this.zoom(change));
  }

  zoom(change) {
    if (!Object.keys(change).some((key) => /^[xy]axis\d*\.range/.test(key))) return;
    if (!this.kind.timed) {
      this.zoomed = true;
      this.describe();
    } else if ("xaxis.range[0]" in change) {
      this.link.range = [change["xaxis.range[0]"], change["xaxis.range[1]"]].map(asMs);
      this.renderLinked();
    }
  }

  unzoom() {
    const focused = document.activeElement === this.reset;
    this.zoomed = false;
    this.revision += 1;
    if (this.kind.timed) {
      this.link.range = null;
      this.renderLinked();
    } else {
      this.render();
    }
    if (focused) this.element.focus();
  }

  renderLinked() {
    for (const plot of this.link.plots) {
      if (plot.kind.timed && plot.drawn) plot.render();
    }
  }

  choose(step) {
    this.step = step;
    this.zoomed = false;
    this.revision += 1;
    this.render();
  }

  toggle(name, shown) {
    if (shown) this.hidden.delete(name);
    else this.hidden.add(name);
    if (this.drawn) this.render();
  }

  subplotOf(curve) {
    const { xaxis = "x", yaxis = "y" } = this.figure.data[curve];
    return `${xaxis}${yaxis}`;
  }

  speak(text) {
    this.spoken.textContent = text;
  }

  say(sentence) {
    this.element.replaceChildren(part("p", "plot-missing", sentence));
  }
}

function part(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

// Plotly gives a date axis back as "2000-01-01 00:01:05.2", in UTC.
function asMs(value) {
  return typeof value === "number" ? value : Date.parse(`${value.replace(" ", "T")}Z`);
}

function stepChooser(cell, chosen, choose) {
  const holder = part("label", "plot-chooser", "Step ");
  const select = part("select", "");
  for (const lanes of cell.picture.runs) {
    const row = cell.rows.find((each) => each.index === lanes.step);
    const whose = row ? `${stepName(row)}, ${row.verdict}` : countOf(lanes.concurrency, "run");
    select.append(new Option(`${lanes.step}: ${whose}`, lanes.step, false, lanes.step === chosen));
  }
  select.addEventListener("change", () => choose(Number(select.value)));
  holder.append(select);
  return holder;
}
