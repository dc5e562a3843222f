// The page's colours and font, as Plotly can read them, and the layout all charts begin with.

const COLOURS = [
  "ink",
  "ink-soft",
  "paper",
  "panel",
  "line",
  "grid",
  "accent",
  "good",
  "bad",
  "warn",
  ...LINE_COLOURS,
];
const NARROW_PX = 560;

// A custom property may hold any CSS colour (`light-dark()`, `oklch()`); only a painted pixel
// is sure to be plain red, green and blue.
function painted(colour) {
  if (/^rgba?\(/.test(colour)) return colour;
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
  return `rgb(${red}, ${green}, ${blue})`;
}

function readTheme() {
  const probe = document.createElement("span");
  document.body.append(probe);
  const theme = {};
  for (const name of COLOURS) {
    probe.style.color = `var(--${name}, currentColor)`;
    theme[name] = painted(getComputedStyle(probe).color);
  }
  probe.style.fontFamily = "var(--font, sans-serif)";
  theme.font = getComputedStyle(probe).fontFamily;
  probe.remove();
  return theme;
}

function faint(colour, alpha) {
  const [red, green, blue] = colour.match(/[\d.]+/g);
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

function axis(look, more = {}) {
  const { theme } = look;
  return {
    gridcolor: theme.grid,
    linecolor: theme.line,
    tickcolor: theme.line,
    zerolinecolor: theme.line,
    ticks: "outside",
    ticklen: 4,
    automargin: true,
    fixedrange: look.coarse,
    ...more,
    title: {
      text: more.title ?? "",
      font: { size: look.fontPx, color: theme["ink-soft"] },
      standoff: 8,
    },
    tickfont: { size: look.fontPx, color: theme["ink-soft"] },
  };
}

function baseLayout(look) {
  const { theme } = look;
  return {
    width: look.width,
    height: look.height,
    autosize: false,
    showlegend: false,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: theme.font, size: look.fontPx, color: theme.ink },
    margin: { l: look.narrow ? 44 : 56, r: look.narrow ? 10 : 18, t: 26, b: 44, pad: 0 },
    hovermode: "closest",
    dragmode: look.coarse ? false : "zoom",
    hoverlabel: {
      bgcolor: theme.panel,
      bordercolor: theme.line,
      font: { family: theme.font, size: 12, color: theme.ink },
      align: "left",
      namelength: -1,
    },
    shapes: [],
    annotations: [],
  };
}
