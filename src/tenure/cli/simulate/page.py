"""The report as one page that opens offline: figures, curves, bars, and the fleet at any instant. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from tenure.cli.pages import asset, document
from tenure.cli.simulate.figures import FIGURES

CHARTS = (
    ("GPUs allocated", "gpus", 1, "gpus"),
    ("Power drawn, kW (rated, of what is allocated)", "powerW", 1000, None),
    ("Jobs waiting", "waiting", 1, None),
)
"""(name, key of a point, units of it that make one of the chart's, what of the fleet is its top)."""

LEAD = (
    "nothing ran and nothing was measured. Decisions are those of Tenure's placement core under a virtual clock. Power "
    "is the rated power of what is allocated."
)


def page_json(told: dict[str, Any]) -> str:
    """The figures; equal runs give equal bytes."""
    return json.dumps(told, indent=None, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"


def page(told: dict[str, Any]) -> str:
    """The whole page."""
    runs: dict[str, Any] = told["runs"]
    title = f"{told['trace']} on {told['fleet']}"
    body = (
        f'<h1>{escape(title)}</h1><p class="dim">Simulated with seed {told["seed"]}: {LEAD}</p>'
        f"{_table(runs)}<h2>The fleet at an instant</h2>{_maps(runs)}"
        + "".join(f"<h2>{name}</h2>{_drawn(runs, key, unit, top)}" for name, key, unit, top in CHARTS)
        + f"<h2>Waits and promises</h2>{_pair(runs, _waits(runs))}"
        + f"<h2>What was refused, and what first held jobs back</h2>{_pair(runs, _reasons(runs))}"
        + f'<script type="application/json" id="data">{_data(runs)}</script>'
    )
    return document(title, body, style=asset("simulation.css"), script=asset("simulation.js"))


def _table(runs: dict[str, Any]) -> str:
    head = "".join(f'<th class="run{n % 2}">{escape(name)}</th>' for n, name in enumerate(runs))
    rows = []
    for label, value in FIGURES:
        said = [value(run) for run in runs.values()]
        mark = ' class="differs"' if len(set(said)) > 1 else ""
        cells = "".join(f"<td>{escape(text)}</td>" for text in said)
        rows.append(f'<tr{mark}><td class="dim">{label}</td>{cells}</tr>')
    return f'<div class="scroll"><table id="figures"><tr><th></th>{head}</tr>{"".join(rows)}</table></div>'


def _maps(runs: dict[str, Any]) -> str:
    maps = "".join(
        f'<div><h3 class="run{n % 2}">{escape(name)}</h3><p class="read" id="read{n}"></p>'
        f'<div class="racks" id="map{n}"></div></div>'
        for n, name in enumerate(runs)
    )
    key = "".join(
        f'<span><i class="{look}" style="--full:{full}"></i>{word}</span>'
        for word, full, look in (
            ("empty", 0, ""),
            ("half full", 4, ""),
            ("full", 9, ""),
            ("failed", 0, "x"),
            ("no GPUs", 0, "none"),
        )
    )
    return (
        '<div class="at"><label for="at" class="dim">time</label><input type="range" id="at" min="0" value="0">'
        f'<output id="when" for="at"></output></div><div class="pair">{maps}</div>'
        f'<div class="key">one cell a machine, grouped by rack: {key}</div>'
    )


def _drawn(runs: dict[str, Any], key: str, unit: int, whole: str | None) -> str:
    if key == "powerW" and not any(run["fleet"]["powerKnown"] for run in runs.values()):
        return '<p class="dim">Unknown: the fleet declares no power of any machine or GPU.</p>'
    return chart(runs, key, unit, whole)


def chart(runs: dict[str, Any], key: str, unit: int, whole: str | None) -> str:
    """One curve a run, in a square of 1000 by 100 that the page stretches; its labels stand beside it, unstretched."""
    most = [point[key] / unit for run in runs.values() for point in run["series"]]
    most += [run["fleet"][whole] for run in runs.values()] if whole else []
    top = round_up(max(most))
    end = max(1, *(run["series"][-1]["atMs"] for run in runs.values()))
    lines = "".join(
        f'<polyline class="run{n % 2}" points="'
        + " ".join(f"{p['atMs'] * 1000 / end:.1f},{100 - 100 * p[key] / unit / top:.2f}" for p in run["series"])
        + '"/>'
        for n, run in enumerate(runs.values())
    )
    grid = "".join(f'<line class="grid" x1="0" x2="1000" y1="{y}" y2="{y}"/>' for y in (0, 50, 100))
    up = "".join(f"<span>{value:,g}</span>" for value in (top, top / 2, 0))
    along = "".join(f"<span>{when(end * part)}</span>" for part in (0, 0.25, 0.5, 0.75, 1))
    return (
        f'<div class="chart"><div class="up">{up}</div>'
        f'<svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label="{key} over time">{grid}{lines}'
        f'<line class="now" y1="0" y2="100" x1="0" x2="0"/></svg><div class="along">{along}</div></div>'
    )


def round_up(value: float) -> float:
    """The next number whose half is readable too; at least 2."""
    step = 1.0
    while step * 10 < value:
        step *= 10
    parts = (2, 2.4, 3, 4, 5, 6, 8, 10) if step == 1 else (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10)
    return next(step * part for part in parts if step * part >= value)


def when(ms: float) -> str:
    """An instant of the trace: days and hours from its start."""
    hours = ms / 3_600_000
    return f"{hours / 24:.1f} d" if hours >= 48 else f"{hours:.1f} h"


def _pair(runs: dict[str, Any], blocks: Iterable[str]) -> str:
    parts = "".join(
        f'<div class="run{n % 2}"><h3>{escape(name)}</h3>{block}</div>'
        for n, (name, block) in enumerate(zip(runs, blocks, strict=True))
    )
    return f'<div class="pair">{parts}</div>'


def _waits(runs: dict[str, Any]) -> Iterable[str]:
    longest = max([1.0, *(run["waitSeconds"]["max"] for run in runs.values())])
    for run in runs.values():
        waits, promises = run["waitSeconds"], run["promises"]
        rows = [(f"wait {name}", waits[name], longest, " s") for name in ("p50", "mean", "p95", "max")]
        asked = max(1, promises["asked"])
        rows += [(name, promises[name], asked, "") for name in ("asked", "promised", "kept", "broken")]
        yield _bars(rows) + f'<p class="dim">Promised at {promises["madeAt"]}: {escape(promises["because"])}.</p>'


def _reasons(runs: dict[str, Any]) -> Iterable[str]:
    most = max([1, *(n for run in runs.values() for of in _counts(run) for n in of.values())])
    for run in runs.values():
        refused, held = _counts(run)
        rows = [(f"refused: {reason}", n, most, "") for reason, n in refused.items()]
        rows += [(f"held by {reason}", n, most, "") for reason, n in held.items()]
        yield _bars(rows) if rows else '<p class="dim">Nothing was.</p>'


def _counts(run: dict[str, Any]) -> tuple[dict[str, int], dict[str, int]]:
    return run["jobs"]["refused"], run["heldBy"]


def _bars(rows: Iterable[tuple[str, float, float, str]]) -> str:
    lines = "".join(
        f'<span>{escape(label)}</span><span class="bar"><i style="width:{100 * value / most:.2f}%"></i>'
        f"<b>{value:,.0f}{unit}</b></span>"
        for label, value, most, unit in rows
    )
    return f'<div class="bars">{lines}</div>'


def _data(runs: dict[str, Any]) -> str:
    data = [
        {
            "machines": run["machines"],
            **{key: run["fleet"][key] for key in ("gpus", "powerKnown")},
            "series": run["series"],
        }
        for run in runs.values()
    ]
    # A "<" could end the script element, whatever it stands in; in JSON it may be written otherwise.
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
