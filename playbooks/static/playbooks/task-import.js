// Keeps the page of an import up to date while it runs. Without it the page's Reload link does the same.
(() => {
  "use strict";

  const card = document.querySelector("[data-import]");
  const EVERY = 2000; // milliseconds
  if (!card) {
    return;
  }

  async function look() {
    try {
      const answer = await fetch(card.dataset.stateUrl, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const news = await answer.json();
        if (news.state !== card.dataset.import) {
          window.location.reload();
          return;
        }
        card.querySelector("progress").value = news.percentage;
        card.querySelector('[data-part="percentage"]').textContent = `${news.percentage} %`;
        card.querySelector('[data-part="lines"]').textContent = news.lines;
      }
    } catch {
      // The server is being restarted, or the network is away: the next look tells.
    }
    window.setTimeout(look, EVERY);
  }

  window.setTimeout(look, EVERY);
})();
