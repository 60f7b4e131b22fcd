"use strict";
const runs = JSON.parse(document.getElementById("data").textContent);
const at = document.getElementById("at");
const longest = runs.reduce((one, other) => other.series.at(-1).atMs > one.series.at(-1).atMs ? other : one);
const instants = longest.series.map(point => point.atMs);
const end = instants.at(-1) || 1;
const hours = ms => ms >= 172800000 ? (ms / 86400000).toFixed(1) + " d" : (ms / 3600000).toFixed(1) + " h";
const number = value => value.toLocaleString("en", {maximumFractionDigits: 1});

runs.forEach((run, n) => {
  const map = document.getElementById("map" + n);
  const racks = new Map();
  run.cells = run.machines.map(([name, rack, gpus]) => {
    if (!racks.has(rack)) {
      const block = map.appendChild(document.createElement("div"));
      block.className = "rack";
      block.title = rack;
      if (rack) block.appendChild(document.createElement("small")).textContent = rack;
      racks.set(rack, block.appendChild(document.createElement("div")));
      racks.get(rack).className = "cells";
    }
    const cell = racks.get(rack).appendChild(document.createElement("i"));
    if (!gpus) cell.className = "none";
    return cell;
  });
  if (run.machines.length > 2000) map.classList.add("many");
  run.shown = "";
});

function point(run, ms) {
  let low = 0, high = run.series.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (run.series[middle].atMs <= ms) low = middle; else high = middle - 1;
  }
  return run.series[low];
}

function show() {
  const ms = instants[+at.value];
  document.getElementById("when").textContent = hours(ms);
  document.querySelectorAll(".now").forEach(line => {
    line.setAttribute("x1", 1000 * ms / end);
    line.setAttribute("x2", 1000 * ms / end);
  });
  runs.forEach((run, n) => {
    const found = point(run, ms);
    document.getElementById("read" + n).textContent =
      `${number(found.gpus)} of ${number(run.gpus)} GPUs, ${run.powerKnown ? number(found.powerW / 1000) + " kW" : "power unknown"}, ` +
      `${number(found.running)} running, ${number(found.waiting)} waiting`;
    run.machines.forEach(([name, rack, gpus], k) => {
      const letter = found.map[k];
      if (letter === run.shown[k]) return;
      const cell = run.cells[k], failed = letter === "x";
      cell.style.setProperty("--full", failed ? 0 : letter);
      cell.classList.toggle("x", failed);
      cell.title = name + (rack ? " in " + rack : "") + ": " +
        (failed ? "failed" : gpus ? "about " + Math.round(letter / 9 * 100) + " % of " + gpus + " GPUs" : "no GPUs");
    });
    run.shown = found.map;
  });
}
at.max = instants.length - 1;
at.value = Math.floor(at.max / 2);
at.addEventListener("input", show);
show();
