"""Counter-offers: the smallest relaxations that fit, along one axis or a pair, each a plan that can be held at once.

What can be relaxed about a demand is known outside (less load, a slower bound: from measured evidence) and is given as
alternative demands with how far each one steps back on each axis. The axis ``later`` is found here. Policy is never
relaxed: an alternative that has lost a policy constraint of the demand is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tenure.placement.answers import Plan
from tenure.placement.calendar import Calendar
from tenure.placement.choice import Choice
from tenure.placement.demand import Demand
from tenure.placement.fleet import Fleet
from tenure.placement.plan import earliest_start
from tenure.placement.values import FOREVER_MS, PlacementError, as_json

LATER = "later"
AXES_MAX = 2
"""A counter-offer steps back on one axis or on a pair; more is a different request."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far an alternative steps back on one axis (``load``, ``bound``, ``isolation``, ``elsewhere``, ``price`` ...).

    ``amount`` grows with the sacrifice and is greater than zero; amounts compare only within one axis. ``label`` is
    for people, for instance "half of the load".
    """

    axis: str
    amount: int | float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A demand that would do as well, and what it gives up. No steps: the demand itself."""

    demand: Demand
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class CounterOffer:
    """A feasible plan for an alternative, and everything it steps back on, ``later`` (in ms) included."""

    steps: tuple[Step, ...]
    plan: Plan
    alternative: Alternative

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(step.axis for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        return {"steps": as_json(self.steps), "plan": self.plan.to_json()}


def relaxations(
    fleet: Fleet,
    calendar: Calendar,
    demand: Demand,
    alternatives: Iterable[Alternative],
    *,
    now_ms: int,
    horizon_ms: int = FOREVER_MS - 1,
    seed: int = 0,
    choice: Choice | None = None,
) -> tuple[CounterOffer, ...]:
    """The Pareto-minimal feasible counter-offers to a demand, those on one axis first, then by axis and amount.

    The demand itself need not be among the alternatives: it is always tried at a later start, up to ``horizon_ms``.
    Each plan stands for itself on the calendar; all of them can be held together as one group, because alternatives
    of a group are charged their maximum. Of several that give up exactly the same, the first given is kept.
    """
    asked_ms = demand.start_at(now_ms).latest_ms
    given = [Alternative(demand), *alternatives]
    found: list[CounterOffer] = []

    def earliest(wanted: Demand, latest_ms: int) -> Plan | None:
        return earliest_start(fleet, calendar, wanted, now_ms=now_ms, latest_ms=latest_ms, seed=seed, choice=choice)

    for alternative in given:
        _check(demand, alternative)
        found += _feasible(alternative, earliest, asked_ms, now_ms, horizon_ms)
    return tuple(sorted(_minimal(found), key=_shown))


def _feasible(
    alternative: Alternative,
    earliest: Callable[[Demand, int], Plan | None],
    asked_ms: int,
    now_ms: int,
    horizon_ms: int,
) -> list[CounterOffer]:
    """The alternative at its earliest start, if it gives up something and no more than two axes."""
    demand = alternative.demand
    may_wait = len(alternative.steps) < AXES_MAX
    start = demand.start_at(now_ms)
    if demand.until_ms is not None and may_wait:
        # A later start keeps the length that was asked for, be its start past by now.
        asked_ms = start.earliest_ms if demand.start is None else demand.start.earliest_ms
        length_ms = demand.until_ms - asked_ms
        plan = earliest(demand, start.latest_ms)
        if plan is None and length_ms > 0:
            plan = earliest(replace(demand, until_ms=None, duration_ms=length_ms), horizon_ms)
    else:
        plan = earliest(demand, horizon_ms if may_wait else start.latest_ms)
    if plan is None:
        return []
    late_ms = plan.start_ms - asked_ms
    steps = alternative.steps + ((Step(LATER, late_ms),) if late_ms > 0 else ())
    return [CounterOffer(steps, plan, alternative)] if steps else []


def _minimal(found: Sequence[CounterOffer]) -> list[CounterOffer]:
    """Those that no other one beats: gives up no more on any axis and less on one (or the same, and came first)."""
    kept: list[CounterOffer] = []
    for place, offer in enumerate(found):
        if not any(
            _no_worse(other, offer) and (not _no_worse(offer, other) or earlier < place)
            for earlier, other in enumerate(found)
            if earlier != place
        ):
            kept.append(offer)
    return kept


def _no_worse(one: CounterOffer, other: CounterOffer) -> bool:
    limit = {step.axis: step.amount for step in other.steps}
    return all(step.amount <= limit.get(step.axis, 0) for step in one.steps)


def _shown(offer: CounterOffer) -> tuple[int, tuple[str, ...], tuple[int | float, ...]]:
    return len(offer.steps), offer.axes, tuple(step.amount for step in offer.steps)


def _check(demand: Demand, alternative: Alternative) -> None:
    at = f"alternatives[{alternative.demand.id}]"
    lost = {c.id for c in demand.constraints if c.policy and c not in alternative.demand.constraints}
    if lost:
        raise PlacementError("PolicyRelaxed", f"{at}.constraints", f"policy is never relaxed: {sorted(lost)}")
    axes = [step.axis for step in alternative.steps]
    if LATER in axes or len(set(axes)) != len(axes) or any(step.amount <= 0 for step in alternative.steps):
        raise PlacementError("StepInvalid", f"{at}.steps", "each axis once, an amount above zero, and never 'later'")
    if len(axes) > AXES_MAX:
        raise PlacementError("StepInvalid", f"{at}.steps", f"at most {AXES_MAX} axes")
