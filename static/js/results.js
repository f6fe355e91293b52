// What a page says while it asks the server, and when the server does not answer.
"use strict";

document.addEventListener("htmx:beforeRequest", (event) => {
  event.detail.target.setAttribute("aria-busy", "true");
});

document.addEventListener("htmx:afterRequest", (event) => {
  event.detail.target.removeAttribute("aria-busy");
});

for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, () => {
    document.querySelector("[data-no-answer]")?.removeAttribute("hidden");
  });
}

document.addEventListener("htmx:beforeSwap", () => {
  document.querySelector("[data-no-answer]")?.setAttribute("hidden", "");
});

// What had the focus may be gone with what was replaced; the next Tab then starts at the content.
document.addEventListener("htmx:afterSettle", () => {
  if (document.activeElement === document.body) {
    document.getElementById("content").focus({ preventScroll: true });
  }
});

// A link that is meant to be passed on: copied where the browser can, followed where it cannot.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-copy]");
  if (!link || !navigator.clipboard || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  await navigator.clipboard.writeText(link.href);
  const before = link.textContent;
  link.textContent = "Copied";
  setTimeout(() => (link.textContent = before), 1500);
});

// A command that is meant to be run elsewhere: copied where the browser can, selected where not.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copies]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copies);
  if (!navigator.clipboard) {
    getSelection().selectAllChildren(text);
    return;
  }
  await navigator.clipboard.writeText(text.textContent);
  const label = button.firstChild;
  const before = label.data;
  label.data = "Copied";
  setTimeout(() => (label.data = before), 1500);
});

// An open menu closes like any other: by a click elsewhere or by Escape.
const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
};

document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.activeElement?.closest("details.menu[open]")?.querySelector("summary").focus();
  closeMenus(null);
});
