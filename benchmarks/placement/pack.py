"""How much of the fleet ends up placed, against the peers and the limit.

python -m benchmarks.placement.pack --fleet F --tasks T [--tasks ...] --seeds 42-51 -o json
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.placement import curves
from benchmarks.placement.concluding import concluded
from benchmarks.placement.figures import json_of
from benchmarks.placement.grid import Cell, all_published, checked, counts_until, mean_of, parser, run_grid
from benchmarks.placement.limit import Limit
from benchmarks.placement.peers import replayed_as_published
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
    replayed = {policy: [run[0][policy] for run in runs] for policy in runs[0][0]}
    placed = {policy: mean_of([curve.allocated_pct for curve in replayed[policy]]) for policy in replayed}
    found = {key: float(np.mean([run[1][key] for run in runs])) for key in runs[0][1]}
    ours, fgd = placed["ours"], placed["fgd"]
    behind = (ours - fgd)[COMPARED]
    level = int(np.nanargmin(behind))
    asked = mean_of([curve.requested_pct for curve in replayed["ours"]])
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
                "allocated_100_pct_deviation": float(np.std([c.allocated_pct[100] for c in replayed[policy]])),
                "placed_of_requested_100": float(placed[policy][100] / asked[100]),
                "cpu_only_placed_100_pct": float(np.mean([c.cpu_only_pct[100] for c in replayed[policy]])),
                "decision_p50_ms": float(np.median([np.median(c.decision_ns) for c in replayed[policy]]) / 1e6),
                "curve_pct": {str(at): round(float(placed[policy][at]), 3) for at in SHOWN},
            }
            for policy in replayed
        },
    }


def _closed(ours: float, peer: float, limit: float) -> float:
    return float((ours - peer) / (limit - peer)) if limit > peer else float("nan")


def shown(lists: list[dict[str, Any]], published: dict[str, dict[str, dict[str, Any]]]) -> str:
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
        lines += ["", curves.shown(published)]
    return "\n".join(lines)


def main() -> int:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--published", type=Path, help="CSV of published curves to check the peers against")
    given = arguments.parse_args()
    checked(given.fleet, given.tasks)
    cells = [Cell(given.fleet, tasks, seed, POLICIES, measure=limits) for tasks in given.tasks for seed in given.seeds]
    runs: dict[str, list[tuple[dict[str, Curves], dict[str, Any]]]] = defaultdict(list)
    for cell, replayed, found in run_grid(cells, given.processes):
        runs[cell.tasks.stem].append((replayed, found))
    lists = [summary(name, results) for name, results in runs.items()]
    published = curves.against(curves.read_published(given.published), lists) if given.published else {}
    if given.published:  # FGD by the very arrivals that were published, where these seeds were
        for name, peers in replayed_as_published(given).items():
            published.setdefault(name, {}).update(peers)
    mean = float(np.mean([found["gap_closed_100"] for found in lists]))
    figures = {"gap_closed_100_mean": mean, "peers_vs_published": published, "lists": lists}
    print(json_of(figures) if given.output == "json" else shown(lists, published))
    judged = all_published(given, OPENB_LISTS)
    return concluded("pack", figures, published=judged, output=given.output, keep=given.keep)


if __name__ == "__main__":
    raise SystemExit(main())
