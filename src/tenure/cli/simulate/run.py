"""One run of a trace on a fleet under a virtual clock: pure, so that the same arguments give the same bytes.

Jobs are decided as they come. One that does not fit waits; later ones may pass it only where they end before it could
start (a reservation is never delayed). A job with a deadline is promised the moment that it starts, because its end is
then known; one that can no longer end in time is refused. Only an outage can break a promise.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import numpy as np

from tenure.cli.simulate.site import Placed, Site, shares_of
from tenure.cli.simulate.traces import Job, Trace
from tenure.placement import Fleet
from tenure.placement.gangs.waiting import Running, frees_at

POINTS = 240
"""Instants of the curves and of the map: so many to twice as many, evenly spaced."""

BACKFILL_MAX = 64
"""Waiting jobs that are looked at behind the first, at each change."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Outage:
    """Machines of one domain (or one machine) that fail so long after the first arrival, and stay away."""

    domain: str
    at_ms: int = 0


@dataclass(slots=True)
class _Run:
    site: Site
    jobs: Sequence[Job]
    outages: Sequence[Outage]
    tick: Progress
    first_ms: int = 0
    now_ms: int = 0
    waiting: list[Job] = field(default_factory=list)
    running: dict[int, Placed] = field(default_factory=dict)
    ends: list[tuple[int, int]] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    held_by: Counter[str] = field(default_factory=Counter)
    noted: set[int] = field(default_factory=set)
    waits_ms: list[int] = field(default_factory=list)
    gpu_ms: int = 0
    peak_mw: int = 0
    series: list[dict[str, Any]] = field(default_factory=list)
    next: int = 0
    could: dict[tuple[object, ...], bool] = field(default_factory=dict)
    changed: bool = False


def simulate(
    fleet: Fleet,
    trace: Trace,
    *,
    seed: int = 0,
    outages: Sequence[Outage] = (),
    tick: Progress | None = None,
) -> dict[str, Any]:
    """Run the trace; the result as JSON-ready data. The seed orders a trace without times (0: as it is written)."""
    jobs = list(trace.jobs)
    if not trace.timed and seed:
        Random(seed).shuffle(jobs)
        jobs = [replace(job, arrival_ms=number * 1000) for number, job in enumerate(jobs)]
    run = _Run(Site.of(fleet, shares=shares_of(jobs)), jobs, outages, tick or (lambda *_: None))
    run.first_ms = min((job.arrival_ms for job in jobs), default=0)
    last_ms = max((job.arrival_ms for job in jobs), default=0)
    _go(run, max(1, (last_ms - run.first_ms) // POINTS))
    return _told(run, trace)


def _go(run: _Run, step_ms: int) -> None:
    """Instant by instant until nothing is to come. The state between two of them is sampled as it stood."""
    broken = sorted(run.outages, key=lambda outage: (outage.at_ms, outage.domain))
    while True:
        instants = [
            run.jobs[run.next].arrival_ms if run.next < len(run.jobs) else None,
            run.ends[0][0] if run.ends else None,
            run.first_ms + broken[0].at_ms if broken else None,
        ]
        known = [instant for instant in instants if instant is not None]
        if not known:
            break
        step_ms = _sample_until(run, min(known), step_ms)
        run.now_ms = min(known)
        while run.ends and run.ends[0][0] <= run.now_ms:
            _end(run, heapq.heappop(run.ends)[1])
        while broken and run.first_ms + broken[0].at_ms <= run.now_ms:
            _fail(run, broken.pop(0))
        while run.next < len(run.jobs) and run.jobs[run.next].arrival_ms <= run.now_ms:
            _arrive(run, run.jobs[run.next])
            run.next += 1
            run.tick(run.next, len(run.jobs))
        if run.changed:
            _serve(run)
    run.series.append(_sample(run, run.now_ms))


def _sample_until(run: _Run, until_ms: int, step_ms: int) -> int:
    """Samples before the next instant; when they are too many every second is dropped. The step from here on."""
    while (at_ms := run.first_ms + len(run.series) * step_ms) < until_ms:
        run.series.append(_sample(run, at_ms))
        if len(run.series) == 2 * POINTS + 1:
            run.series = run.series[::2]
            step_ms *= 2
    return step_ms


def _arrive(run: _Run, job: Job) -> None:
    run.count["arrived"] += 1
    run.site.arrived(job)
    key = (job.gpus, job.cpu_milli, job.memory_bytes, job.members, job.must, job.models)
    if key not in run.could:
        run.could[key] = run.site.ever_fits(job)
    if not run.could[key]:
        run.refused["larger than the fleet"] += 1
        return
    if _too_late(run, job):
        run.refused["deadline out of reach"] += 1
        return
    # An arrival changes nothing for those who wait; it is looked at alone unless it may go first.
    if run.waiting and not _may_pass(run, job):
        run.waiting.append(job)
        return
    if not _try(run, job):
        _note_held(run, job)
        run.waiting.append(job)


def _try(run: _Run, job: Job) -> bool:
    if _too_late(run, job):
        return False
    placed = run.site.start(job)
    if placed is None:
        return False
    placed.start_ms = run.now_ms
    number = run.count["started"]
    run.count["started"] += 1
    run.count["promised"] += job.deadline_ms is not None
    run.waits_ms.append(run.now_ms - job.arrival_ms)
    run.running[number] = placed
    run.peak_mw = max(run.peak_mw, run.site.draw_mw)
    if job.duration_ms is not None:
        placed.end_ms = run.now_ms + job.duration_ms
        heapq.heappush(run.ends, (placed.end_ms, number))
    return True


def _too_late(run: _Run, job: Job) -> bool:
    return job.deadline_ms is not None and run.now_ms + (job.duration_ms or 0) > job.deadline_ms


def _end(run: _Run, number: int) -> None:
    placed = run.running.pop(number, None)
    if placed is None:
        return
    run.site.end(placed)
    run.gpu_ms += (run.now_ms - placed.start_ms) * placed.job.gpu_total_milli // 1000
    run.count["finished"] += 1
    run.count["kept"] += placed.job.deadline_ms is not None
    run.changed = True


def _fail(run: _Run, outage: Outage) -> None:
    """What runs there is lost; a promise to it is broken. It starts again from the queue where that is still of use."""
    machines = run.site.fleet.machines
    rows = np.array(
        [n for n, m in enumerate(machines) if outage.domain in (m.name, *(domain for _, domain in m.place))],
        dtype=np.int64,
    )
    lost = [n for n, placed in run.running.items() if np.isin(placed.rows, rows).any()]
    for number in lost:
        placed = run.running.pop(number)
        run.site.end(placed)
        run.count["lost"] += 1
        run.count["broken"] += placed.job.deadline_ms is not None
        run.waiting.insert(0, placed.job)
    if len(rows):
        run.site.fail(rows)
    run.changed = True
    run.could.clear()


def _serve(run: _Run) -> None:
    """Those who wait, in order; behind the first that cannot start only those who do not delay it."""
    run.changed = False
    while run.waiting:
        job = run.waiting[0]
        if _too_late(run, job):
            run.refused["deadline out of reach"] += 1
            run.waiting.pop(0)
        elif _try(run, job):
            run.waiting.pop(0)
        else:
            _note_held(run, job)
            break
    if len(run.waiting) < 2:
        return
    until_ms = _reserved_ms(run)
    left = run.waiting[:1]
    for job in run.waiting[1 : BACKFILL_MAX + 1]:
        ends_before = until_ms is None or run.now_ms + (job.duration_ms or 1 << 62) <= until_ms
        if not (ends_before and _try(run, job)):
            left.append(job)
    run.waiting = left + run.waiting[BACKFILL_MAX + 1 :]


def _note_held(run: _Run, job: Job) -> None:
    """What first held a job back; once a job."""
    if id(job) not in run.noted:
        run.noted.add(id(job))
        run.held_by[run.site.why] += 1


def _may_pass(run: _Run, job: Job) -> bool:
    until_ms = _reserved_ms(run)
    return until_ms is None or run.now_ms + (job.duration_ms or 1 << 62) <= until_ms


def _reserved_ms(run: _Run) -> int | None:
    """When the first that waits could start if nothing else did; None where that is not known (shares, no ends)."""
    head, site = run.waiting[0], run.site
    if site.packer is not None:
        return None
    level = head.must if head.must in site.counts.tree.names else site.counts.tree.names[-1]
    running = [
        Running(placed.end_ms, number, placed.rows, placed.members)
        for number, placed in run.running.items()
        if placed.end_ms is not None
    ]
    return frees_at(site.counts, (head.gpus, head.cpu_milli, head.memory_bytes), head.members, level, running)


def _sample(run: _Run, at_ms: int) -> dict[str, Any]:
    site = run.site
    devices = site.capacity[:, 0] * 1000
    share = np.where(devices > 0, -(-site.used * 9 // np.maximum(devices, 1)), 0)
    pairs = zip(share.tolist(), site.out.tolist(), strict=True)
    digits = "".join("x" if out else str(min(9, digit)) for digit, out in pairs)
    return {
        "atMs": at_ms - run.first_ms,
        "gpus": round(int(site.used.sum()) / 1000, 3),
        "powerW": site.draw_mw // 1000,
        "waiting": len(run.waiting),
        "running": len(run.running),
        "map": digits,
    }


def _told(run: _Run, trace: Trace) -> dict[str, Any]:
    site = run.site
    waits = sorted(run.waits_ms)

    def percentile(share: float) -> float:
        return round(waits[min(len(waits) - 1, int(share * len(waits)))] / 1000, 1) if waits else 0.0

    span = max(1, run.series[-1]["atMs"] - run.series[0]["atMs"]) if run.series else 1
    gpus = int(site.capacity[:, 0].sum())
    for placed in run.running.values():
        run.gpu_ms += max(0, run.now_ms - placed.start_ms) * placed.job.gpu_total_milli // 1000
    late = [job for job in run.waiting if _too_late(run, job)]
    if late:
        run.refused["deadline out of reach"] += len(late)
    return {
        "trace": {"source": trace.source, "form": trace.form, "jobs": len(trace.jobs)},
        "fleet": {
            "machines": len(site.fleet.machines),
            "gpus": gpus,
            "levels": list(site.fleet.level_names()),
            "powerBudgets": len(site.power.budgets),
        },
        "jobs": {
            **{name: run.count[name] for name in ("arrived", "started", "finished", "lost")},
            "waitingAtEnd": len(run.waiting) - len(late),
            "refused": dict(sorted((reason, n) for reason, n in run.refused.items() if n)),
        },
        "promises": {name: run.count[name] for name in ("promised", "kept", "broken")},
        "waitSeconds": {
            "mean": round(sum(waits) / 1000 / max(1, len(waits)), 1),
            "p50": percentile(0.5),
            "p95": percentile(0.95),
            "max": round((waits[-1] if waits else 0) / 1000, 1),
        },
        "heldBy": dict(sorted((reason, n) for reason, n in run.held_by.items() if reason)),
        "gpuHours": round(run.gpu_ms / 3_600_000, 1),
        "occupiedShare": round(run.gpu_ms / max(1, gpus * span), 4),
        "peakPowerW": run.peak_mw // 1000,
        "series": run.series,
    }
