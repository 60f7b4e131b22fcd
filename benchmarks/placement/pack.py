"""How much of the fleet ends up placed, against the peers and the limit.

python -m benchmarks.placement.pack --fleet F --tasks T [--tasks ...] --seeds 42-51 -o json
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.placement.concluding import concluded
from benchmarks.placement.grid import Cell, all_published, checked, counts_until, mean_of, parser, run_grid
from benchmarks.placement.limit import Limit
from benchmarks.placement.protocol import Arrivals, Curves
from benchmarks.placement.published import OPENB_LISTS
from benchmarks.placement.report import table
from tenure.placement.packing import Watts

POLICIES = ("ours", "fgd", "bestfit", "pwr", "pwr100+fgd900", "random")
SHOWN = [*range(0, 131, 5)]
COMPARED = slice(10, 131)
"""Below a tenth of capacity nothing is ever refused; differences there are shuffling."""


def limits(inputs: Arrivals, _watts: Watts) -> dict[str, Any]:
    limit = Limit(inputs.fleet, inputs.classes)
    order, until_full = counts_until(inputs, 100)
    _, until_end = counts_until(inputs, 130)
    return {
        "limit_100_pct": limit.placed_pct(until_full),
        "limit_130_pct": limit.placed_pct(until_end),
        "limit_100_without_refusals_pct": limit.unrefused_pct(order),
    }


def summary(name: str, runs: list[tuple[dict[str, Curves], dict[str, Any]]]) -> dict[str, Any]:
    """Of one list, over its seeds."""
    curves = {policy: [run[0][policy] for run in runs] for policy in runs[0][0]}
    placed = {policy: mean_of([curve.allocated_pct for curve in curves[policy]]) for policy in curves}
    found = {key: float(np.mean([run[1][key] for run in runs])) for key in runs[0][1]}
    ours, fgd = placed["ours"], placed["fgd"]
    behind = (ours - fgd)[COMPARED]
    level = int(np.nanargmin(behind))
    asked = mean_of([curve.requested_pct for curve in curves["ours"]])
    return {
        "tasks": name,
        "seeds": len(runs),
        **found,
        "gap_closed_100": _closed(ours[100], fgd[100], found["limit_100_pct"]),
        "gap_closed_130": _closed(ours[130], fgd[130], found["limit_130_pct"]),
        "gap_closed_100_without_refusals": _closed(ours[100], fgd[100], found["limit_100_without_refusals_pct"]),
        "furthest_behind_fgd": {"points": float(behind[level]), "level": level + COMPARED.start},
        "policies": {
            policy: {
                "allocated_100_pct": float(placed[policy][100]),
                "allocated_130_pct": float(placed[policy][130]),
                "allocated_100_pct_deviation": float(np.std([c.allocated_pct[100] for c in curves[policy]])),
                "placed_of_requested_100": float(placed[policy][100] / asked[100]),
                "cpu_only_placed_100_pct": float(np.mean([c.cpu_only_pct[100] for c in curves[policy]])),
                "decision_p50_ms": float(np.median([np.median(c.decision_ns) for c in curves[policy]]) / 1e6),
                "curve_pct": {str(at): round(float(placed[policy][at]), 3) for at in SHOWN},
            }
            for policy in curves
        },
    }


def _closed(ours: float, peer: float, limit: float) -> float:
    return float((ours - peer) / (limit - peer)) if limit > peer else float("nan")


def against_published(path: Path, lists: list[dict[str, Any]]) -> dict[str, float]:
    """Largest difference, in points, of our FGD's mean curve from the published one, by list (levels 5 to 130)."""
    published: dict[str, list[dict[str, str]]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["sc_policy"].endswith("FGD"):
                published[row["workload"]].append(row)
    differences = {}
    for found in lists:
        rows = published.get(found["tasks"])
        if rows:
            curve = found["policies"]["fgd"]["curve_pct"]
            shared = [level for level in curve if level in rows[0] and int(level) >= 5]
            means = {level: np.mean([float(row[level]) for row in rows]) for level in shared}
            differences[found["tasks"]] = float(max(abs(curve[level] - means[level]) for level in shared))
    return differences


def shown(lists: list[dict[str, Any]], published: dict[str, float]) -> str:
    names = list(lists[0]["policies"])
    header = ["placed % at 100 (at 130)", *names, "limit", "no refusals", "gap", "fair gap", "worst vs FGD"]
    rows = []
    for found in lists:
        cells = [found["tasks"].removeprefix("openb_pod_list_")]
        for name in names:
            policy = found["policies"][name]
            cells.append(f"{policy['allocated_100_pct']:.2f} ({policy['allocated_130_pct']:.2f})")
        worst = found["furthest_behind_fgd"]
        cells += [
            f"{found['limit_100_pct']:.2f} ({found['limit_130_pct']:.2f})",
            f"{found['limit_100_without_refusals_pct']:.2f}",
            f"{found['gap_closed_100']:.0%}",
            f"{found['gap_closed_100_without_refusals']:.0%}",
            f"{worst['points']:+.2f} at {worst['level']}",
        ]
        rows.append(cells)
    closed = np.mean([found["gap_closed_100"] for found in lists])
    fair = np.mean([found["gap_closed_100_without_refusals"] for found in lists])
    lines = [
        table(header, rows),
        "",
        f"gap to the limit closed, mean over lists: {closed:.1%}; without refusals {fair:.1%}",
    ]
    if published:
        lines.append(
            "FGD against its published curves, largest difference in points: "
            + ", ".join(f"{name.removeprefix('openb_pod_list_')} {points:.2f}" for name, points in published.items())
        )
    return "\n".join(lines)


def main() -> int:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--published", type=Path, help="CSV of published curves to check FGD against")
    given = arguments.parse_args()
    checked(given.fleet, given.tasks)
    cells = [Cell(given.fleet, tasks, seed, POLICIES, measure=limits) for tasks in given.tasks for seed in given.seeds]
    runs: dict[str, list[tuple[dict[str, Curves], dict[str, Any]]]] = defaultdict(list)
    for cell, curves, found in run_grid(cells, given.processes):
        runs[cell.tasks.stem].append((curves, found))
    lists = [summary(name, results) for name, results in runs.items()]
    published = against_published(given.published, lists) if given.published else {}
    mean = float(np.mean([found["gap_closed_100"] for found in lists]))
    figures = {"gap_closed_100_mean": mean, "fgd_vs_published_points": published, "lists": lists}
    print(json.dumps(figures, indent=1) if given.output == "json" else shown(lists, published))
    judged = all_published(given, OPENB_LISTS)
    return concluded("pack", figures, published=judged, output=given.output, keep=given.keep)


if __name__ == "__main__":
    raise SystemExit(main())
