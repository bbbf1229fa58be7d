// What Unfold opens by a click on a picture or a line of text is a button for the keyboard and for screen readers, too.
// The names of pictures come from the tag that loads this file: data-close="Close".
(() => {
  const names = document.currentScript.dataset;
  const native = "a[href], button, input, select, textarea, label, summary, [tabindex]";

  function teach(element) {
    if (element.matches(native) || element.id === "changelist-filter-close") return;
    element.tabIndex = 0;
    element.setAttribute("role", "button");
    const name = names[element.textContent.trim()];
    if (name && !element.hasAttribute("aria-label")) element.setAttribute("aria-label", name);
    element.addEventListener("keydown", (event) => {
      if (event.target !== element || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      element.click();
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[x-on\\:click]").forEach(teach);
  });
})();
