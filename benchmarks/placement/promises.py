"""Promises in time: jobs with deadlines on one pool, accepted or refused at arrival; none that was accepted is late.

    python -m benchmarks.placement.promises --fleet 120x8 --tasks trace_job_Philly_SLO.csv --seeds 42 -o json

Prints ours, each peer and the limit from one run. A seed orders jobs that arrive in the same minute.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns

from benchmarks.peers.deadlines import by_deadline, by_laxity, fifo, preemptive
from benchmarks.placement.concluding import concluded, keep_option
from benchmarks.placement.figures import Figures, as_json, ints, show
from benchmarks.placement.fluid import fluid_limit
from benchmarks.placement.published import PHILLY, are
from benchmarks.placement.timed_traces import TimedJob, gpus_of, philly_jobs
from tenure.placement.deadlines import Admission, Declined, Job, SizeMix


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of our promises. ``decision_ns`` has one entry a job with a deadline."""

    met: set[str]
    promised: int
    broken: int
    refusals: Counter[str]
    decision_ns: list[int]
    stretch: float


def ours(jobs: Sequence[TimedJob], capacity: int, share: float | None = None) -> Kept:
    """Every job once at its arrival, in slots of the trace's time unit, until all promises are due."""
    door = Admission(capacity, mix=SizeMix() if share is None else SizeMix(share=share))
    promised: dict[str, int] = {}
    met: set[str] = set()
    refusals: Counter[str] = Counter()
    spent: list[int] = []
    early: list[float] = []
    broken = place = 0
    table = door.timetable
    while place < len(jobs) or table.bookings:
        if not table.bookings:
            table.skip_to(max(table.now, jobs[place].submit))
        while place < len(jobs) and jobs[place].submit <= table.now:
            job = jobs[place]
            place += 1
            began = perf_counter_ns()
            answer = door.decide(Job(job.name, job.width, job.length, job.deadline))
            spent.append(perf_counter_ns() - began)
            if isinstance(answer, Declined):
                refusals[answer.reason] += 1
            else:
                promised[job.name] = answer.by
        for booking in table.advance()[1]:
            by = promised[booking.name]
            if table.now <= by:
                met.add(booking.name)
                early.append(by - table.now)
            else:
                broken += 1
    broken += len(promised) - len(met) - broken
    return Kept(met, len(promised), broken, refusals, spent, sum(early) / max(1, len(early)))


def run(jobs: Sequence[TimedJob], capacity: int, seed: int, *, limit: bool, bucket: int) -> Figures:
    strict = [job for job in jobs if job.strict]
    shuffled = list(strict)
    random.Random(seed).shuffle(shuffled)
    shuffled.sort(key=lambda job: job.submit)
    work = sum(job.work for job in strict)

    def shares(met: set[str]) -> dict[str, float]:
        return {
            "jobs_pct": 100 * len(met) / len(strict),
            "gpu_time_pct": 100 * sum(job.work for job in strict if job.name in met) / work,
        }

    kept = ours(shuffled, capacity)
    figures = Figures("promises", seed)
    figures.add(
        "ours",
        **shares(kept.met),
        promised=kept.promised,
        broken=kept.broken,
        early=round(kept.stretch, 1),
        p50_us=_percentile(kept.decision_ns, 0.5),
        p99_us=_percentile(kept.decision_ns, 0.99),
    )
    figures.notes["refusals"] = dict(kept.refusals)
    figures.add("EDF-skip", **shares(preemptive(shuffled, capacity, by_deadline, skip=True)))
    figures.add("laxity-skip", **shares(preemptive(shuffled, capacity, by_laxity, skip=True)))
    figures.add("FIFO", **shares(fifo(shuffled, capacity)))
    if limit:
        figures.add(
            "fluid limit",
            jobs_pct=fluid_limit(strict, capacity, bucket=bucket, objective="jobs"),
            gpu_time_pct=fluid_limit(strict, capacity, bucket=bucket, objective="work"),
        )
    return figures


def _percentile(values: list[int], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1000, 1) if ordered else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--fleet", default="120x8", help="the pool: NODESxGPUS, or a file of a fleet's columns")
    parser.add_argument("--tasks", type=Path, required=True, help="jobs in Chronus' columns (minutes)")
    parser.add_argument("--seeds", type=ints, default=[42], help="for example 42-51 or 42,43")
    parser.add_argument("--bucket", type=int, default=60, help="minutes of a bucket of the fluid limit")
    parser.add_argument("--no-limit", action="store_true", help="leave the linear programme out")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    keep_option(parser)
    options = parser.parse_args()
    capacity = sum(gpus_of(options.fleet))
    jobs = philly_jobs(options.tasks)
    runs = [run(jobs, capacity, seed, limit=not options.no_limit, bucket=options.bucket) for seed in options.seeds]
    show(runs, options.output)
    judged = options.fleet == "120x8" and are([options.tasks], PHILLY)
    return concluded("promises", as_json(runs), published=judged, output=options.output, keep=options.keep)


if __name__ == "__main__":
    raise SystemExit(main())
