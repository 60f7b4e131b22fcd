"""Whether FGD as re-implemented here is the published one: the same arrivals, seed by seed, and its published curve.

    python -m benchmarks.placement.peers --fleet F --tasks T [--tasks ...] --published P --seeds 42-51 -o json

The published programme's arrivals are replayed (`shuffles`), so what differs is the policy alone.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.placement import curves
from benchmarks.placement.figures import json_of
from benchmarks.placement.grid import checked, makers, mean_of, parser
from benchmarks.placement.protocol import replay
from benchmarks.placement.shuffles import as_published
from benchmarks.placement.traces import read_fleet, read_tasks
from tenure.placement.packing import FloatColumn, Watts

PEER = "fgd"


def curve(fleet: Path, tasks: Path, seed: int) -> FloatColumn:
    """FGD's allocated percent by arrival level, by the published arrivals of a seed."""
    machines = read_fleet(fleet)
    watts = Watts.published(machines.models)
    inputs = as_published(machines, read_tasks(tasks), seed)
    return replay(inputs, makers(watts)[PEER], watts, seed).allocated_pct


def replayed_as_published(given: argparse.Namespace) -> dict[str, dict[str, dict[str, Any]]]:
    """By list: FGD's mean curve over those of the seeds that were published, against the published mean of the same."""
    published = curves.read_published(given.published)
    known = {(name, peer): {int(row["seed"]): row for row in rows} for (name, peer), rows in published.items()}
    told: dict[str, dict[str, dict[str, Any]]] = {}
    for tasks in given.tasks:
        rows = known.get((tasks.stem, PEER), {})
        seeds = [seed for seed in given.seeds if seed in rows]
        if seeds:
            mean = mean_of(_curves([(given.fleet, tasks, seed) for seed in seeds], given.processes))
            curve_pct = {str(at): float(mean[at]) for at in range(0, 131, 5)}
            found = {"tasks": tasks.stem, "seeds": len(seeds), "policies": {PEER: {"curve_pct": curve_pct}}}
            told |= curves.against({(tasks.stem, PEER): [rows[seed] for seed in seeds]}, [found])
    return told


def _curves(cells: list[tuple[Path, Path, int]], processes: int) -> list[FloatColumn]:
    if processes < 2:
        return [curve(*cell) for cell in cells]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(curve, *zip(*cells, strict=True)))


def main() -> int:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--published", type=Path, required=True, help="CSV of published curves")
    given = arguments.parse_args()
    checked(given.fleet, given.tasks)
    told = replayed_as_published(given)
    print(json_of({"peers_vs_published": told}) if given.output == "json" else curves.shown(told))
    return 0 if all(one["points"] <= curves.LEAST_POINTS for peers in told.values() for one in peers.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
