// Keeps the files that are being prepared up to date. Without it the page's Reload link does the same.
(() => {
  "use strict";

  const files = document.querySelector("[data-state-url]");
  const EVERY = 2000; // milliseconds
  const UNFINISHED = ["waiting", "running"];
  if (!files || !files.querySelector("progress")) {
    return;
  }

  function show(card, news) {
    const bar = card.querySelector("progress");
    if (bar && news.percentage !== null) {
      bar.value = news.percentage;
      card.querySelector('[data-part="percentage"]').textContent = `${news.percentage} %`;
    }
    for (const part of ["rows", "size", "left"]) {
      const place = card.querySelector(`[data-part="${part}"]`);
      if (place) {
        place.textContent = news[part];
      }
    }
  }

  async function look() {
    try {
      const answer = await fetch(files.dataset.stateUrl, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        for (const news of (await answer.json()).files) {
          const card = files.querySelector(`[data-file="${news.id}"]`);
          if (card && UNFINISHED.includes(card.dataset.state)) {
            if (!UNFINISHED.includes(news.state)) {
              window.location.reload();
              return;
            }
            show(card, news);
          }
        }
      }
    } catch {
      // The server is being restarted, or the network is away: the next look tells.
    }
    window.setTimeout(look, EVERY);
  }

  window.setTimeout(look, EVERY);
})();
