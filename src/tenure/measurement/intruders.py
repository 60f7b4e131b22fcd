"""Who else used some CPUs: processes outside a tree whose threads last ran there and took time since the last look.

From one pass over /proc. The kernel tells the CPU a thread last ran on (field 39 of /proc/PID/stat, proc(5)), so a
process that wanders is attributed to where it was last seen; over a few looks an interferer cannot hide.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from tenure.measurement.procfs import LAST_CPU, PARENT, START_TICKS, Processes, Stat

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
KERNEL_THREADD = 2


@dataclass(frozen=True, slots=True)
class Ran:
    """One process at one look: its start time names it for good, its CPU time grows."""

    pid: int
    start_ticks: int
    name: str
    parent: int
    cpu_ticks: int
    last_cpu: int


def ran(processes: Processes) -> dict[int, Ran]:
    """What every process that is no kernel thread had used, by pid; pure."""
    return {pid: _ran(pid, stat) for pid, stat in processes.items() if KERNEL_THREADD not in (pid, stat.field(PARENT))}


def _ran(pid: int, stat: Stat) -> Ran:
    return Ran(pid, stat.field(START_TICKS), stat.name, stat.field(PARENT), stat.cpu_ticks, stat.field(LAST_CPU))


def intruders(
    before: dict[int, Ran], after: dict[int, Ran], cpus: Iterable[int], own: Iterable[int], seconds: float
) -> list[tuple[Ran, float]]:
    """Processes outside `own` that last ran on `cpus`, with the share of one CPU they took; the largest first."""
    mine, ours = set(own), set(cpus)
    found = []
    for pid, now in after.items():
        then = before.get(pid)
        if pid in mine or now.last_cpu not in ours:
            continue
        ticks = now.cpu_ticks - (then.cpu_ticks if then is not None and then.start_ticks == now.start_ticks else 0)
        share = ticks / TICKS_PER_SECOND / max(seconds, 1e-3)
        if share >= 0.02:
            found.append((now, share))
    return sorted(found, key=lambda pair: -pair[1])
