// Which charts are shown. Without this script all are; with it, by campaign, metric and change.
(() => {
  const form = document.querySelector("form.filter");
  if (!form) return;
  const [campaign, metric, changed] = ["campaign", "metric", "changed"].map((name) =>
    document.getElementById(`filter-${name}`),
  );
  const status = document.getElementById("filter-status");
  const sections = [...document.querySelectorAll("section.cell[data-campaign]")];
  const blocks = [...document.querySelectorAll(".chart-block.trend")];
  const folds = [...document.querySelectorAll("details.more")];
  const opened = new Set();

  const hide = (element, hidden) => element.toggleAttribute("data-filtered", hidden);
  const seen = (element) => !element.closest("[data-filtered]");

  function filter() {
    for (const each of blocks) {
      const other = Boolean(metric.value) && each.dataset.metric !== metric.value;
      hide(each, other || (changed.checked && !("changed" in each.dataset)));
    }
    const narrowed = Boolean(metric.value) || changed.checked;
    for (const fold of folds) {
      hide(fold, narrowed && !fold.querySelector(".chart-block:not([data-filtered])"));
      // What was asked for must not stay behind a fold, nor what was opened for that stay open.
      if (narrowed && !fold.open) {
        fold.open = true;
        opened.add(fold);
      } else if (!narrowed && opened.delete(fold)) fold.open = false;
    }
    const empty = (part) => !part.querySelector(".chart-block:not([data-filtered])");
    for (const kind of document.querySelectorAll("section.kind")) hide(kind, empty(kind));
    for (const each of sections) {
      const other = Boolean(campaign.value) && each.dataset.campaign !== campaign.value;
      hide(each, other || (narrowed && empty(each)));
    }
    for (const each of document.querySelectorAll("article.event")) {
      hide(each, Boolean(campaign.value) && each.dataset.campaign !== campaign.value);
    }
    const left = blocks.filter(seen).length;
    status.textContent =
      left === blocks.length
        ? `${left} charts`
        : left
          ? `${left} of ${blocks.length} charts`
          : `None of ${blocks.length} charts`;
  }

  for (const each of [campaign, metric, changed]) each.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  // A link to a chart that the filter hides would lead nowhere.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    const target = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!target || seen(target)) return;
    campaign.value = "";
    metric.value = "";
    changed.checked = false;
    filter();
  });
  filter();
})();
