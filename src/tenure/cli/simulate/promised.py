"""Jobs with deadlines are accepted or refused as they arrive, with a firm end, by `placement.deadlines`.

What is accepted may be stopped and resumed between slots. Work without a deadline takes what promised work leaves: it
starts where there is room for it to its very end, and then is not stopped. An outage breaks only those promises that no
other booking keeps; what ran on machines that failed begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tenure.cli.simulate.jobs import Job
from tenure.cli.simulate.pool import Pool, slot_of
from tenure.cli.simulate.queue import BACKFILL_MAX
from tenure.cli.simulate.state import TOO_LATE, State, refused_for
from tenure.placement.deadlines import Admission, Booking, Declined
from tenure.placement.deadlines import Job as Asked
from tenure.placement.deadlines.admission import HELD, KEPT_FOR_SMALLER, TOO_SHORT
from tenure.placement.gangs.tree import Rows

REFUSED = {
    HELD: "no room before the deadline",
    KEPT_FOR_SMALLER: "room kept for smaller work",
    TOO_SHORT: TOO_LATE,
}


@dataclass(slots=True)
class Promised:
    """The door of a site that is one pool. Bookings are named by the job's number in the trace."""

    state: State
    pool: Pool
    admission: Admission
    slot_ms: int
    waiting: list[Job] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    done: list[Booking] = field(default_factory=list)
    began: set[str] = field(default_factory=set)
    numbers: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, state: State, pool: Pool) -> Promised:
        """A door with nothing promised yet."""
        return cls(state, pool, Admission(pool.units(state.site)), slot_of(state.jobs, state.first_ms))

    def next_ms(self) -> int | None:
        """The end of the slot that runs, or the start of the next; None while there is nothing to run."""
        table = self.admission.timetable
        at_ms = self._at_ms(table.now)
        busy = self.keys or table.bookings or (self.waiting and at_ms > self.state.now_ms)
        return at_ms if busy else None

    def end_due(self) -> None:
        """At the end of a slot: what is done has ended."""
        state = self.state
        if not self.done or state.now_ms < self._at_ms(self.admission.timetable.now):
            return
        for booking in self.done:
            del self.jobs[booking.name]
            placed = state.stop(self.keys.pop(booking.name))
            state.count["finished"] += 1
            if booking.firm and self.admission.timetable.now <= booking.by:
                state.kept(placed)
            elif booking.firm:
                state.count["broken"] += 1
        self.done = []

    def arrive(self, number: int, job: Job) -> None:
        """Promise or refuse, once and for all; without a deadline, wait."""
        state, table = self.state, self.admission.timetable
        slot = -(-(state.now_ms - state.first_ms) // self.slot_ms)
        if slot > table.now and not (table.bookings or self.keys):
            table.skip_to(slot)
        if (why := self.pool.never(state.site, job.members)) is not None:
            state.refused[refused_for(why)] += 1
            return
        self.numbers[id(job)] = str(number)
        self.jobs[str(number)] = job
        if job.deadline_ms is None:
            self.waiting.append(job)
            return
        due = (job.deadline_ms - state.first_ms) // self.slot_ms
        answer = self.admission.decide(Asked(str(number), job.members, self._slots(job), due))
        if isinstance(answer, Declined):
            state.refused[REFUSED[answer.reason]] += 1
        else:
            state.count["promised"] += 1

    def serve(self) -> None:
        """At the start of a slot: run what is booked in it, and let those who wait into what is left."""
        table = self.admission.timetable
        if self.state.now_ms < self._at_ms(table.now) or not (table.bookings or self.waiting):
            return
        table.pull_forward()
        self._let_in()
        if table.bookings:
            running, self.done = table.advance()
            self._run(running)

    def fail(self, rows: Rows) -> None:
        """What ran there is lost, and fewer units are left for what is booked."""
        state, table = self.state, self.admission.timetable
        before = self.pool.units(state.site)
        interrupted = []
        ending = {booking.name: booking for booking in self.done}
        for name, key in list(self.keys.items()):
            if np.isin(state.running[key].rows, rows).any():
                self._stop(name)
                state.count["lost"] += 1
                interrupted.append(ending.pop(name) if name in ending else table.bookings[name])
        self.done = list(ending.values())
        if len(rows):
            state.site.fail(rows)
        lost = self.admission.lose(before - self.pool.units(state.site), interrupted)
        state.count["broken"] += len(lost.broken)
        for name in (*lost.broken, *lost.displaced):
            if name in self.keys:
                self._stop(name)
        again = [self.jobs[name] for name in sorted(lost.displaced, key=int)]
        waiting, self.waiting = [*again, *self.waiting], []
        for job in waiting:
            if (why := self.pool.never(state.site, job.members)) is None:
                self.waiting.append(job)
            else:
                state.refused[refused_for(why)] += 1

    def told(self) -> dict[str, Any]:
        """Promises are made at arrival; the size of the pool and of its slots."""
        return {
            "madeAt": "arrival",
            "because": f"{self.admission.timetable.capacity:,} units of {self.pool.gpus} GPU, any of which will do",
            "slotSeconds": self.slot_ms / 1000,
        }

    def _at_ms(self, slot: int) -> int:
        return self.state.first_ms + slot * self.slot_ms

    def _slots(self, job: Job) -> int:
        assert job.duration_ms is not None, "a pool has no job without an end"
        return -(-job.duration_ms // self.slot_ms)

    def _run(self, running: list[Booking]) -> None:
        """Stop what does not run in this slot, start what does and did not; what runs on stays where it is."""
        state = self.state
        wanted = {booking.name for booking in running}
        for name in [name for name in self.keys if name not in wanted]:
            self._stop(name)
        for booking in running:
            if booking.name in self.keys:
                continue
            job = self.jobs[booking.name]
            key = state.start(job)
            assert key is not None, f"{job.name}: free units are places"
            self.keys[booking.name] = key
            if booking.name not in self.began:
                self.began.add(booking.name)
                state.began(job)

    def _stop(self, name: str) -> None:
        self.state.stop(self.keys.pop(name))

    def _let_in(self) -> None:
        """Those who wait, in order; behind the first without room only those who are done before it could start."""
        while self.waiting and self._book_now(self.waiting[0]):
            self.waiting.pop(0)
        if not self.waiting:
            return
        table, head = self.admission.timetable, self.waiting[0]
        self.state.note_held(head, self.pool.bound_by(self.state.site))
        if len(self.waiting) == 1 or not table.free(table.now, table.now + 1)[0]:
            return
        until = table.first_room(head.members, self._slots(head))
        left = self.waiting[:1]
        for job in self.waiting[1 : BACKFILL_MAX + 1]:
            ends_before = until is None or table.now + self._slots(job) <= until
            if not (ends_before and self._book_now(job)):
                left.append(job)
        self.waiting = left + self.waiting[BACKFILL_MAX + 1 :]

    def _book_now(self, job: Job) -> bool:
        """Book it from this slot to its end, where there is room all the while."""
        table, length = self.admission.timetable, self._slots(job)
        if int(table.free(table.now, table.now + length).min()) < job.members:
            return False
        slots = np.arange(table.now, table.now + length)
        table.book(self.numbers[id(job)], job.members, table.now + length, slots, firm=False)
        return True
