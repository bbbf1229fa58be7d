/* Comfort for the frame; it works without. */
(function () {
  "use strict";
  // A long list of pages begins where one is.
  const here = document.querySelector(".sh-side [aria-current]");
  if (here) here.scrollIntoView({ block: "nearest" });

  const menu = document.querySelector(".sh-menu");
  if (!menu) return;
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", function (event) {
    if (menu.open && !menu.contains(event.target)) menu.open = false;
  });
})();
