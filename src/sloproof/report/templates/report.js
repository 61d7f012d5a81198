"use strict";
(() => {
  const run = JSON.parse(document.getElementById("hover").textContent);
  const drawings = [...document.querySelectorAll("svg.wide[data-chart]")];
  const digits = (value) => value.toLocaleString("en", { maximumSignificantDigits: 3 });
  const written = {
    "requests/s": (value) => digits(value) + "/s",
    "ms": (value) => value >= 1000 ? digits(value / 1000) + " s" : digits(value) + " ms",
    "ratio": (value) => digits(value * 100) + " %",
    "x": (value) => digits(value) + "x",
    "count": (value) => digits(value),
  };
  const nearest = (times, at) => {
    let best = -1;
    times.forEach((time, index) => {
      if (best < 0 || Math.abs(time - at) < Math.abs(times[best] - at)) best = index;
    });
    return best;
  };
  const told = (chart, at) => chart.lines.map((line) => {
    const index = nearest(line.at, at);
    const reach = Math.max(run.seconds / 100, 1.5);
    const found = index >= 0 && Math.abs(line.at[index] - at) <= reach ? line.values[index] : null;
    return line.label + " " + (found === null ? "no data" : written[chart.unit](found));
  }).join(" · ");
  const edges = (drawing) => ({ left: +drawing.dataset.left, right: +drawing.dataset.right, top: +drawing.dataset.top, bottom: +drawing.dataset.bottom });
  const clear = () => {
    document.querySelectorAll(".cursor").forEach((line) => line.remove());
    document.querySelectorAll(".readout").forEach((readout) => { readout.textContent = ""; });
  };
  const show = (at) => {
    clear();
    const clock = new Date((run.start + at) * 1000).toISOString().slice(11, 19);
    drawings.forEach((drawing) => {
      const { left, right, top, bottom } = edges(drawing);
      const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      const x = left + at / run.seconds * (right - left);
      for (const [name, value] of Object.entries({ x1: x, x2: x, y1: top, y2: bottom, class: "cursor" })) line.setAttribute(name, value);
      drawing.append(line);
      const readout = drawing.closest("figure").querySelector(".readout");
      readout.textContent = Math.round(at) + " s (" + clock + "): " + told(run.charts[+drawing.dataset.chart], at);
    });
  };
  drawings.forEach((drawing) => {
    drawing.addEventListener("pointermove", (event) => {
      const { left, right } = edges(drawing);
      const box = drawing.getBoundingClientRect();
      const across = (event.clientX - box.left) / box.width * drawing.viewBox.baseVal.width;
      if (across < left || across > right) clear();
      else show((across - left) / (right - left) * run.seconds);
    });
    drawing.addEventListener("pointerleave", clear);
  });
})();
