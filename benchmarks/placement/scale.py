"""Does a decision cost the same on a larger fleet? The fleet copied 1x, 4x, 16x, the same protocol.

    python -m benchmarks.placement.scale --fleet F --tasks T --seeds 42 --copies 1,4,16 -o json

Pricing is part of every decision timed; `cpu` is the deciding thread's processor time, the others are by the wall
clock, which also counts what else the machine is doing. Every seed is measured, and the worst is judged. Memory is what
the packer and the state hold, by the allocator's own count.
"""

from __future__ import annotations

import sys
import tracemalloc
from time import perf_counter, thread_time_ns
from typing import Any

import numpy as np

from benchmarks.peers import BestFit, Cached
from benchmarks.placement.concluding import concluded
from benchmarks.placement.figures import json_of
from benchmarks.placement.grid import Ours, checked, parser
from benchmarks.placement.protocol import arrivals, replay
from benchmarks.placement.published import OPENB_DEFAULT, OPENB_FLEET, are
from benchmarks.placement.report import table
from benchmarks.placement.traces import read_fleet, read_tasks
from tenure.placement.packing import ClassTable, FleetState, IntColumn, Watts

COPIES = "1,4,16"


def measure(fleet_path: Any, tasks_path: Any, seed: int, copies: int, peers: bool) -> dict[str, Any]:
    fleet = read_fleet(fleet_path).copied(copies)
    watts = Watts.published(fleet.models)
    inputs = arrivals(fleet, read_tasks(tasks_path), seed)
    start_up = 0.0

    def ours(state: FleetState, classes: ClassTable, _counts: IntColumn, _seed: int) -> Ours:
        nonlocal start_up
        start = perf_counter()
        made = Ours(state, classes, watts)
        start_up = perf_counter() - start
        return made

    curves = replay(inputs, ours, watts, seed, processor_time=True)
    spent = curves.decision_ns
    processor = np.maximum(0, curves.decision_cpu_ns - cost_of_reading())
    found = {
        "copies": copies,
        "machines": len(fleet),
        "devices": int(fleet.devices.sum()),
        "decisions": len(spent),
        "decisions_per_s": len(spent) / (spent.sum() / 1e9),
        "p50_ms": float(np.percentile(spent, 50) / 1e6),
        "p99_ms": float(np.percentile(spent, 99) / 1e6),
        "p50_cpu_ms": float(np.percentile(processor, 50) / 1e6),
        "p99_cpu_ms": float(np.percentile(processor, 99) / 1e6),
        "mean_ms": float(spent.mean() / 1e6),
        "mean_cpu_ms": float(processor.mean() / 1e6),
        "longest_ms": float(spent.max() / 1e6),
        "longest_cpu_ms": float(processor.max() / 1e6),
        "start_up_ms": 1000 * start_up,
        "bytes_per_machine": held_bytes(inputs, watts) / len(fleet),
        "allocated_100_pct": float(curves.allocated_pct[100]),
    }
    if peers:
        peer = replay(
            inputs, lambda state, classes, _c, _s: Cached(BestFit(state, classes), state, classes), watts, seed
        )
        found["bestfit_decisions_per_s"] = len(spent) / (peer.decision_ns.sum() / 1e9)
    return found


def cost_of_reading() -> int:
    """Processor time that reading processor time takes, in ns: some kernels charge for it, so it is taken off."""
    pairs = [(thread_time_ns(), thread_time_ns()) for _ in range(1000)]
    return int(np.median([after - before for before, after in pairs]))


def held_bytes(inputs: Any, watts: Watts) -> int:
    """Bytes of state and packer once every class of the list has been seen."""
    tracemalloc.start()
    try:
        state = FleetState(inputs.fleet)
        policy = Ours(state, inputs.classes, watts)
        for index in range(len(inputs.classes)):
            policy.choose(index)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    return held


def main() -> int:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--copies", default=COPIES)
    arguments.add_argument("--no-peers", action="store_true")
    given = arguments.parse_args()
    checked(given.fleet, given.tasks)
    rows = []
    for tasks in given.tasks:
        for seed in given.seeds:
            for copies in given.copies.split(","):
                print(f"{tasks.stem} x {copies}, seed {seed}", file=sys.stderr, flush=True)
                found = measure(given.fleet, tasks, seed, int(copies), not given.no_peers)
                rows.append({"tasks": tasks.stem, "seed": seed, **found})
    figures = {"rows": rows}
    print(json_of(figures) if given.output == "json" else shown(rows))
    judged = are([given.fleet], OPENB_FLEET) and are(given.tasks, OPENB_DEFAULT) and given.copies == COPIES
    return concluded("scale", figures, published=judged, output=given.output, keep=given.keep)


def shown(rows: list[dict[str, Any]]) -> str:
    keys = [key for key in rows[0] if key != "tasks"]
    return table(["tasks", *keys], [[row["tasks"], *(_text(row[key]) for key in keys)] for row in rows])


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:,.3f}" if value < 100 else f"{value:,.0f}"


if __name__ == "__main__":
    raise SystemExit(main())
