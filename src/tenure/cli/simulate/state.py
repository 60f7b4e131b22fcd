"""What stands at one instant of a run, and what has come of the jobs so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tenure.cli.simulate.jobs import Job
from tenure.cli.simulate.site import Placed, Site
from tenure.placement.gangs.tree import Rows

TOO_LARGE = "larger than the fleet"
TOO_LATE = "deadline out of reach"


def refused_for(why: str) -> str:
    """The reason to refuse what never fits: a budget by its id, or the size of the fleet."""
    return TOO_LARGE if why in ("devices:gpu", "cores") else f"beyond {why}"


@dataclass(slots=True)
class State:
    """A site under a virtual clock. Times in ms of the trace; `first_ms` is the first arrival."""

    site: Site
    jobs: Sequence[Job]
    first_ms: int = 0
    now_ms: int = 0
    running: dict[int, Placed] = field(default_factory=dict)
    count: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    held_by: Counter[str] = field(default_factory=Counter)
    noted: set[int] = field(default_factory=set)
    waits_ms: list[int] = field(default_factory=list)
    gpu_ms: int = 0
    kept_gpu_ms: int = 0
    peak_mw: int = 0
    series: list[dict[str, Any]] = field(default_factory=list)
    _last: int = 0

    def start(self, job: Job) -> int | None:
        """Place all members; the key under which it runs, or None where it does not fit (`site.why` says why)."""
        placed = self.site.start(job)
        return None if placed is None else self.put(placed)

    def put(self, placed: Placed) -> int:
        """What the site carries now runs from now on, under this key."""
        placed.start_ms = self.now_ms
        self._last += 1
        self.running[self._last] = placed
        self.peak_mw = max(self.peak_mw, self.site.draw_mw)
        return self._last

    def stop(self, key: int) -> Placed:
        """Take a job away."""
        placed = self.take(key)
        self.site.end(placed)
        return placed

    def take(self, key: int) -> Placed:
        """It runs no more; what it used until now is counted, and the site still carries it."""
        placed = self.running.pop(key)
        self.gpu_ms += (self.now_ms - placed.start_ms) * int(placed.taken.sum()) // 1000
        return placed

    def began(self, job: Job) -> None:
        """It runs for the first time."""
        self.count["started"] += 1
        self.waits_ms.append(self.now_ms - job.wanted_from_ms)

    def kept(self, placed: Placed) -> None:
        """It was promised, and is done in time. What counts is what ran of what was asked for: fewer members than the
        most of them, and nothing that was only held in reserve."""
        job = placed.job
        self.count["kept"] += 1
        self.kept_gpu_ms += (job.duration_ms or 0) * min(int(placed.taken.sum()), job.gpu_total_milli) // 1000

    def note_held(self, job: Job, why: str) -> None:
        """What first held a job back; once a job."""
        if id(job) not in self.noted:
            self.noted.add(id(job))
            self.held_by[why] += 1


def gpu_time_ms(job: Job) -> int:
    """GPU-milliseconds that a job takes; none where it has no end."""
    return (job.duration_ms or 0) * job.gpu_total_milli // 1000


class Door(Protocol):
    """How a trace's jobs are decided: at their arrival, or in a queue."""

    @property
    def waiting(self) -> Sequence[Job]:
        """Those that have come and do not run."""

    def next_ms(self) -> int | None:
        """The next instant at which something happens here by itself; None: nothing will."""

    def end_due(self) -> None:
        """What ends by now has ended."""

    def arrive(self, number: int, job: Job) -> None:
        """A job has come."""

    def fail(self, rows: Rows) -> None:
        """These machines have failed, and what runs there is lost."""

    def serve(self) -> None:
        """Let what can run now run."""

    def told(self) -> dict[str, Any]:
        """At the end: when promises were made here, and why then."""
