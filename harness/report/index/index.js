"use strict";
// Without this script the table is complete, newest first. With it, it can be filtered and sorted.
(() => {
  const table = document.getElementById("campaigns");
  const status = document.getElementById("status");
  const nothing = document.getElementById("none");
  const field = document.getElementById("filter");
  const bodies = [...table.tBodies];
  const heads = [...table.tHead.rows[0].cells];
  const words = new Map(bodies.map((body) => [body, textOf(body)]));
  let sorted = "newest first";

  function textOf(body) {
    // Which campaign a cell was put beside would make that one's name match everywhere.
    const others = [...body.querySelectorAll(".beside")].map((each) => each.textContent);
    return others.reduce((text, other) => text.replace(other, ""), body.textContent).toLowerCase();
  }

  function tell() {
    const seen = bodies.filter((body) => !body.hidden).length;
    const all = bodies.length === 1 ? "1 campaign" : `${bodies.length} campaigns`;
    status.textContent = `${seen === bodies.length ? all : `${seen} of ${all}`}, ${sorted}`;
    nothing.hidden = seen > 0;
    table.hidden = seen === 0;
  }

  function filter() {
    const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const body of bodies) {
      body.hidden = !wanted.every((word) => words.get(body).includes(word));
    }
    tell();
  }

  function compare(head, sign) {
    const { key, kind } = head.dataset;
    return (a, b) => {
      const [x, y] = [a.dataset[key], b.dataset[key]];
      if (x === "" || y === "") return (x === "") - (y === ""); // what is not known comes last
      if (kind === "number") return sign * (Number(x) - Number(y));
      return sign * x.localeCompare(y, "en", { numeric: true });
    };
  }

  function sort(head, name) {
    const first = head.dataset.first ?? "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const way = head.getAttribute("aria-sort") === first ? other : first;
    for (const each of heads) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way);
    // From the order of the page each time: equal ones stay newest first.
    table.append(...[...bodies].sort(compare(head, way === "ascending" ? 1 : -1)));
    sorted = `by ${name}, ${way}`;
    tell();
  }

  for (const head of heads) {
    const name = head.textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => sort(head, name));
    head.replaceChildren(button);
  }
  field.addEventListener("input", filter);
  document.getElementById("clear").addEventListener("click", () => {
    field.value = "";
    filter();
    field.focus();
  });
  field.form.addEventListener("submit", (event) => event.preventDefault());
  field.form.hidden = false;
  // A link to a campaign that the filter hides would lead nowhere.
  table.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link && field.value) {
      field.value = "";
      filter();
    }
  });
  if (field.value) filter(); // what the browser kept over a reload
})();
