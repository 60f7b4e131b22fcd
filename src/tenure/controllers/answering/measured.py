"""What was measured of a shape, and what it carries of one objective. Values alone."""

from dataclasses import dataclass

from tenure.promises import (
    Assurance,
    AvailabilityObjective,
    Bound,
    Load,
    Objective,
    RateObjective,
    RequestSample,
)
from tenure.promises.objectives import MICRO

CONFIDENCE_LEAST = 0.5
"""Below this an offer would be a coin toss; the answer is then a longer trial."""


@dataclass(frozen=True, slots=True, order=True)
class RunShape:
    """Threads (one whole core each) and slots of a runtime."""

    threads: int
    slots: int

    def __str__(self) -> str:
        return f"{self.threads} thread{'s' * (self.threads > 1)} x {self.slots} slot{'s' * (self.slots > 1)}"


@dataclass(frozen=True, slots=True)
class Measured:
    """Windows measured of one shape under one load on one class of hardware, beside these neighbours."""

    shape: RunShape
    load: Load
    window_ms: int
    windows: tuple[tuple[RequestSample, ...], ...]
    choosing: int  # so many of the first windows rank shapes and bound nothing
    neighbours: str
    hardware_class: str
    runtime: str
    measured_at_ms: int
    saturated: bool = False  # asked again at once whenever it answered: bounds floors of rates, and nothing else

    @property
    def samples(self) -> tuple[RequestSample, ...]:
        """All requests in order of arrival."""
        return tuple(sample for window in self.windows for sample in window)


@dataclass(frozen=True, slots=True)
class Carried:
    """One objective's bound, how it was found, and the evidence that it rests on.

    A bound on a rate, or on an availability, is on it negated, because bounds are on values of which little is good.
    """

    objective: Objective
    bound: Bound
    assurance: Assurance  # as asked, or with the lesser confidence that the evidence carries
    evidence: Measured

    @property
    def floor_micro(self) -> float:
        """The rate that is carried, for a promise of one."""
        return -self.bound.value

    @property
    def share_micro(self) -> int:
        """The availability that is carried, for a promise of one."""
        return int(-self.bound.value)

    @property
    def excess(self) -> float:
        """By which share it falls short of what is asked: 0.5 is half as slow again; 0 or less keeps it."""
        return excess_of(self.objective, self.bound.value)


def excess_of(objective: Objective, bound: float) -> float:
    """By which share a bound falls short of an objective."""
    if isinstance(objective, RateObjective):
        return objective.floor_micro / max(1.0, -bound) - 1
    if isinstance(objective, AvailabilityObjective):
        return (MICRO + bound) / (MICRO - objective.share_micro) - 1  # by how much more is lost than may be
    return bound / objective.bound_ns - 1
