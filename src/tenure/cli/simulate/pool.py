"""Whether a trace and a fleet are one pool of alike units, and how many units that pool has. Pure.

`placement.deadlines` counts units and does not know where they lie, so a promise made there can only be kept where any
free units will do: every member of every job takes the same number of GPUs, on no machine do cores or memory run out
before the GPUs do, nobody must sit together, and budgets of power and cooling nest. Then so many free units are always
that many places, whichever they are, and whatever a budget's domain has left. (Budgets that nest are a laminar
family; what they permit is a matroid, in which any choice can be added to until the pool is full.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np

from tenure.cli.simulate.jobs import Job
from tenure.cli.simulate.power import NONE
from tenure.cli.simulate.site import Site, shares_of
from tenure.placement.deadlines.admission import HORIZON_SLOTS
from tenure.placement.gangs.tree import Rows


@dataclass(frozen=True, slots=True)
class Pool:
    """``gpus`` of a machine make one unit; a member takes one. ``each_mw`` is the most that a unit draws there: int64
    [machines]."""

    gpus: int
    each_mw: Rows

    def units(self, site: Site) -> int:
        """Units that can run at once on the machines that have not failed."""
        return int(self._carried(site)[0].sum())

    def never(self, site: Site, members: int) -> str | None:
        """What keeps so many members from ever running at once: a budget's id where the GPUs would do; or None."""
        if members <= self.units(site):
            return None
        whole = np.where(site.out, 0, site.capacity[:, 0] // self.gpus)
        return "devices:gpu" if members > int(whole.sum()) else self.bound_by(site)

    def bound_by(self, site: Site) -> str:
        """What keeps the pool from being larger: the budget that takes most from it, or the GPUs themselves."""
        taken = self._carried(site)[1]
        return max(taken, key=lambda id: taken[id]) if taken else "devices:gpu"

    def _carried(self, site: Site) -> tuple[Rows, dict[str, int]]:
        """(units by machine, units that each budget takes away), narrow budgets first, as they nest."""
        units = np.where(site.out, 0, site.capacity[:, 0] // self.gpus)
        taken: dict[str, int] = {}
        power = site.power
        for number in sorted(range(len(power.budgets)), key=lambda n: len(power.rows[n])):
            rows = power.rows[number]
            draw = int(self.each_mw[rows].max(initial=0))
            if not draw:
                continue
            before = units[rows]
            room = max(0, int(power.limit[number])) // draw
            units[rows] = np.minimum(before, np.maximum(0, room - (np.cumsum(before) - before)))
            if lost := int(before.sum() - units[rows].sum()):
                taken[power.budgets[number].id] = lost
        return units, taken


def pool_of(site: Site, jobs: Sequence[Job]) -> Pool | str:
    """The pool, or why promises cannot be made at arrival here."""
    if any(job.spec is not None for job in jobs):
        return "what runs as a manifest says is not stopped and resumed"
    if not any(job.deadline_ms is not None for job in jobs):
        return "no job has a deadline"
    if shares_of(jobs):
        return "jobs take shares of GPUs or name models"
    if any(job.duration_ms is None for job in jobs):
        return "a job has no end"
    if any(job.must not in ("", "site") for job in jobs):
        return "members of a job must sit together"
    sizes = {job.gpus for job in jobs}
    if len(sizes) != 1 or 0 in sizes:
        return "members take different numbers of GPUs"
    (gpus,) = sizes
    most = np.array([max(job.cpu_milli for job in jobs), max(job.memory_bytes for job in jobs)], dtype=np.int64)
    units = np.maximum(1, site.capacity[:, :1] // gpus)  # by division: a product may be beyond 64 bits
    if (site.capacity[:, 1:] // units < most)[site.capacity[:, 0] >= gpus].any():
        return "a machine's cores or memory run out before its GPUs do"
    if not _nest(site):
        return "budgets of power or cooling overlap"
    widest = np.max([site.power.member(job) for job in jobs], axis=0)
    pool = Pool(gpus, widest)
    return pool if pool.units(site) else "nothing can run"


def slot_of(jobs: Sequence[Job], first_ms: int) -> int:
    """The length of a slot in ms: the coarsest in which all times of the trace are whole, or so long that the whole
    trace lies within the horizon."""
    whole, last_ms = 0, first_ms
    for job in jobs:
        whole = gcd(whole, job.arrival_ms - first_ms, job.duration_ms or 0)
        last_ms = max(last_ms, job.arrival_ms + (job.duration_ms or 0))
        if job.deadline_ms is not None:
            whole = gcd(whole, job.deadline_ms - first_ms)
    return max(1, whole, -(-(last_ms - first_ms) // HORIZON_SLOTS))


def _nest(site: Site) -> bool:
    """Whether of any two levels of budgets one lies wholly inside the other, domain by domain."""
    levels = list(site.power.above)
    return all(_inside(one, other) or _inside(other, one) for n, one in enumerate(levels) for other in levels[:n])


def _inside(narrow: Rows, wide: Rows) -> bool:
    """Whether each domain of one level lies in one domain of the other."""
    pairs = np.unique(np.stack([narrow, wide]), axis=1)
    named = pairs[0][pairs[0] != NONE]
    return len(named) == len(np.unique(named))
