"""One run of a trace on a fleet under a virtual clock: pure, so that the same arguments give the same bytes.

Jobs are decided as they come: with a firm end, and stopped and resumed, where the fleet is one pool to the trace
(`promised`); else each is planned and booked as the door would do it (`planned`). A trace too large for that, which may
show only on the way, goes by placement's columns in a queue, where a promise is made at the start (`queue`). In all,
only an outage can break one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from tenure.cli.simulate.jobs import Trace
from tenure.cli.simulate.planned import Planned, TooManyError
from tenure.cli.simulate.pool import Pool, pool_of
from tenure.cli.simulate.promised import Promised
from tenure.cli.simulate.queue import Queue
from tenure.cli.simulate.site import Site, shares_of
from tenure.cli.simulate.state import Door, State
from tenure.cli.simulate.telling import sample, told
from tenure.cli.simulate.workloads import ARRIVAL_PATH
from tenure.controllers.answering.policy import POLICY
from tenure.placement import Choice, Fleet, FleetMachine
from tenure.resources.problems import Problem, ProblemsFound

POINTS = 240
"""Instants of the curves and of the map: so many to twice as many, evenly spaced."""

PLANNED_MAX = 2_000_000
"""Machines that `plan` passes over, for each job anew, and bookings, for each that has to wait: in a quarter of a
minute (lone members) to two minutes (gangs, or two thousand jobs that wait behind each other). The columns do not."""

MANIFESTS_FACTOR = 10
"""Manifests are planned for so much longer before they are refused: no queue knows all that they say."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Outage:
    """Machines of one domain (or one machine) that fail so long after the first arrival, and stay away. Without a
    level it is whatever is called so."""

    domain: str
    at_ms: int = 0
    level: str = ""


def simulate(
    fleet: Fleet,
    trace: Trace,
    *,
    seed: int = 0,
    outages: Sequence[Outage] = (),
    tick: Progress | None = None,
    choice: Choice = POLICY.choice,
    planned_max: int = PLANNED_MAX,
) -> dict[str, Any]:
    """Run the trace; the result as JSON-ready data. The seed orders a trace without times (0: as it is written);
    `choice` is by what one of several places is chosen where jobs are planned. Raises ProblemsFound where manifests
    are too many."""
    jobs = list(trace.jobs)
    if not trace.timed and seed:
        Random(seed).shuffle(jobs)
        jobs = [job.moved(number * 1000) for number, job in enumerate(jobs)]
    manifests = any(job.spec is not None for job in jobs)
    passed_max = planned_max * (MANIFESTS_FACTOR if manifests else 1)

    def run(*, columns: bool) -> dict[str, Any]:
        site = Site.of(fleet, shares=columns and shares_of(jobs))
        state = State(site, jobs, first_ms=min((job.arrival_ms for job in jobs), default=0))
        pool = pool_of(site, jobs)
        door: Door
        if isinstance(pool, Pool):
            door = Promised.of(state, pool)
        elif columns:
            many = f"{len(jobs):,} jobs on {len(fleet.machines):,} machines are too many to plan"
            door = Queue(state, f"{pool}, and {many}")
        else:
            door = Planned(state, fleet, choice, passed_max)
        _go(state, door, outages, tick or (lambda *_: None))
        return told(state, door, trace)

    too_many = TooManyError(0, 0) if len(jobs) * len(fleet.machines) > passed_max else None
    if too_many is None:
        try:
            return run(columns=False)
        except TooManyError as found:
            too_many = found
    if manifests:
        raise ProblemsFound([_too_large(trace, fleet, too_many)])
    return run(columns=True)


def _too_large(trace: Trace, fleet: Fleet, found: TooManyError) -> Problem:
    """Manifests say more than columns know, so they are planned or refused."""
    stood = f"; {found.booked:,} of the first {found.arrived:,} were still booked" if found.arrived else ""
    message = f"{len(trace.jobs):,} Workloads on {len(fleet.machines):,} machines take too long to plan{stood}"
    step = "let fewer come, or further apart; as a table a trace of any size goes through a queue"
    return Problem("TraceTooLarge", message, ARRIVAL_PATH, step, trace.source)


def _go(state: State, door: Door, outages: Sequence[Outage], tick: Progress) -> None:
    """Instant by instant until nothing is to come. The state between two of them is sampled as it stood."""
    jobs, first_ms = state.jobs, state.first_ms
    step_ms = max(1, (max((job.arrival_ms for job in jobs), default=0) - first_ms) // POINTS)
    broken = sorted(outages, key=lambda outage: (outage.at_ms, outage.domain))
    number = 0
    while True:
        instants = [
            jobs[number].arrival_ms if number < len(jobs) else None,
            door.next_ms(),
            first_ms + broken[0].at_ms if broken else None,
        ]
        known = [instant for instant in instants if instant is not None]
        if not known:
            break
        step_ms = _sample_until(state, door, min(known), step_ms)
        state.now_ms = min(known)
        door.end_due()
        while broken and first_ms + broken[0].at_ms <= state.now_ms:
            _fail(state, door, broken.pop(0))
        while number < len(jobs) and jobs[number].arrival_ms <= state.now_ms:
            state.count["arrived"] += 1
            state.site.arrived(jobs[number])
            door.arrive(number, jobs[number])
            number += 1
            tick(number, len(jobs))
        door.serve()
    state.series.append(sample(state, len(door.waiting), state.now_ms))


def _sample_until(state: State, door: Door, until_ms: int, step_ms: int) -> int:
    """Samples before the next instant; when they are too many every second is dropped. The step from here on."""
    while (at_ms := state.first_ms + len(state.series) * step_ms) < until_ms:
        state.series.append(sample(state, len(door.waiting), at_ms))
        if len(state.series) == 2 * POINTS + 1:
            state.series = state.series[::2]
            step_ms *= 2
    return step_ms


def _fail(state: State, door: Door, outage: Outage) -> None:
    machines = state.site.fleet.machines

    def fails(machine: FleetMachine) -> bool:
        if outage.level:
            return machine.domain(outage.level) == outage.domain
        return outage.domain in (machine.name, *(domain for _, domain in machine.place))

    named = [n for n, machine in enumerate(machines) if fails(machine)]
    door.fail(np.array(named, dtype=np.int64))
