/* Mends two widgets that others made. Loaded before django-unfold's own script. */
(function () {
  "use strict";

  // django-unfold writes a chosen file's name into a text box beside it, and fails where there is none: ours have none.
  function leavePlainFilesAlone() {
    for (const input of document.querySelectorAll(".pb-field input[type=file]")) input.hasChangeListener = true;
  }

  // select2 shows a search box without a name, and puts its button to clear the choice between the list's items.
  function nameSearchBoxes() {
    for (const select of document.querySelectorAll("select.admin-autocomplete")) {
      const shown = select.nextElementSibling;
      if (!shown || !shown.classList.contains("select2-container")) continue;
      const label = select.labels[0];
      const name = label ? label.textContent.trim() : select.name;
      for (const box of shown.querySelectorAll("[role=searchbox], [role=combobox]")) {
        if (box.getAttribute("aria-label") !== name) box.setAttribute("aria-label", name);
      }
      for (const clear of shown.querySelectorAll("ul > span")) {
        if (clear.getAttribute("role") !== "listitem") clear.setAttribute("role", "listitem");
      }
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    leavePlainFilesAlone();
    nameSearchBoxes();
    if (document.querySelector("select.admin-autocomplete")) {
      new MutationObserver(nameSearchBoxes).observe(document.body, { childList: true, subtree: true });
    }
  });
})();
