"""Watts saved and what they cost in packing, by the same setting, against the peers and the least possible.

    python -m benchmarks.placement.power --fleet F --tasks T [--tasks ...] --seeds 42-51 -o json

Saved = 1 - watts a placed device (ours) / watts a placed device (FGD) at equal arrival; also at equal arrival alone.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from benchmarks.placement.concluding import concluded
from benchmarks.placement.figures import json_of
from benchmarks.placement.grid import Cell, all_published, checked, counts_until, mean_of, parser, run_grid
from benchmarks.placement.limit import Limit
from benchmarks.placement.protocol import Arrivals, Curves
from benchmarks.placement.published import OPENB_LISTS
from benchmarks.placement.report import plot, table
from tenure.placement.packing import FloatColumn, Watts

POLICIES = ("ours", "fgd", "pwr", "pwr100+fgd900", "bestfit")
AVERAGED = slice(20, 81)
SHOWN = (20, 30, 40, 50, 60, 70, 80, 90, 100)
FLOOR_LEVELS = (20, 40, 60, 80)


def floors(inputs: Arrivals, watts: Watts) -> dict[str, Any]:
    limit = Limit(inputs.fleet, inputs.classes)
    return {str(level): limit.least_watts(counts_until(inputs, level)[1], watts) for level in FLOOR_LEVELS}


def summary(name: str, runs: list[tuple[dict[str, Curves], dict[str, Any]]]) -> dict[str, Any]:
    curves = {policy: [run[0][policy] for run in runs] for policy in runs[0][0]}
    watts = {policy: mean_of([curve.power_watts for curve in curves[policy]]) for policy in curves}
    placed = {policy: mean_of([curve.allocated_pct for curve in curves[policy]]) for policy in curves}
    asked = mean_of([curve.requested_pct for curve in curves["fgd"]])
    floor = {}
    for level in FLOOR_LEVELS:
        known = [run[1][str(level)] for run in runs]
        if all(value is not None for value in known):
            floor[level] = 1 - float(np.mean(known)) / float(watts["fgd"][level])
    policies = {}
    for policy in curves:
        saved = 1 - watts[policy] / watts["fgd"]
        each = 1 - (watts[policy] / placed[policy]) / (watts["fgd"] / placed["fgd"])
        policies[policy] = {
            "saved_per_placed_device_20_80": _mean(each),
            "saved_20_80": _mean(saved),
            "saved_per_placed_device": {str(at): float(each[at]) for at in SHOWN},
            "saved": {str(at): float(saved[at]) for at in SHOWN},
            "placed_of_requested_100": float(placed[policy][100] / asked[100]),
            "allocated_100_pct": float(placed[policy][100]),
            "megawatts": {str(at): float(watts[policy][at] / 1e6) for at in SHOWN},
        }
    return {
        "tasks": name,
        "seeds": len(runs),
        "most_that_can_be_saved": {str(level): value for level, value in floor.items()},
        "policies": policies,
    }


def _mean(values: FloatColumn) -> float:
    return float(np.nanmean(values[AVERAGED]))


def shown(lists: list[dict[str, Any]]) -> str:
    parts = []
    for found in lists:
        header = [found["tasks"].removeprefix("openb_pod_list_"), "placed/asked at 100", "saved/device 20-80"]
        header += [f"saved at {at}" for at in SHOWN]
        rows = [
            [
                policy,
                f"{facts['placed_of_requested_100']:.3f}",
                f"{facts['saved_per_placed_device_20_80']:.1%}",
                *(f"{facts['saved'][str(at)]:.1%}" for at in SHOWN),
            ]
            for policy, facts in found["policies"].items()
        ]
        most = found["most_that_can_be_saved"]
        rows.append(["least possible", "", "", *(f"{most[str(at)]:.1%}" if str(at) in most else "" for at in SHOWN)])
        points = [
            (facts["allocated_100_pct"], 100 * facts["saved_20_80"], policy)
            for policy, facts in found["policies"].items()
        ]
        parts += [table(header, rows), "", plot(points, "placed % at 100", "watts saved %, levels 20-80"), ""]
    return "\n".join(parts)


def main() -> int:
    arguments = parser(__doc__ or "")
    arguments.add_argument(
        "--weights", default="", help="further weights of a watt for the trade-off's curve, such as 0,1e-4,1e-3"
    )
    given = arguments.parse_args()
    checked(given.fleet, given.tasks)
    extra = tuple(float(weight) for weight in given.weights.split(",") if weight)
    cells = [
        Cell(given.fleet, tasks, seed, POLICIES, extra_weights=extra, measure=floors)
        for tasks in given.tasks
        for seed in given.seeds
    ]
    runs: dict[str, list[tuple[dict[str, Curves], dict[str, Any]]]] = defaultdict(list)
    for cell, curves, found in run_grid(cells, given.processes):
        runs[cell.tasks.stem].append((curves, found))
    lists = [summary(name, results) for name, results in runs.items()]
    figures = {"lists": lists}
    print(json_of(figures) if given.output == "json" else shown(lists))
    judged = all_published(given, OPENB_LISTS)
    return concluded("power", figures, published=judged, output=given.output, keep=given.keep)


if __name__ == "__main__":
    raise SystemExit(main())
