/* Light, dark or as the system has it. The choice is kept where the Manager App keeps it, so it holds for both.
   Loaded before the page is drawn, or it would flash. */
(function () {
  "use strict";
  const KEY = "adminTheme";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return JSON.parse(window.localStorage.getItem(KEY)) || "auto";
    } catch {
      return "auto";
    }
  }

  function apply() {
    const theme = chosen();
    root.classList.toggle("dark", theme === "dark" || (theme === "auto" && system.matches));
    for (const button of document.querySelectorAll("[data-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.theme === theme));
    }
  }

  apply();
  system.addEventListener("change", apply);
  window.addEventListener("storage", apply);
  document.addEventListener("DOMContentLoaded", function () {
    for (const group of document.querySelectorAll("[data-themes]")) group.hidden = false;
    for (const button of document.querySelectorAll("[data-theme]")) {
      button.addEventListener("click", function () {
        window.localStorage.setItem(KEY, JSON.stringify(button.dataset.theme));
        apply();
      });
    }
    apply();
  });
})();
