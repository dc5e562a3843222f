"use strict";
(() => {
  const root = document.documentElement;
  const said = document.getElementById("said");

  // Light or dark: by the system's wish until the button is pressed, and again after a reload.
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const label = () => {
    button.textContent = dark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${dark() ? "light" : "dark"} colours`);
  };
  const changed = () => {
    label();
    document.dispatchEvent(new CustomEvent("themechange"));
  };
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    changed();
  });
  system.addEventListener("change", changed);
  label();

  // A figure's meaning, without leaving it.
  document.addEventListener("pointerover", (event) => {
    const term = event.target.closest?.('a[href^="#def-"]:not([title])');
    if (term) term.title = document.querySelector(`#${CSS.escape(term.hash.slice(1))} dd`).textContent;
  });

  // Copying: the clipboard where the browser gives it to a file, else the selection.
  const copyBySelection = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy");
  };
  const copy = async (element) => {
    try {
      await navigator.clipboard.writeText(element.textContent);
      return true;
    } catch {
      return copyBySelection(element);
    }
  };
  document.addEventListener("click", async (event) => {
    const pressed = event.target.closest("button.copy");
    if (!pressed) return;
    const done = await copy(document.getElementById(pressed.dataset.copy));
    const words = pressed.firstChild;
    words.data = done ? "Copied" : "Selected";
    said.textContent = done ? "Copied." : "Selected: copy it with the keyboard.";
    setTimeout(() => {
      words.data = "Copy";
    }, 2000);
  });

  // A link to something folded unfolds it.
  const unfold = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target) return;
    let folded = target.closest("details");
    while (folded) {
      folded.open = true;
      folded = folded.parentElement.closest("details");
    }
    target.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  unfold();

  // Paper cannot be unfolded.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
    opened = [];
  });

  // Where the reader is, in the navigation.
  const links = new Map(
    [...document.querySelectorAll(".toc a")].map((a) => [a.getAttribute("href").slice(1), a]),
  );
  const seen = new Set();
  const mark = () => {
    const current = [...links.keys()].filter((id) => seen.has(id)).pop();
    for (const [id, a] of links) {
      if (id === current) a.setAttribute("aria-current", "true");
      else a.removeAttribute("aria-current");
      a.parentElement.classList.toggle(
        "here",
        Boolean(current) && (id === current || current.startsWith(`${id}-`)),
      );
    }
  };
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) seen.add(target.id);
        else seen.delete(target.id);
      }
      mark();
    },
    { rootMargin: "-20% 0px -70% 0px" },
  );
  for (const id of links.keys()) {
    const target = document.getElementById(id);
    if (target) watcher.observe(target);
  }
})();
