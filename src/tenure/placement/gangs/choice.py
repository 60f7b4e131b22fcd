"""Where a gang goes: the narrowest level that carries it, its fullest fitting domain, and down from there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.placement.gangs.counts import FreeCounts, Need
from tenure.placement.gangs.tree import NOWHERE, Rows, added_up


@dataclass(frozen=True, slots=True)
class GangChoice:
    """``members[i]`` members go to machine row ``rows[i]``; all lie in one domain of ``level``."""

    rows: Rows
    members: Rows
    level: str
    domain: str


def choose(
    counts: FreeCounts,
    need: Need,
    count: int,
    *,
    narrowest: str | None = None,
    widest: str | None = None,
) -> GangChoice | None:
    """Places for ``count`` alike members in one domain, or None where no level up to ``widest`` carries them.

    Levels are tried from ``narrowest`` (the first of the tree if not given). Where ``widest`` cuts through a domain,
    what lies in one domain of both counts. Of domains with as much room, the one inside the fullest wider domains is
    taken, then the one numbered first.
    """
    tree = counts.tree
    first = tree.names.index(narrowest) if narrowest is not None else 0
    last = tree.names.index(widest) if widest is not None else len(tree.names) - 1
    for level in range(first, last + 1):
        whole = widest is None or tree.nests(level, last)
        found = _domain(counts, need, count, level) if whole else _crossing(counts, need, count, level, last)
        if found is None:
            continue
        domain = int(tree.domains[level][found[0]])
        rows, members = _down(counts, need, found, count, level - 1)
        return GangChoice(rows, members, tree.names[level], tree.labels[level][domain])
    return None


def _domain(counts: FreeCounts, need: Need, count: int, level: int) -> Rows | None:
    """Machines of the domain of a level with the least room that carries the gang."""
    sums = counts.by_domain(need, level)
    fitting = np.flatnonzero(sums >= count)
    if len(fitting) == 0:
        return None
    return counts.tree.rows(level, _fullest(counts, need, level, fitting[sums[fitting] == sums[fitting].min()]))


def _crossing(counts: FreeCounts, need: Need, count: int, level: int, widest: int) -> Rows | None:
    """The same of what domains of two levels have in common; of those with as much room, the one numbered first."""
    common = counts.tree.crossing(level, widest)
    sums = added_up(common, counts.places(need), int(common.max(initial=NOWHERE)) + 1)
    fitting = np.flatnonzero(sums >= count)
    return np.flatnonzero(common == fitting[np.argmin(sums[fitting])]) if len(fitting) else None


def _fullest(counts: FreeCounts, need: Need, level: int, domains: Rows) -> int:
    """Of domains that serve equally well, the one that lies in the fullest wider domains: empty racks stay empty."""
    tree = counts.tree
    for wider in range(level + 1, len(tree.names)):
        if len(domains) == 1:
            break
        if not tree.labels[wider]:
            continue
        outer = tree.outer(level, wider)[domains]
        room = np.where(outer >= 0, counts.by_domain(need, wider)[outer], 0)
        domains = domains[room == room.min()]
    return int(domains[0])


def _down(counts: FreeCounts, need: Need, rows: Rows, count: int, level: int) -> tuple[Rows, Rows]:
    """Split ``count`` members over machines that together carry them, child domains first."""
    places = counts.places(need)[rows]
    if level < 0:
        return rows, np.full(len(rows), count, dtype=np.int64)
    if level == 0:
        chosen, members = fewest(places, count)
        return rows[chosen], members
    domains = counts.tree.domains[level][rows]
    known, inverse = np.unique(domains, return_inverse=True)
    if len(known) == 1:
        return _down(counts, need, rows, count, level - 1)
    room = np.bincount(inverse, weights=places, minlength=len(known)).astype(np.int64)
    chosen, members = fewest(room, count)
    parts = [
        _down(counts, need, rows[inverse == child], int(share), level - 1)
        for child, share in zip(chosen.tolist(), members.tolist(), strict=True)
    ]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def fewest(room: Rows, count: int) -> tuple[Rows, Rows]:
    """(which, how many each): the fewest that carry ``count``; the largest whole, then the smallest for the rest."""
    order = np.argsort(-room, kind="stable")
    sums = np.cumsum(room[order])
    whole = int(np.searchsorted(sums, count))
    rest = count - (int(sums[whole - 1]) if whole else 0)
    left = order[whole:]
    last = left[np.flatnonzero(room[left] >= rest)[-1]] if len(left) else order[whole]
    chosen = np.append(order[:whole], last)
    members = np.append(room[order[:whole]], rest)
    return chosen, members.astype(np.int64)
