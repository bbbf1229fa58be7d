// My tasks answers in place: htmx brings a form below its row, or a new row. This moves the focus along, closes what
// was opened, and starts anew when something unforeseen comes back. Without it each button is a plain link or form.
"use strict";

(() => {
  const focusable = "a[href], button:not([disabled]), input:not([type=hidden]), select, textarea";

  const following = (row) => {
    const rows = [...document.querySelectorAll("[data-task]")];
    const after = rows.slice(rows.indexOf(row) + 1);
    return after.find((each) => each.querySelector("[data-opens]")) ?? null;
  };

  const arrived = {
    panel: (form) => {
      const wrong = form.querySelector(".pb-errors, [aria-invalid=true]");
      if (wrong) wrong.setAttribute("tabindex", "-1");
      (wrong ?? form.querySelector(focusable) ?? form).focus();
    },
    open: (row) => row.querySelector("[data-opens]").focus(),
    done: (row) => (following(row)?.querySelector("[data-opens]") ?? row).focus(),
  };

  document.addEventListener("htmx:afterSettle", (event) => {
    const came = event.target.matches("[data-panel]") ? event.target.firstElementChild : event.target;
    const how = came?.dataset?.arrived;
    if (how) (arrived[how] ?? arrived.done)(came);
  });

  const close = (panel) => {
    panel.replaceChildren();
    panel.closest("[data-task]").querySelector("[data-opens]")?.focus();
  };

  document.addEventListener("click", (event) => {
    const closer = event.target.closest("[data-closes]");
    if (!closer) return;
    event.preventDefault();
    close(closer.closest("[data-panel]"));
  });

  document.addEventListener("keydown", (event) => {
    const panel = event.key === "Escape" && event.target.closest?.("[data-panel]");
    if (panel) close(panel);
  });

  // Logged out meanwhile: the answer comes from another address. Refused: the page is too old. It says so itself.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    const answered = new URL(xhr.responseURL || location.href).pathname;
    if (xhr.status < 400 && answered === new URL(requestConfig.path, location.href).pathname) return;
    event.detail.shouldSwap = false;
    location.reload();
  });

  document.addEventListener("htmx:sendError", () => { document.getElementById("not-reached").hidden = false; });
  document.addEventListener("htmx:beforeRequest", () => { document.getElementById("not-reached").hidden = true; });
})();
