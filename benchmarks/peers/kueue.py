"""Kueue's walks down its topology (TAS), from its documents: best fit, least free capacity, balanced.

Required: one domain of the level must carry the gang. Preferred: else the next level up, to the top. Then level by
level down, over the children of all domains chosen so far. Best fit takes the largest children and the smallest that
carries the rest; least free takes the smallest first; balanced spreads evenly over as few children as best fit needs.
"""

from __future__ import annotations

import numpy as np

from tenure.placement.gangs import FreeCounts, GangChoice, Need
from tenure.placement.gangs.tree import Rows

WALKS = ("best-fit", "least-free", "balanced")


def walk(counts: FreeCounts, need: Need, count: int, level: str, *, required: bool, how: str) -> GangChoice | None:
    """Places for a gang, or None. ``level`` is the one that the gang names."""
    tree = counts.tree
    start = tree.names.index(level)
    for at in range(start, start + 1 if required else len(tree.names)):
        sums = counts.by_domain(need, at)
        fitting = np.flatnonzero(sums >= count)
        if len(fitting):
            domain = int(fitting[np.argmin(sums[fitting])])
            rows, members = _down(counts, need, tree.rows(at, domain), count, at - 1, how)
            return GangChoice(rows, members, tree.names[at], tree.labels[at][domain])
    return None


def _down(counts: FreeCounts, need: Need, rows: Rows, count: int, level: int, how: str) -> tuple[Rows, Rows]:
    places = counts.places(need)
    for at in range(level, 0, -1):
        domains = counts.tree.domains[at][rows]
        known, inverse = np.unique(domains, return_inverse=True)
        room = np.bincount(inverse, weights=places[rows]).astype(np.int64)
        chosen, _ = _split(room, count, how)
        rows = rows[np.isin(domains, known[chosen])]
    if level < 0:
        return rows, np.array([count], dtype=np.int64)
    chosen, members = _split(places[rows], count, how)
    return rows[chosen], members


def _split(room: Rows, count: int, how: str) -> tuple[Rows, Rows]:
    if how == "least-free":
        order = np.argsort(room, kind="stable")
        order = order[room[order] > 0]
        return _greedy(room, order, count)
    order = np.argsort(-room, kind="stable")
    chosen, members = _greedy(room, order, count)
    if how == "balanced":
        return _evenly(room, chosen, count)
    last = order[room[order] >= members[-1]][-1]
    if last not in chosen[:-1]:
        chosen[-1] = last
    return chosen, members


def _greedy(room: Rows, order: Rows, count: int) -> tuple[Rows, Rows]:
    whole = int(np.searchsorted(np.cumsum(room[order]), count))
    chosen = order[: whole + 1].copy()
    members = room[chosen].copy()
    members[-1] = count - int(room[chosen[:-1]].sum())
    return chosen, members


def _evenly(room: Rows, chosen: Rows, count: int) -> tuple[Rows, Rows]:
    """As even as the chosen allow: nobody gets more than it has."""
    members = np.zeros(len(chosen), dtype=np.int64)
    left = count
    order = np.argsort(room[chosen], kind="stable")
    for position, place in enumerate(order.tolist()):
        share = min(int(room[chosen[place]]), left // (len(chosen) - position))
        members[place] = share
        left -= share
    for place in order[::-1].tolist():
        extra = min(left, int(room[chosen[place]]) - int(members[place]))
        members[place] += extra
        left -= extra
    used = members > 0
    return chosen[used], members[used]


def topology_blind(counts: FreeCounts, need: Need, count: int) -> GangChoice | None:
    """First fit over all machines by what they have left, the fullest first; where they stand does not matter."""
    places = counts.places(need)
    if int(places.sum()) < count:
        return None
    order = np.argsort(places, kind="stable")
    order = order[places[order] > 0]
    chosen, members = _greedy(places, order, count)
    return GangChoice(chosen, members, "", "")
