"""How the cost of placing gangs grows with the fleet: the columns, and the whole of `plan`.

    python -m benchmarks.placement.gang_scale --nodes 776,3104,12416 -o json

Nodes of 8 GPUs in rails of 16 and racks of 64 nodes, half full of random gangs; then gangs of 1,024 GPUs.
"""

from __future__ import annotations

import argparse
import random
import tracemalloc
from dataclasses import replace
from time import perf_counter

import numpy as np

from benchmarks.placement.concluding import concluded, keep_option
from benchmarks.placement.figures import Figures, as_json, ints, show
from benchmarks.placement.gangs import fleet_tree
from tenure.placement import Calendar, Core, Demand, Device, DeviceRequest, Fleet, FleetMachine, Level, Plan, Role, plan
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


def on_plan(nodes: int) -> dict[str, float]:
    """Milliseconds of `plan` on an empty fleet: the exact search of every machine, nothing kept between calls."""
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
    fleet = Fleet.of(machines, levels=(Level("rail"), Level("rack")))
    times = {}
    for name, count, gpus in (("one", 1, 1), ("gang_1024_by_8", GANG // GPUS, GPUS), ("gang_1024_by_1", GANG, 1)):
        demand = Demand(name, (Role(count=count, cores=gpus, devices=(DeviceRequest("gpu", gpus),)),), duration_ms=1)
        began = perf_counter()
        answer = plan(fleet, Calendar(), demand, now_ms=0)
        times[f"{name}_ms"] = 1000 * (perf_counter() - began)
        assert isinstance(answer, Plan) or nodes * GPUS < GANG
    return {"gpus": nodes * GPUS, **times}


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
        for nodes in options.nodes:
            figures.add(f"plan, {nodes} nodes", **on_plan(nodes))
        runs.append(figures)
    show(runs, options.output)
    judged = options.nodes == NODES
    return concluded("gang_scale", as_json(runs), published=judged, output=options.output, keep=options.keep)


if __name__ == "__main__":
    raise SystemExit(main())
