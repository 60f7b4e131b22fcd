"""Gangs on a tree: where they land, how long they wait, and what spreading them costs.

    python -m benchmarks.placement.gangs --fleet 128x8 --tasks cluster07.csv cluster03.csv \\
        --penalties simulation_throughputs.json --load 0.9 --seeds 42-44 -o json

Jobs in ElasticFlow's columns; arrivals are drawn together or apart until the work offered is ``--load`` of the fleet.
A gang that is wider than its tightest level (the narrowest that could ever carry it) runs slower by gavel's measured
penalty. All policies keep the same queues: one a width, first come first served, nobody held up by another width.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from benchmarks.peers.kueue import WALKS, topology_blind, walk
from benchmarks.placement.concluding import concluded, keep_option
from benchmarks.placement.figures import Figures, as_json, ints, show
from benchmarks.placement.published import ELASTICFLOW, GAVEL, are
from benchmarks.placement.timed_traces import TimedJob, elasticflow_jobs, gpus_of
from benchmarks.placement.traces import TraceError
from tenure.placement.gangs import Bookings, FreeCounts, GangChoice, LevelTree, Waiting, choose
from tenure.placement.gangs.waiting import Running

ONE = (1,)
FLEET, LEVELS, LOAD = "128x8", "rail=4,rack=16", 0.9
"""What the aim is stated for."""


def fleet_tree(nodes: int, levels: Sequence[tuple[str, int]]) -> LevelTree:
    """Node, then each level with so many nodes to a domain, then site."""
    every = [("node", [f"n{n:05d}" for n in range(nodes)])]
    every += [(name, [f"{name}{n // size:04d}" for n in range(nodes)]) for name, size in levels]
    return LevelTree.of([*every, ("site", ["site"] * nodes)])


def read_penalties(path: Path, gpu: str) -> dict[int, float]:
    """Spread over packed throughput by width: the median over gavel's jobs, at most 1."""
    data = json.loads(path.read_text(encoding="utf-8"))
    if gpu not in data or f"{gpu}_unconsolidated" not in data:
        raise TraceError(f"{path.name}: no throughputs of {gpu!r} packed and spread")
    ratios: dict[int, list[float]] = {}
    for key, packed in data[gpu].items():
        width = int(re.search(r"(\d+)\)$", key).group(1))  # type: ignore[union-attr]
        spread = data[f"{gpu}_unconsolidated"].get(key, {}).get("null")
        if width > 1 and spread and packed["null"]:
            ratios.setdefault(width, []).append(spread / packed["null"])
    return {width: min(1.0, median(values)) for width, values in sorted(ratios.items())}


def penalty(table: dict[int, float], width: int) -> float:
    """Of the greatest measured width that is no wider."""
    known = [one for one in table if one <= width]
    return table[max(known)] if known else 1.0


@dataclass(slots=True)
class Tally:
    """What is added up over one replay; work in GPU x seconds."""

    work: int = 0
    tight: int = 0
    occupied: float = 0.0
    until: float = 0.0
    useful: float = 0.0
    waits: float = 0.0
    work_waits: float = 0.0
    longest: float = 0.0
    stretch: float = 0.0
    gangs: int = 0
    spent: float = 0.0
    decisions: int = 0


Decide = Callable[[FreeCounts, TimedJob, str, "list[Running]", int, float], GangChoice | None]
"""From counts, job, its tightest level, what runs, now, and the rate at which it would run when spread."""


def ours(bookings: Bookings) -> Decide:
    """The library's policy for a queue of gangs, with its bookings for one replay."""

    def decide(
        counts: FreeCounts, job: TimedJob, level: str, running: list[Running], now: int, rate: float
    ) -> GangChoice | None:
        gang = Waiting(id(job), ONE, job.width, level, job.submit, job.length, rate)
        return bookings.place(counts, gang, running, now)

    return decide


def replay(
    jobs: Sequence[TimedJob],
    tree: LevelTree,
    gpus: Sequence[int],
    table: dict[int, float],
    decide: Decide,
    bookings: Bookings | None = None,
) -> dict[str, float]:
    """Every instant at which something arrives, ends or is booked to start, in order; figures of the whole."""
    counts = FreeCounts(tree, np.array(gpus, dtype=np.int64).reshape(-1, 1))
    tightest = {width: _tightest(counts, width) for width in {job.width for job in jobs}}
    queues: dict[int, deque[TimedJob]] = {}
    running: list[Running] = []
    tally = Tally()
    last_arrival = jobs[-1].submit
    place = now = 0
    while place < len(jobs) or running:
        ends, arrives = running[0].end_ms if running else 2**60, jobs[place].submit if place < len(jobs) else 2**60
        booked = bookings.next_start_ms(now) if bookings is not None else None
        now = min(ends, arrives, 2**60 if booked is None else booked)
        while place < len(jobs) and jobs[place].submit <= now:
            queues.setdefault(jobs[place].width, deque()).append(jobs[place])
            place += 1
        while running and running[0].end_ms <= now:
            ended = heapq.heappop(running)
            counts.give(ONE, ended.rows, ended.members)
        for width in sorted(queues, key=lambda width: queues[width][0].submit if queues[width] else 2**60):
            queue = queues[width]
            while queue:
                job = queue[0]
                rate = penalty(table, width)
                began = perf_counter()
                choice = decide(counts, job, tightest[width], running, now, rate)
                tally.spent += perf_counter() - began
                tally.decisions += 1
                if choice is None:
                    break
                queue.popleft()
                _start(counts, job, choice, tightest[width], rate, now, last_arrival, running, tally)
    return _rows(tally, sum(gpus), jobs)


def _tightest(counts: FreeCounts, width: int) -> str:
    choice = choose(counts, ONE, width)
    if choice is None:
        raise TraceError(f"a gang of {width} is wider than the fleet")
    return choice.level


def _start(
    counts: FreeCounts,
    job: TimedJob,
    choice: GangChoice,
    level: str,
    rate: float,
    now: int,
    last_arrival: int,
    running: list[Running],
    tally: Tally,
) -> None:
    counts.take(ONE, choice.rows, choice.members)
    domains = counts.tree.domains[counts.tree.names.index(level)][choice.rows]
    packed = len(set(domains.tolist())) == 1
    speed = 1.0 if packed else rate
    end = now + round(job.length / speed)
    tally.work += job.work
    tally.tight += job.work if packed else 0
    tally.occupied += job.width * (end - now)
    overlap = max(0, min(end, last_arrival) - now)
    tally.until += job.width * overlap
    tally.useful += job.width * overlap * speed
    tally.waits += now - job.submit
    tally.work_waits += job.work * (now - job.submit)
    tally.longest = max(tally.longest, now - job.submit)
    tally.stretch += (end - job.submit) / job.length
    tally.gangs += 1
    heapq.heappush(running, Running(end, tally.gangs, choice.rows, choice.members))


def _rows(tally: Tally, gpus: int, jobs: Sequence[TimedJob]) -> dict[str, float]:
    span = gpus * (jobs[-1].submit - jobs[0].submit)
    return {
        "tight_pct": 100 * tally.tight / tally.work,
        "mean_wait_h": tally.waits / tally.gangs / 3600,
        "work_wait_h": tally.work_waits / tally.work / 3600,
        "longest_wait_h": tally.longest / 3600,
        "mean_stretch": tally.stretch / tally.gangs,
        "throughput_pct": 100 * tally.work / tally.occupied,
        "occupied_pct": 100 * tally.until / span,
        "useful_pct": 100 * tally.useful / span,
        "us_per_decision": 1e6 * tally.spent / tally.decisions,
    }


def squeezed(jobs: Sequence[TimedJob], gpus: int, load: float, seed: int) -> list[TimedJob]:
    """Arrivals scaled in time until the work offered is this share of the fleet; the seed orders equal instants."""
    work = sum(job.work for job in jobs)
    first = min(job.submit for job in jobs)
    span = max(job.submit for job in jobs) - first
    factor = work / (gpus * load) / span
    shuffled = list(jobs)
    random.Random(seed).shuffle(shuffled)
    scaled = [replace(job, submit=round((job.submit - first) * factor)) for job in shuffled]
    return sorted(scaled, key=lambda job: job.submit)


def resampled(jobs: Sequence[TimedJob], seed: int) -> list[TimedJob]:
    """Another list of the same kind: as many jobs drawn with replacement, at instants drawn evenly over the span."""
    draw = random.Random(seed)
    span = max(job.submit for job in jobs) - min(job.submit for job in jobs)
    instants = sorted(draw.randint(0, span) for _ in jobs)
    return [replace(draw.choice(jobs), submit=at) for at in instants]


def run(jobs: Sequence[TimedJob], tree: LevelTree, gpus: Sequence[int], table: dict[int, float], seed: int) -> Figures:
    """Ours, each peer and the limit. ``gpus``: of each machine, in the tree's order."""
    figures = Figures("gangs", seed)

    def kueue(how: str, *, required: bool = False) -> Decide:
        return lambda counts, job, level, *_: walk(counts, ONE, job.width, level, required=required, how=how)

    def blind(counts: FreeCounts, job: TimedJob, *_: object) -> GangChoice | None:
        return topology_blind(counts, ONE, job.width)

    bookings = Bookings()
    figures.add("ours", **replay(jobs, tree, gpus, table, ours(bookings), bookings))
    for how in WALKS:
        figures.add(f"kueue {how}", **replay(jobs, tree, gpus, table, kueue(how)))
    figures.add("kueue required", **replay(jobs, tree, gpus, table, kueue("best-fit", required=True)))
    figures.add("topology-blind", **replay(jobs, tree, gpus, table, blind))
    figures.add("limit: blind, no penalty", **replay(jobs, tree, gpus, {}, blind))
    figures.notes["penalties"] = table
    return figures


def as_published(options: argparse.Namespace) -> bool:
    """Whether a run is the one that the aim is stated for."""
    stated = (options.fleet, options.levels, options.load, options.resampled) == (FLEET, LEVELS, LOAD, False)
    return stated and are(options.tasks, ELASTICFLOW) and are([options.penalties], GAVEL)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--fleet", default=FLEET, help="NODESxGPUS, or a file of a fleet's columns")
    parser.add_argument("--levels", default=LEVELS, help="machines a domain, in the fleet's order; narrowest first")
    parser.add_argument("--tasks", type=Path, nargs="+", required=True, help="jobs in ElasticFlow's columns (seconds)")
    parser.add_argument("--penalties", type=Path, required=True, help="gavel's throughputs")
    parser.add_argument("--gpu", default="v100", help="whose penalties")
    parser.add_argument("--load", type=float, default=LOAD, help="work offered over capacity")
    parser.add_argument("--seeds", type=ints, default=[42])
    parser.add_argument("--resampled", action="store_true", help="by each seed draw another list of the same kind")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    keep_option(parser)
    options = parser.parse_args()
    gpus = gpus_of(options.fleet)
    levels = [(name, int(size)) for name, _, size in (part.partition("=") for part in options.levels.split(","))]
    jobs = [job for path in options.tasks for job in elasticflow_jobs(path)]
    table = read_penalties(options.penalties, options.gpu)
    tree = fleet_tree(len(gpus), levels)
    runs = []
    for seed in options.seeds:
        drawn = resampled(jobs, seed) if options.resampled else jobs
        runs.append(run(squeezed(drawn, sum(gpus), options.load, seed), tree, gpus, table, seed))
    show(runs, options.output)
    judged = as_published(options)
    return concluded("gangs", as_json(runs), published=judged, output=options.output, keep=options.keep)


if __name__ == "__main__":
    raise SystemExit(main())
