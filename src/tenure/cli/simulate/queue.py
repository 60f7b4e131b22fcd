"""Jobs in a queue, where a trace is too large to be planned job by job and no pool of alike units (see `pool`).

One that does not fit waits; later ones may pass it only where they end before it could start. A job with a deadline is
promised the moment that it starts, because its end is then known; one that can no longer end in time is refused.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tenure.cli.simulate.jobs import Job
from tenure.cli.simulate.state import TOO_LATE, State, refused_for
from tenure.placement.gangs.tree import Rows
from tenure.placement.gangs.waiting import Running, frees_at

BACKFILL_MAX = 64
"""Waiting jobs that are looked at behind the first, at each change."""

NEVER_MS = 1 << 62


@dataclass(slots=True)
class Queue:
    """First come, first served, with backfill that never delays the first. `why_no_pool` is said in the report."""

    state: State
    why_no_pool: str
    waiting: list[Job] = field(default_factory=list)
    ends: list[tuple[int, int]] = field(default_factory=list)
    never: dict[tuple[object, ...], str | None] = field(default_factory=dict)
    changed: bool = False

    def next_ms(self) -> int | None:
        """The next end."""
        return self.ends[0][0] if self.ends else None

    def end_due(self) -> None:
        """Promised work that ends has ended in time: it was promised when its end was known."""
        state = self.state
        while self.ends and self.ends[0][0] <= state.now_ms:
            key = heapq.heappop(self.ends)[1]
            if key not in state.running:
                continue  # lost with its machine
            placed = state.stop(key)
            state.count["finished"] += 1
            if placed.job.deadline_ms is not None:
                state.kept(placed)
            self.changed = True

    def arrive(self, number: int, job: Job) -> None:  # noqa: ARG002 - a queue knows its jobs by themselves
        """Refuse what never fits or comes too late; start it, or let it wait."""
        state = self.state
        if (why := self._never(job)) is not None:
            state.refused[refused_for(why)] += 1
        elif self._too_late(job):
            state.refused[TOO_LATE] += 1
        elif self.waiting and not self._ends_by(job, self._reserved_ms()):
            # An arrival changes nothing for those who wait; it is looked at alone unless it may go first.
            self.waiting.append(job)
        elif not self._try(job):
            state.note_held(job, state.site.why)
            self.waiting.append(job)

    def fail(self, rows: Rows) -> None:
        """A promise to what is lost is broken. It starts again from the queue where that is still of use."""
        state = self.state
        for key in [key for key, placed in state.running.items() if np.isin(placed.rows, rows).any()]:
            job = state.stop(key).job
            state.count["lost"] += 1
            state.count["broken"] += job.deadline_ms is not None
            self.waiting.insert(0, job)
        if len(rows):
            state.site.fail(rows)
        self.changed = True
        self.never.clear()
        waiting, self.waiting = self.waiting, []
        for job in waiting:
            if (why := self._never(job)) is None:
                self.waiting.append(job)
            else:
                state.refused[refused_for(why)] += 1

    def serve(self) -> None:
        """Those who wait, in order; behind the first that cannot start only those who do not delay it."""
        if not self.changed:
            return
        self.changed = False
        state = self.state
        while self.waiting:
            job = self.waiting[0]
            if self._too_late(job):
                state.refused[TOO_LATE] += 1
            elif not self._try(job):
                state.note_held(job, state.site.why)
                break
            self.waiting.pop(0)
        if len(self.waiting) < 2:
            return
        until_ms = self._reserved_ms()
        left = self.waiting[:1]
        for job in self.waiting[1 : BACKFILL_MAX + 1]:
            if not (self._ends_by(job, until_ms) and self._try(job)):
                left.append(job)
        self.waiting = left + self.waiting[BACKFILL_MAX + 1 :]

    def told(self) -> dict[str, Any]:
        """Promises are made at the start, and why not before. Who waits in vain by now was refused."""
        waiting = [job for job in self.waiting if not self._too_late(job)]
        if len(waiting) < len(self.waiting):
            self.state.refused[TOO_LATE] += len(self.waiting) - len(waiting)
            self.waiting = waiting
        return {"madeAt": "start", "because": self.why_no_pool}

    def _try(self, job: Job) -> bool:
        state = self.state
        if self._too_late(job):
            return False
        key = state.start(job)
        if key is None:
            return False
        state.began(job)
        state.count["promised"] += job.deadline_ms is not None
        if job.duration_ms is not None:
            state.running[key].end_ms = state.now_ms + job.duration_ms
            heapq.heappush(self.ends, (state.now_ms + job.duration_ms, key))
        return True

    def _never(self, job: Job) -> str | None:
        """What keeps a job from the empty site; asked once for all jobs that are alike."""
        size = (job.gpus, job.gpu_milli, job.cpu_milli, job.memory_bytes, job.models)
        key = (*size, job.members, job.must, job.prefer)
        if key not in self.never:
            self.never[key] = self.state.site.never(job)
        return self.never[key]

    def _too_late(self, job: Job) -> bool:
        return job.deadline_ms is not None and self.state.now_ms + (job.duration_ms or 0) > job.deadline_ms

    def _ends_by(self, job: Job, until_ms: int | None) -> bool:
        return until_ms is None or self.state.now_ms + (job.duration_ms or NEVER_MS) <= until_ms

    def _reserved_ms(self) -> int | None:
        """When the first that waits could start if nothing else did; None where that is not known (shares, no ends)."""
        head, site = self.waiting[0], self.state.site
        if site.packer is not None:
            return None
        level = head.must if head.must in site.counts.tree.names else site.counts.tree.names[-1]
        running = [
            Running(placed.end_ms, key, placed.rows, placed.members)
            for key, placed in self.state.running.items()
            if placed.end_ms is not None
        ]
        return frees_at(site.counts, (head.gpus, head.cpu_milli, head.memory_bytes), head.members, level, running)
