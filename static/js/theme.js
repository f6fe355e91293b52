// Runs in <head>, before the first paint: a reader's chosen theme must never flash the other one.
"use strict";

(() => {
  const root = document.documentElement;
  root.classList.add("js");

  const chosen = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage can be forbidden; the system's theme then stands
    }
  };
  const shown = () =>
    root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const announce = () => document.dispatchEvent(new CustomEvent("themechange"));

  if (["light", "dark"].includes(chosen())) root.dataset.theme = chosen();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", announce);

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    root.dataset.theme = shown() === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // kept for this page only
    }
    announce();
  });
})();
