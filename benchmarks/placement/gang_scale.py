"""How the cost of placing gangs grows with the fleet: the columns, and the whole of `plan`.

    python -m benchmarks.placement.gang_scale --nodes 776,3104,12416 -o json

Nodes of 8 GPUs in rails of 16 and racks of 64 nodes. Columns: half full of random gangs; then gangs of 1,024 GPUs.
`plan`: the same gangs on a fleet that is empty, half held and wholly held, where the answer is a refusal.
"""

from __future__ import annotations

import argparse
import random
import tracemalloc
from dataclasses import replace
from time import perf_counter, process_time

import numpy as np

from benchmarks.placement.concluding import concluded, keep_option
from benchmarks.placement.figures import Figures, as_json, ints, show
from benchmarks.placement.gangs import fleet_tree
from tenure.placement import (
    Calendar,
    Claim,
    Core,
    Demand,
    Device,
    DeviceClaim,
    DeviceRequest,
    Fleet,
    FleetMachine,
    Hold,
    Level,
    Plan,
    Role,
    plan,
)
from tenure.placement.gangs import FreeCounts, choose

GPUS = 8
GANG = 1024
NODES = [776, 3104, 12416]
"""Of 8 GPUs: as many GPUs as openb's fleet has, copied 1x, 4x and 16x."""


def on_columns(nodes: int, seed: int) -> dict[str, float]:
    """Milliseconds to choose and take gangs on the tree of free counts."""
    draw = random.Random(seed)
    tracemalloc.start()
    counts = FreeCounts(fleet_tree(nodes, [("rail", 16), ("rack", 64)]), np.full((nodes, 1), GPUS, dtype=np.int64))
    choose(counts, (1,), 1)
    memory = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    small: list[float] = []
    taken = 0
    while taken < nodes * GPUS // 2:
        size = draw.choice([1, 1, 2, 4, 8, 16, 64])
        small.append(_timed(counts, 1, size))
        taken += size
    large = [_timed(counts, GPUS, GANG // GPUS), _timed(counts, 1, GANG)]
    return {
        "gpus": nodes * GPUS,
        "small_p50_ms": sorted(small)[len(small) // 2],
        "small_p99_ms": sorted(small)[int(0.99 * len(small))],
        "gang_1024_by_8_ms": large[0],
        "gang_1024_by_1_ms": large[1],
        "bytes_per_node": memory / nodes,
    }


def _timed(counts: FreeCounts, need: int, members: int) -> float:
    began = perf_counter()
    choice = choose(counts, (need,), members)
    if choice is not None:
        counts.take((need,), choice.rows, choice.members)
    return 1000 * (perf_counter() - began)


HOLD_MS = 3_600_000
HELD = {"empty": 0.0, "half held": 0.5, "wholly held": 1.0}
"""Shares of the machines, drawn evenly, on which every GPU is held."""

DEMANDS = (("one", 1, 1), ("gang_1024_by_8", GANG // GPUS, GPUS), ("gang_1024_by_1", GANG, 1))


def on_plan(nodes: int, held: float, seed: int) -> dict[str, float]:
    """Milliseconds of `plan`: the exact search of every machine, nothing kept between calls but what a fleet keeps.

    Wall and processor time. Where all is held the answer is a refusal with its funnel and its minimal set of reasons.
    """
    fleet = fleet_of(nodes)
    calendar = held_calendar(fleet, held, seed)
    figures: dict[str, float] = {"gpus": nodes * GPUS}
    for name, count, gpus in DEMANDS:
        demand = Demand(name, (Role(count=count, cores=gpus, devices=(DeviceRequest("gpu", gpus),)),), duration_ms=1)
        began, began_cpu = perf_counter(), process_time()
        answer = plan(fleet, calendar, demand, now_ms=0)
        figures[f"{name}_ms"] = 1000 * (perf_counter() - began)
        figures[f"{name}_cpu_ms"] = 1000 * (process_time() - began_cpu)
        free = nodes * GPUS * (1 - held)
        assert isinstance(answer, Plan) == (free >= count * gpus), f"{name}: {answer}"
    return figures


def fleet_of(nodes: int) -> Fleet:
    """Nodes of 64 cores and 8 GPUs on two NUMA nodes."""
    base = FleetMachine(
        "node",
        "site",
        cores=tuple(Core(n, n // 32, n // 8) for n in range(64)),
        devices=tuple(Device(f"gpu{n}", "gpu", numa_node=n // 4, pcie_switch=f"s{n // 2}") for n in range(GPUS)),
    )
    machines = [
        replace(base, name=f"n{n:05d}", place=(("rail", f"rail{n // 16}"), ("rack", f"rack{n // 64}")))
        for n in range(nodes)
    ]
    return Fleet.of(machines, levels=(Level("rail"), Level("rack")))


def held_calendar(fleet: Fleet, share: float, seed: int) -> Calendar:
    """All GPUs of so many machines held, by one hold a machine."""
    rows = sorted(random.Random(seed).sample(range(len(fleet.machines)), round(share * len(fleet.machines))))
    devices = tuple(DeviceClaim(device.id, 1000) for device in fleet.machines[0].devices)
    cores = tuple(range(GPUS))
    claims = {row: Claim(fleet.machines[row].name, cores=cores, devices=devices) for row in rows}
    return Calendar.of(Hold(f"h{row}", "", "site", 0, HOLD_MS, (claim,)) for row, claim in claims.items())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--nodes", type=ints, default=NODES)
    parser.add_argument("--seeds", type=ints, default=[42])
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    keep_option(parser)
    options = parser.parse_args()
    runs = []
    for seed in options.seeds:
        figures = Figures("gang-scale", seed)
        for nodes in options.nodes:
            figures.add(f"columns, {nodes} nodes", **on_columns(nodes, seed))
        for state, held in HELD.items():
            for nodes in options.nodes:
                figures.add(f"plan, {state}, {nodes} nodes", **on_plan(nodes, held, seed))
        runs.append(figures)
    show(runs, options.output)
    judged = options.nodes == NODES
    return concluded("gang_scale", as_json(runs), published=judged, output=options.output, keep=options.keep)


if __name__ == "__main__":
    raise SystemExit(main())
