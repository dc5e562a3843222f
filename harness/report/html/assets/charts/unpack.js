// The data and the library lie in the page as gzip in base64. Nothing is fetched.

const CANNOT_UNPACK =
  "This browser is too old to unpack the charts. The tables hold the same numbers.";

async function unpack(id) {
  const binary = atob(document.getElementById(id).textContent);
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

let library = null;

// As the text of a script element, which a policy of 'unsafe-inline' allows; no eval, no blob URL.
function loadPlotly() {
  library ??= unpack("harness-plotly").then((source) => {
    const script = document.createElement("script");
    script.textContent = source;
    document.head.append(script);
    return window.Plotly;
  });
  return library;
}
