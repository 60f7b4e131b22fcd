"""Each job is planned the moment that it comes, by `placement.plan` and the scores of the Site, and booked.

A booking is a hold in the calendar: its start is firm, and nothing that comes later delays it; what fits before it or
beside it is filled in. So a job that has to wait knows until when, and one with a deadline is promised or refused as it
comes. An outage breaks only those promises that no other booking keeps; what ran on machines that failed begins anew.
"""

from __future__ import annotations

import heapq
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tenure.cli.simulate.asked import demand_of
from tenure.cli.simulate.jobs import Job
from tenure.cli.simulate.site import Placed
from tenure.cli.simulate.state import TOO_LARGE, TOO_LATE, State
from tenure.placement import (
    Budget,
    Calendar,
    Choice,
    Demand,
    Fleet,
    Hold,
    Plan,
    Start,
    budgets_left,
    draws,
    earliest_start,
    plan,
)
from tenure.placement.budgets import claim_draw, overdrawn
from tenure.placement.gangs.tree import Rows

NO_ROOM = "no room before the deadline"
NO_START = "no room by its latest start"
SIZE = frozenset({"devices:gpu", "cores", "memory", "members", "schedulable"})
"""What a fleet lacks that is too small."""

RATED = Budget("power", "site", "", limit=0)
"""Charges what a claim draws at rated watts; it limits nothing."""


class TooManyError(Exception):
    """More was passed over than may be; `arrived` jobs had come, and `booked` of them were still in the calendar."""

    def __init__(self, arrived: int, booked: int) -> None:
        super().__init__(f"{booked} bookings after {arrived} jobs")
        self.arrived, self.booked = arrived, booked


START, END = 1, 0
"""What happens to a booking; at one instant what ends is gone before what starts is placed."""


@dataclass(slots=True)
class Booked:
    """A job with its hold, and the key under which it runs once it does."""

    job: Job
    hold: Hold
    key: int | None = None


@dataclass(slots=True)
class Planned:
    """The door of `plan`. Jobs are known by their number in the trace; `unbooked` are those for which no room is known
    to come. For each job `plan` passes over all machines, and where it has to wait over all bookings; `passed` counts
    them, up to `passed_max`."""

    state: State
    fleet: Fleet
    choice: Choice
    passed_max: int = sys.maxsize
    passed: int = 0
    calendar: Calendar = field(default_factory=Calendar)
    booked: dict[int, Booked] = field(default_factory=dict)
    unbooked: dict[int, Job] = field(default_factory=dict)
    due: list[tuple[int, int, int]] = field(default_factory=list)
    began: set[int] = field(default_factory=set)
    fits: dict[Demand, str | None] = field(default_factory=dict)

    @property
    def waiting(self) -> Sequence[Job]:
        """Those that have come and do not run."""
        return [one.job for one in self.booked.values() if one.key is None] + list(self.unbooked.values())

    def next_ms(self) -> int | None:
        """The next start or end."""
        while self.due and not self._stands(self.due[0]):
            heapq.heappop(self.due)
        return self.due[0][0] if self.due else None

    def end_due(self) -> None:
        """What was booked until now has ended, in time: only an outage takes a booking away."""
        ended = False
        while (at_ms := self.next_ms()) is not None and at_ms <= self.state.now_ms and self.due[0][1] == END:
            placed = self._forget(heapq.heappop(self.due)[2])
            assert placed is not None, "what ends has started"
            self.state.count["finished"] += 1
            if placed.job.deadline_ms is not None:
                self.state.kept(placed)
            ended = True
        if ended and self.unbooked:
            self._ask_again()

    def arrive(self, number: int, job: Job) -> None:
        """Book it, once and for all; refuse what never fits or comes too late; else let it wait."""
        demand = demand_of(job, self.fleet, now_ms=self.state.now_ms)
        if not self._admitted(job, demand):
            return
        if self._book(number, job, demand):
            self.state.count["promised"] += job.deadline_ms is not None
        else:
            self._without_room(number, job)

    def fail(self, rows: Rows) -> None:
        """What is booked there is booked elsewhere, as far as that is of use: first what has to start by an instant,
        the most urgent first, so that nothing that can wait takes its room; then the rest in the order in which it
        came."""
        state = self.state
        machines = self.fleet.machines
        lost = {machines[row].name for row in rows.tolist()}
        out = [replace(m, schedulable=False) if m.name in lost else m for m in machines]
        self.fleet = Fleet.of(out, levels=self.fleet.levels, budgets=self.fleet.budgets)
        self.fits.clear()
        hit = {n for n, one in self.booked.items() if any(claim.machine in lost for claim in one.hold.claims)}
        again = dict(self.unbooked)
        for number in sorted(hit):
            one = self.booked[number]
            state.count["lost"] += one.key is not None
            self._forget(number)
            again[number] = one.job
        if len(rows):
            state.site.fail(rows)
        self.unbooked = {}
        for number, job in sorted(again.items(), key=lambda item: self._urgency(*item)):
            asked = self._still_asked(number, job)
            demand = demand_of(asked, self.fleet, now_ms=state.now_ms)
            if number in hit and job.deadline_ms is not None:
                # It was promised: another booking keeps that, or it is broken.
                state.count["broken"] += self._too_late(asked, demand) or not self._book(number, job, demand)
            elif self._admitted(asked, demand) and not self._book(number, job, demand):
                self._without_room(number, job)

    def serve(self) -> None:
        """What is booked from now on starts."""
        state = self.state
        while (at_ms := self.next_ms()) is not None and at_ms <= state.now_ms and self.due[0][1] == START:
            number = heapq.heappop(self.due)[2]
            one = self.booked[number]
            placed = self._placed(one)
            state.site.stand(placed)
            one.key = state.put(placed)
            if number not in self.began:
                self.began.add(number)
                state.began(one.job)

    def told(self) -> dict[str, Any]:
        """Promises are made at arrival, because every start is known then."""
        return {"madeAt": "arrival", "because": "every job is planned as it comes, as at the door"}

    def _still_asked(self, number: int, job: Job) -> Job:
        """What a job asks for by now: once it has begun, it has started in time."""
        return replace(job, start_by_ms=None) if number in self.began and job.start_by_ms is not None else job

    def _urgency(self, number: int, job: Job) -> tuple[bool, int, int]:
        latest_ms = self._still_asked(number, job).latest_start_ms
        return latest_ms is None, latest_ms or 0, number

    def _without_room(self, number: int, job: Job) -> None:
        """Refuse what had to start by an instant; all else waits for room."""
        if self._still_asked(number, job).latest_start_ms is None:
            self.unbooked[number] = job
        else:
            self.state.refused[NO_ROOM if job.deadline_ms is not None else NO_START] += 1

    def _ask_again(self) -> None:
        """Something has ended, so what was given up on may be found; of those alike it is asked until one has none."""
        hopeless: set[Demand] = set()
        for number, job in sorted(self.unbooked.items()):
            self._pass_over(1)
            demand = demand_of(self._still_asked(number, job), self.fleet, now_ms=self.state.now_ms)
            alike = replace(demand, id="", start=Start(0, 0))
            if alike in hopeless:
                continue
            if self._book(number, job, demand):
                del self.unbooked[number]
            else:
                hopeless.add(alike)

    def _pass_over(self, count: int) -> None:
        self.passed += count
        if self.passed > self.passed_max:
            raise TooManyError(self.state.count["arrived"], len(self.booked))

    def _admitted(self, job: Job, demand: Demand) -> bool:
        """Whether it could ever run, and still in time; else it is refused."""
        if (why := self._never(demand)) is not None:
            self.state.refused[why] += 1
        elif self._too_late(job, demand):
            self.state.refused[TOO_LATE if job.deadline_ms is not None else NO_START] += 1
        else:
            return True
        return False

    def _too_late(self, job: Job, demand: Demand) -> bool:
        latest_ms = job.latest_start_ms
        return latest_ms is not None and demand.start_at(self.state.now_ms).earliest_ms > latest_ms

    def _never(self, demand: Demand) -> str | None:
        """Why it would be refused though nothing else ran here; asked once for all jobs that are alike."""
        alike = replace(demand, id="", start=Start(0, 0), duration_ms=None)
        if alike not in self.fits:
            found = plan(self.fleet, Calendar(), alike, now_ms=0)
            self.fits[alike] = None if isinstance(found, Plan) else self._said(found.binding.constraint)
        return self.fits[alike]

    def _said(self, constraint: str) -> str:
        if constraint in SIZE:
            return TOO_LARGE
        return f"beyond {constraint}" if any(b.id == constraint for b in self.fleet.budgets) else constraint

    def _book(self, number: int, job: Job, demand: Demand) -> bool:
        now_ms, asked = self.state.now_ms, demand.start_at(self.state.now_ms)
        found = earliest_start(
            self.fleet, self.calendar, demand, now_ms=now_ms, latest_ms=asked.latest_ms, choice=self.choice
        )
        self._pass_over(len(self.fleet.machines))
        if found is None or found.start_ms > asked.earliest_ms:
            self._pass_over(len(self.booked))
            self.state.note_held(job, self._holding_back(demand, asked.earliest_ms))
        if found is None:
            return False
        hold = found.hold(f"job-{number}")
        self.calendar = self.calendar.with_holds(hold)
        self.booked[number] = Booked(job, hold)
        heapq.heappush(self.due, (hold.start_ms, START, number))
        if job.duration_ms is not None:
            heapq.heappush(self.due, (hold.end_ms, END, number))
        return True

    def _holding_back(self, demand: Demand, start_ms: int) -> str:
        """What keeps it from starting then: a budget where all else would do, or what the members need."""
        if self.fleet.budgets:
            alone = self.fleet.with_budgets(())
            freely = earliest_start(alone, self.calendar, demand, now_ms=start_ms, latest_ms=start_ms)
            left = budgets_left(self.fleet, self.calendar, start_ms, demand.end_from(start_ms))
            if freely is not None and (over := overdrawn(left, draws(self.fleet, freely.claims))) is not None:
                return over
        return "devices:gpu" if any(role.devices for role in demand.roles) else "cores"

    def _forget(self, number: int) -> Placed | None:
        """Take a booking away; what ran, where it did."""
        one = self.booked.pop(number)
        self.calendar = self.calendar.without(one.hold.id)
        if one.key is None:
            return None
        placed = self.state.take(one.key)
        self.state.site.leave(placed)
        return placed

    def _stands(self, due: tuple[int, int, int]) -> bool:
        """Whether that is still to happen: what was booked otherwise since has other instants."""
        at_ms, what, number = due
        one = self.booked.get(number)
        if one is None:
            return False
        return one.hold.end_ms == at_ms if what == END else one.key is None and one.hold.start_ms == at_ms

    def _placed(self, one: Booked) -> Placed:
        """Its claims by machine row."""
        row_of = self.state.site.row_of
        members: Counter[int] = Counter()
        milli: Counter[int] = Counter()
        draw_mw = 0
        for claim in one.hold.claims:
            machine, row = self.fleet.machine(claim.machine), row_of[claim.machine]
            members[row] += 1
            gpus = (d for d in claim.devices if machine.device_index[d.id].device_class == "gpu")
            milli[row] += sum(device.milli for device in gpus)
            draw_mw += claim_draw(RATED, machine, claim)
        rows = sorted(members)
        return Placed(
            one.job,
            np.array(rows, dtype=np.int64),
            np.array([members[row] for row in rows], dtype=np.int64),
            draw_mw,
            milli=np.array([milli[row] for row in rows], dtype=np.int64),
        )
