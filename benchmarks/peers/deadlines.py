"""How others meet deadlines on one pool of GPUs: by deadline, by laxity, or first come first served.

All see rigid gangs that may be stopped and resumed at every slot at no cost, as ours does; none promises anything at
arrival. With ``skip`` a job that can no longer be done in time is dropped. FIFO does not stop what it started, and
the first in the queue holds up all behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.placement.timed_traces import TimedJob

Key = Callable[[TimedJob, int, int], int]
"""From job, slots left to run and now to its rank; least first."""


def by_deadline(job: TimedJob, left: int, now: int) -> int:  # noqa: ARG001
    return job.deadline


def by_laxity(job: TimedJob, left: int, now: int) -> int:
    return job.deadline - now - left


def preemptive(jobs: Sequence[TimedJob], capacity: int, key: Key, *, skip: bool) -> set[str]:
    """Names of the jobs done by their deadlines."""
    waiting: dict[int, int] = {}
    met: set[str] = set()
    arrived = 0
    now = jobs[0].submit if jobs else 0
    while waiting or arrived < len(jobs):
        if not waiting:
            now = max(now, jobs[arrived].submit)
        while arrived < len(jobs) and jobs[arrived].submit <= now:
            waiting[arrived] = jobs[arrived].length
            arrived += 1
        if skip:
            waiting = {place: left for place, left in waiting.items() if now + left <= jobs[place].deadline}
        free = capacity
        for place in sorted(waiting, key=lambda place: (key(jobs[place], waiting[place], now), place)):
            job = jobs[place]
            if job.width > free:
                continue
            free -= job.width
            waiting[place] -= 1
            if waiting[place] == 0:
                del waiting[place]
                if now + 1 <= job.deadline:
                    met.add(job.name)
            if free == 0:
                break
        now += 1
    return met


def fifo(jobs: Sequence[TimedJob], capacity: int) -> set[str]:
    """First come, first served, in order of arrival, each to its end."""
    met: set[str] = set()
    running: list[tuple[int, int]] = []
    free = capacity
    now = 0
    for job in jobs:
        if job.width > capacity:
            continue
        now = max(now, job.submit)
        while True:
            ended = [run for run in running if run[0] <= now]
            free += sum(width for _, width in ended)
            running = [run for run in running if run[0] > now]
            if free >= job.width:
                break
            now = min(end for end, _ in running)
        free -= job.width
        running.append((now + job.length, job.width))
        if now + job.length <= job.deadline:
            met.add(job.name)
    return met
