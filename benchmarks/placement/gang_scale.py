"""How the cost of placing gangs grows with the fleet: the columns, and the whole of `plan`.

    python -m benchmarks.placement.gang_scale --nodes 776,3104,12416 -o json
    python -m benchmarks.placement.gang_scale --fleet FILE -o json

Nodes of 8 GPUs, or as many as each machine of a file has, in rails of 16 and racks of 64 nodes. Columns: half full of
random gangs; then gangs of 1,024 GPUs.
`plan`: the same gangs on a fleet that is empty, half held, and wholly held (for longer than is asked, until within it,
or from within it on), where the answer is a refusal; the largest fleet also with one machine out of service, and beside
nodes of 8 GPUs as many machines of openb's mix.
"""

from __future__ import annotations

import argparse
import random
import sys
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from benchmarks.placement.concluding import concluded, keep_option
from benchmarks.placement.figures import Figures, as_json, ints, show
from benchmarks.placement.gangs import fleet_tree
from benchmarks.placement.timed_traces import gpus_of
from benchmarks.placement.traces import TraceError
from tenure.cli.collector import set_aside
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

OPENB = {8: 617, 4: 54, 2: 518, 1: 24}
"""Machines by their GPUs in openb's fleet (`openb_node_list_gpu_node.csv`)."""


def openb_copied(copies: int) -> list[int]:
    """GPUs of each machine of so many such fleets, in an order of no meaning."""
    gpus = [count for count, machines in OPENB.items() for _ in range(machines * copies)]
    random.Random(0).shuffle(gpus)
    return gpus


def on_columns(gpus: Sequence[int], seed: int) -> dict[str, float]:
    """Milliseconds to choose and take gangs on the tree of free counts, of nodes with so many GPUs each."""
    draw, nodes, total = random.Random(seed), len(gpus), sum(gpus)
    tracemalloc.start()
    capacity = np.array(gpus, dtype=np.int64).reshape(nodes, 1)
    counts = FreeCounts(fleet_tree(nodes, [("rail", 16), ("rack", 64)]), capacity)
    choose(counts, (1,), 1)
    memory = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    small: list[float] = []
    taken = 0
    while taken < total // 2:
        size = draw.choice([1, 1, 2, 4, 8, 16, 64])
        small.append(_timed(counts, 1, size))
        taken += size
    large = [_timed(counts, GPUS, GANG // GPUS), _timed(counts, 1, GANG)]
    return {
        "gpus": total,
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


HOLD_MS, RUN_MS = 3_600_000, 60_000
HELD = {
    "empty": (0.0, 0, HOLD_MS),
    "half held": (0.5, 0, HOLD_MS),
    "wholly held": (1.0, 0, HOLD_MS),
    "wholly held, ends within": (1.0, 0, RUN_MS // 2),
    "wholly reserved": (1.0, RUN_MS // 2, HOLD_MS),
}
"""Shares of the machines, drawn evenly, on which every GPU is held, and from when until when."""

DEMANDS = (("one", 1, 1), ("gang_1024_by_8", GANG // GPUS, GPUS), ("gang_1024_by_1", GANG, 1))


def on_plan(gpus_each: Sequence[int], held: tuple[float, int, int], seed: int, out: int = 0) -> dict[str, float]:
    """Milliseconds of `plan`: the exact search of every machine, nothing kept between calls but what a fleet keeps.

    Wall and processor time. Where all is held the answer is a refusal with its funnel and its minimal set of reasons.
    The fleet, and what is kept with it, is set aside from Python's collector before each question, as `tenure up` does
    every twenty seconds: a collection that looks through a million objects that stay, and happens to fall into a
    question, takes a fifth of a second.
    So many of the machines are ``out`` of service.
    """
    fleet = fleet_of(gpus_each, out)
    calendar = held_calendar(fleet, *held, seed)
    figures: dict[str, float] = {"gpus": sum(gpus_each)}
    for name, count, gpus in DEMANDS:
        demand = Demand(
            name, (Role(count=count, cores=gpus, devices=(DeviceRequest("gpu", gpus),)),), duration_ms=RUN_MS
        )
        set_aside()
        began, began_cpu = perf_counter(), process_time()
        answer = plan(fleet, calendar, demand, now_ms=0)
        figures[f"{name}_ms"] = 1000 * (perf_counter() - began)
        figures[f"{name}_cpu_ms"] = 1000 * (process_time() - began_cpu)
        unheld = (m for m in fleet.machines if m.schedulable and m.name not in calendar.by_machine)
        free = sum(len(machine.devices) // gpus for machine in unheld)
        assert isinstance(answer, Plan) == (free >= count), f"{name}: {answer}"
    return figures


def fleet_of(gpus: Sequence[int], out: int = 0) -> Fleet:
    """Nodes of 64 cores and so many GPUs on two NUMA nodes; some in the middle are ``out`` of service."""
    middle = len(gpus) // 2
    cores = tuple(Core(n, n // 32, n // 8) for n in range(64))
    sorts = {
        count: FleetMachine(
            "node",
            "site",
            cores=cores,
            devices=tuple(
                Device(f"gpu{n}", "gpu", numa_node=n * 2 // count, pcie_switch=f"s{n // 2}") for n in range(count)
            ),
        )
        for count in dict.fromkeys(gpus)
    }
    machines = [
        replace(
            sorts[count],
            name=f"n{n:05d}",
            place=(("rail", f"rail{n // 16}"), ("rack", f"rack{n // 64}")),
            schedulable=not middle <= n < middle + out,
        )
        for n, count in enumerate(gpus)
    ]
    return Fleet.of(machines, levels=(Level("rail"), Level("rack")))


def held_calendar(fleet: Fleet, share: float, start_ms: int, end_ms: int, seed: int) -> Calendar:
    """All GPUs of so many machines held, by one hold a machine."""
    rows = sorted(random.Random(seed).sample(range(len(fleet.machines)), round(share * len(fleet.machines))))
    claims: dict[int, Claim] = {}
    for row in rows:
        machine = fleet.machines[row]
        devices = tuple(DeviceClaim(device.id, 1000) for device in machine.devices)
        claims[row] = Claim(machine.name, cores=tuple(range(min(len(devices), 64))), devices=devices)
    return Calendar.of(Hold(f"h{row}", "", "site", start_ms, end_ms, (claim,)) for row, claim in claims.items())


def machines_of(path: Path) -> list[int]:
    """GPUs of each machine in a file that has any; exit status 2 with file, row and column where it is malformed."""
    try:
        return gpus_of(str(path))
    except (OSError, TraceError) as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--nodes", type=ints, default=NODES, help="nodes of 8 GPUs, such as 776,3104")
    parser.add_argument("--fleet", type=Path, help="machines of this file of a fleet's columns instead")
    parser.add_argument("--seeds", type=ints, default=[42])
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    keep_option(parser)
    options = parser.parse_args()
    fleets = [[GPUS] * nodes for nodes in options.nodes] if options.fleet is None else [machines_of(options.fleet)]
    planned = [("", gpus, 0) for gpus in fleets] + [(", one out of service", max(fleets, key=len), 1)]
    if options.fleet is None:
        planned.append((", openb's mix", openb_copied(max(1, max(options.nodes) // NODES[0])), 0))
    runs = []
    for seed in options.seeds:
        figures = Figures("gang-scale", seed)
        for gpus in fleets:
            figures.add(f"columns, {len(gpus)} nodes", **on_columns(gpus, seed))
        for state, held in HELD.items():
            for which, gpus, out in planned:
                figures.add(f"plan, {state}{which}, {len(gpus)} nodes", **on_plan(gpus, held, seed, out))
        runs.append(figures)
    show(runs, options.output)
    judged = options.nodes == NODES and options.fleet is None
    return concluded("gang_scale", as_json(runs), published=judged, output=options.output, keep=options.keep)


if __name__ == "__main__":
    raise SystemExit(main())
