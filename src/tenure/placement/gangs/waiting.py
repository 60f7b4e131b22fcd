"""Start wider now, or wait for a tighter place? Whatever is expected to be done first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from tenure.placement.gangs.counts import FreeCounts, Need
from tenure.placement.gangs.tree import NOWHERE, Rows


@dataclass(frozen=True, slots=True, order=True)
class Running:
    """A gang that runs until ``end_ms``; ordered by its end. The unit of time is the caller's."""

    end_ms: int
    number: int
    rows: Rows = field(compare=False)
    members: Rows = field(compare=False)


def frees_at(counts: FreeCounts, need: Need, count: int, level: str, running: Iterable[Running]) -> int | None:
    """When the first domain of a level carries the gang if nothing else starts in it; None if none ever does.

    Members of other classes are counted as if they were of this one, which is exact where all need the same.
    """
    at = counts.tree.names.index(level)
    room = counts.by_domain(need, at).copy()
    for gang in sorted(running):
        domains = counts.tree.domains[at][gang.rows]
        inside = domains != NOWHERE
        domains = domains[inside]
        np.add.at(room, domains, gang.members[inside])
        if (room[domains] >= count).any():
            return gang.end_ms
    return None


def worth_waiting(
    counts: FreeCounts,
    need: Need,
    count: int,
    level: str,
    running: Iterable[Running],
    *,
    now_ms: int,
    run_ms: int,
    rate: float,
) -> bool:
    """Whether waiting for a domain of ``level`` is expected to serve better than starting now at ``rate`` (0 to 1).

    A gang that runs slowly also keeps its machines longer; that time is lost to others as far as the fleet is busy,
    so it is charged to the choice of spreading.
    """
    if rate >= 1.0:
        return False
    soonest_ms = frees_at(counts, need, count, level, running)
    longer_ms = run_ms / rate - run_ms
    return soonest_ms is not None and soonest_ms - now_ms < longer_ms * (1 + busy_share(counts))


def busy_share(counts: FreeCounts) -> float:
    """The greatest share of any axis that is taken, over all machines."""
    capacity = counts.capacity.sum(axis=0)
    taken = 1 - counts.free.sum(axis=0) / np.maximum(capacity, 1)
    return float(taken[capacity > 0].max(initial=0.0))
