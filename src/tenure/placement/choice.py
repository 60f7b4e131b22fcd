"""Which of several machines, or domains, that would all do: scores, weighed and added up; the least is taken.

A score says what a member costs on each machine, in its own unit; a weight turns that into one currency and may depend
on how full the fleet is. Without a choice the nearly full machine, and the nearly full domain, is filled up first.
The scores there are: ``scores``. How they are added up at one start: ``weighing``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tenure.placement.calendar import Free
from tenure.placement.demand import Role
from tenure.placement.fleet import FleetMachine

if TYPE_CHECKING:
    from tenure.placement.question import Question

SHARE_EXACT = 1e-9
"""Shares that differ by less are equal: divisions of floating-point numbers are no more exact."""

Weight = float | Callable[[float], float]
"""A number, or a function of the share of the fleet's devices (or cores, where it has none) that is taken."""


@dataclass(frozen=True, slots=True)
class ByLoad:
    """A weight that changes at thresholds of load: ``weight``, and from each share that is taken on, in ascending
    order, another one."""

    weight: float
    steps: tuple[tuple[float, float], ...]

    def __call__(self, taken: float) -> float:
        reached = [weight for share, weight in self.steps if taken >= share - SHARE_EXACT]
        return reached[-1] if reached else self.weight


class Score(Protocol):
    """Costs of one more member of a role, by machine; lower is better. Pure: the same arguments, the same costs."""

    def costs(self, question: Question, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:
        """Costs on those machines that have room, given what is free there; others may be left out."""


class Company(Protocol):
    """The members placed so far, as one score sees them; made for one attempt to place a demand."""

    def cost(self, machine: FleetMachine) -> float:
        """What standing here beside them adds for one more member. It never falls as more of them join."""

    def joined(self, machine: FleetMachine) -> None:
        """One more of them stands here."""


@runtime_checkable
class Sociable(Protocol):
    """A score for which it matters, too, where the other members of the demand stand."""

    def company(self, question: Question) -> Company:
        """Nobody yet."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Scores with their weights.

    Levels stand above scores: of the domains of the narrowest level that carries a demand the one that costs least is
    taken. Inside it, members go to as few machines as will do, and scores decide among those that serve equally. With
    ``fewest_machines`` false, scores alone decide there, member by member.
    """

    scores: tuple[tuple[Score, Weight], ...]
    fewest_machines: bool = True


def taken_share(free: Mapping[str, Free]) -> float:
    """The share of all devices that is taken; of all cores, where there are no devices."""
    devices = sum(sum(one.machine.sellable_devices().values()) for one in free.values())
    if devices:
        return 1 - sum(sum(one.devices.values()) for one in free.values()) / devices
    cores = sum(len(one.machine.sellable_cores()) for one in free.values())
    return 1 - sum(len(one.cores) for one in free.values()) / cores if cores else 0.0
