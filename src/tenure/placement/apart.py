"""Members kept apart: at most so many of them in one domain of a level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tenure.placement.demand import Spread
from tenure.placement.fleet import FleetMachine


def kept(spread: Spread, machines: Iterable[FleetMachine]) -> bool:
    """Whether members on these machines, one each, stand as far apart; who names no such domain may share any."""
    most = crowded(spread, machines)
    return most is not None and most <= spread.members_max


def crowded(spread: Spread, machines: Iterable[FleetMachine]) -> int | None:
    """The most of them in one domain; None where one names no such domain."""
    each = Counter(machine.domain(spread.level) for machine in machines)
    return None if None in each else max(each.values(), default=0)
