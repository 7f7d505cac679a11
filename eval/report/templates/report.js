"use strict";
(function () {
  const counted = (n, word) => n + " " + word + (n === 1 ? "" : "s");
  const all = (root, selector) => Array.from(root.querySelectorAll(selector));

  // Sorting: best first, then the other way round. Rows without a value stay at the end.
  function sort(table, th) {
    const column = Array.from(th.parentNode.children).indexOf(th);
    const up = th.getAttribute("aria-sort") !== "ascending";
    all(table, "th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    th.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = table.querySelector("tbody.ranked");
    const key = (row) => {
      const text = row.children[column].getAttribute("data-sort");
      return text === null ? null : Number(text);
    };
    Array.from(body.rows)
      .map((row, i) => ({ row, i, at: key(row) }))
      .sort((a, b) => {
        if (a.at === null || b.at === null) return (a.at === null) - (b.at === null) || a.i - b.i;
        return (up ? a.at - b.at : b.at - a.at) || a.i - b.i;
      })
      .forEach((entry) => body.appendChild(entry.row));
  }
  all(document, "table.board").forEach((table) => {
    all(table, "button.sort").forEach((button) => {
      button.addEventListener("click", () => sort(table, button.closest("th")));
    });
  });

  // Filters: a system's rows, strips and section; a metric's columns and card.
  function filter(section) {
    const wanted = {};
    all(section, "input[data-filter]").forEach((input) => {
      wanted[input.dataset.filter] = input.value.trim().toLowerCase();
    });
    const hides = (text, word) => word !== "" && !text.toLowerCase().includes(word);
    let systems = new Set();
    all(section, "[data-system]").forEach((part) => {
      const home = part.classList.contains("home");
      part.hidden = !home && hides(part.dataset.system, wanted.systems);
      if (!part.hidden && !home) systems.add(part.dataset.system);
    });
    let metrics = new Set();
    all(section, ".card[data-metric]").forEach((card) => {
      card.hidden = hides(card.dataset.metric, wanted.metrics);
      if (!card.hidden) metrics.add(card.dataset.metric);
    });
    all(section, "table.board").forEach((table) => {
      const heads = Array.from(table.tHead.rows[0].cells);
      let left = 0;
      heads.forEach((th, i) => {
        if (!th.dataset.metric) return;
        const hidden = hides(th.dataset.metric, wanted.metrics);
        left += hidden ? 0 : 1;
        Array.from(table.rows).forEach((row) => { row.cells[i].hidden = hidden; });
      });
      const main = heads.length > 1 && !heads[1].dataset.metric;
      table.parentNode.hidden = left === 0 && !main;
    });
    if (wanted.metrics) all(section, "details.more").forEach((fold) => { fold.open = true; });
    const any = wanted.systems || wanted.metrics;
    section.querySelector(".filtered").textContent = any
      ? "Showing " + counted(systems.size, "system") + " and " + counted(metrics.size, "metric") + "."
      : "";
  }
  all(document, ".benchmark").forEach((section) => {
    all(section, "input[data-filter]").forEach((input) => {
      input.addEventListener("input", () => filter(section));
    });
  });

  // Players: one plays at a time; a line over the piano roll follows the sound.
  all(document, ".player").forEach((player) => {
    const audio = player.querySelector("audio");
    const roll = player.querySelector(".roll");
    if (!audio || !roll) return;
    const line = roll.querySelector(".playhead");
    const seconds = Number(roll.dataset.seconds);
    const draw = () => {
      line.hidden = false;
      line.style.left = Math.min(100, (100 * audio.currentTime) / seconds) + "%";
      if (!audio.paused) requestAnimationFrame(draw);
    };
    audio.addEventListener("play", () => {
      all(document, "audio").forEach((other) => { if (other !== audio) other.pause(); });
      draw();
    });
    audio.addEventListener("seeked", draw);
    roll.addEventListener("click", (event) => {
      const box = roll.getBoundingClientRect();
      audio.currentTime = (seconds * (event.clientX - box.left)) / box.width;
      audio.play();
    });
    roll.classList.add("plays");
  });

  // A link to something folded away unfolds it.
  function unfold() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target && target.parentElement.closest("details:not([open])");
    if (fold) { fold.open = true; target.scrollIntoView(); }
  }
  window.addEventListener("hashchange", unfold);
  unfold();

  // Paper shows what is folded away.
  window.addEventListener("beforeprint", () => {
    all(document, "details.guide, details.more").forEach((part) => { part.open = true; });
  });

  // Last, so that controls show only where everything above works.
  document.documentElement.classList.add("js");
})();
