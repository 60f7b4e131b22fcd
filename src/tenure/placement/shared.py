"""Which levels the members must share, and in which ways they can. Levels need not nest: a rail may cut through racks.

A way names levels: members that share one domain of each of them have all that is asked for. A required level stands
in every way; a bandwidth adds one level that is known to carry it, a way for each. Where levels do nest, which is
looked up in the fleet and not assumed, the narrower stands for the wider, and one way with one level is left.
"""

from __future__ import annotations

from collections.abc import Iterable

from tenure.placement.demand import Demand
from tenure.placement.derived import nests
from tenure.placement.fleet import Fleet

Way = tuple[str, ...]


def ways(fleet: Fleet, demand: Demand) -> tuple[Way, ...]:
    """Every way to share what must be shared, none inside another; empty where the fleet knows of none."""
    names = fleet.level_names()
    required = demand.required_levels
    if any(level not in names for level in required):
        return ()
    minimum = demand.link_bytes_per_s_min
    if minimum is None:
        return (narrowed(fleet, required or ("site",)),)
    carrying = {level.name for level in fleet.levels if (level.bytes_per_s or 0) >= minimum}
    return widest(fleet, (narrowed(fleet, (*required, level)) for level in names if level in carrying))


def narrowed(fleet: Fleet, levels: Iterable[str]) -> Way:
    """These levels, narrowest first, without those that are shared by whoever shares another one of them."""
    names = fleet.level_names()
    kept: list[str] = []
    for level in sorted(set(levels), key=names.index):
        if not any(nests(fleet, other, level) for other in kept):
            kept = [other for other in kept if not nests(fleet, level, other)] + [level]
    return tuple(kept)


def widest(fleet: Fleet, found: Iterable[Way]) -> tuple[Way, ...]:
    """These ways without those whose domains lie inside another's."""

    def inside(one: Way, other: Way) -> bool:
        return all(any(nests(fleet, level, wider) for level in one) for wider in other)

    kept: list[Way] = []
    for way in found:
        if not any(inside(way, other) for other in kept):
            kept = [other for other in kept if not inside(other, way)] + [way]
    return tuple(kept)


def levels_to_try(fleet: Fleet, demand: Demand) -> list[str]:
    """From the narrowest level up to where every way has been tried whole."""
    names, found = fleet.level_names(), ways(fleet, demand)
    ends = [way[0] for way in found]
    if not ends:
        return []
    if sum(role.count for role in demand.roles) == 1 and not demand.required_levels:
        return ends
    allowed = list(names[: max(map(names.index, ends)) + 1])
    return allowed + [level for level in ends if level not in allowed]
