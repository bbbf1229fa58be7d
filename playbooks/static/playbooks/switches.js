// A switch answers at once: its row is fetched anew and takes the old one's place. Without this file, or when
// something unforeseen comes back, each switch is a plain form.
"use strict";

(() => {
  const say = (text) => {
    const live = document.querySelector("[data-live]");
    // Said anew even when the same words stand there already.
    live.textContent = "";
    requestAnimationFrame(() => { live.textContent = text; });
  };

  const replace = (row, html, pressed) => {
    const parsed = document.createElement("template");
    parsed.innerHTML = html;
    const fresh = parsed.content.querySelector("[data-switch]");
    row.replaceWith(fresh);
    const candidates = [...fresh.querySelectorAll(`[data-focus="${pressed}"], [data-focus="switch"]`)]
      .filter((button) => !button.disabled)
      .sort((button) => (button.dataset.focus === pressed ? -1 : 1));
    (candidates[0] ?? fresh).focus();
    say(fresh.dataset.said);
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-switch-form]") || !event.submitter) return;
    event.preventDefault();
    const row = form.closest("[data-switch]");
    if (row.getAttribute("aria-busy") === "true") return;
    row.setAttribute("aria-busy", "true");
    const button = event.submitter;
    const body = new FormData(form);
    body.append(button.name, button.value);
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Fragment": "switch" } });
      const elsewhere = answer.headers.get("X-Location");
      if (elsewhere) location.assign(elsewhere);
      else if (answer.headers.get("X-Fragment")) replace(row, await answer.text(), button.dataset.focus);
      else location.reload(); // logged out meanwhile, or the page is too old: it says so itself
    } catch {
      row.removeAttribute("aria-busy");
      say(document.querySelector("[data-live]").dataset.failed);
    }
  });
})();
