"""Which of several machines that would all do: scores, weighed and added up; the least is taken.

A score says what a member costs on each machine, in its own unit; a weight turns that into one currency and may depend
on how full the fleet is. Without a choice the nearly full machine is filled up first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tenure.placement.calendar import Free
from tenure.placement.demand import Role
from tenure.placement.inside import place_inside

if TYPE_CHECKING:
    from tenure.placement.question import Question

Weight = float | Callable[[float], float]
"""A number, or a function of the share of the fleet's devices (or cores, where it has none) that is taken."""


class Score(Protocol):
    """Costs of one more member of a role, by machine; lower is better. Pure: the same arguments, the same costs."""

    def costs(self, question: Question, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:
        """Costs on those machines that have room; others may be left out."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Scores with their weights."""

    scores: tuple[tuple[Score, Weight], ...]

    def costs(self, question: Question, free: Mapping[str, Free], role: Role) -> dict[str, float]:
        """The weighed sum by machine; a machine that a score leaves out costs nothing by it."""
        total = dict.fromkeys(free, 0.0)
        for score, weight in self.scores:
            factor = weight(taken_share(free)) if callable(weight) else weight
            for name, cost in score.costs(question, free, role).items():
                total[name] += factor * cost
        return total


def taken_share(free: Mapping[str, Free]) -> float:
    """The share of all devices that is taken; of all cores, where there are no devices."""
    devices = sum(sum(one.machine.sellable_devices().values()) for one in free.values())
    if devices:
        return 1 - sum(sum(one.devices.values()) for one in free.values()) / devices
    cores = sum(len(one.machine.sellable_cores()) for one in free.values())
    return 1 - sum(len(one.cores) for one in free.values()) / cores if cores else 0.0


@dataclass(frozen=True, slots=True)
class Fragmentation:
    """What a member takes from those who come later, in devices: the opportunity cost that ``packing`` reckons.

    What will be asked for is read off what the calendar holds. Prices are kept with the fleet and made anew as holds
    grow in number (some 40 ms for a thousand machines), by the snapshot alone: ``worth``. Machines whose devices are
    of several models count by their commonest one.
    """

    device_class: str = "gpu"

    def costs(self, question: Question, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:
        # Imported where it is used: the rest of the room does without numpy, and starts faster for it.
        from tenure.placement import worth

        return worth.costs(question.fleet, question.calendar, free, role, self.device_class)


@dataclass(frozen=True, slots=True)
class AddedWatts:
    """Rated watts of the cores and devices that a member would take; what is unknown counts nothing."""

    def costs(self, question: Question, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:  # noqa: ARG002
        found: dict[str, float] = {}
        for name, one in free.items():
            claim = place_inside(one, role)
            if claim is not None:
                machine = one.machine
                drawn = len(claim.cores) * (machine.core_power.rated_mw or 0)
                drawn += sum(machine.device_index[device.id].power.rated_mw or 0 for device in claim.devices)
                found[name] = drawn / 1000
        return found


@dataclass(frozen=True, slots=True)
class Trait:
    """A figure that each machine carries (``age``, ``hourlyCost``): ``FleetMachine.traits``; absent counts nothing."""

    name: str

    def costs(self, question: Question, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:  # noqa: ARG002
        return {name: dict(one.machine.traits).get(self.name, 0.0) for name, one in free.items()}
