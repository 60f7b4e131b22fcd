"""Budgets of money and power: what a need may cost and draw. Pure.

A limit can only be kept where price or watts are known: a machine of which they are not is no candidate, and the
refusal says how to declare them. What costs more than allowed is a counter-offer that says how much more.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tenure.controllers.machine.power import is_rated
from tenure.placement import Constraint
from tenure.quantities import Money, Power
from tenure.resources import Machine
from tenure.resources.kinds.allocation import Price, Relaxation, Watts
from tenure.resources.kinds.workload import WorkloadSpec

BUDGET, POWER = "budget", "power"


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that is wanted to be paid and drawn; None: no limit."""

    hourly: Money | None = None
    total: Money | None = None
    power: Power | None = None


def limits_of(spec: WorkloadSpec) -> Limits:
    """The limits that a need names."""
    budget = spec.budget
    return Limits(budget.hourly_max if budget else None, budget.total_max if budget else None, spec.power)


def over_limits(limits: Limits, price: Price, watts: Watts) -> list[Relaxation]:
    """The limits that this price and these watts exceed, each as what accepting it would give up."""
    found = []
    for what, most, costs in (
        ("budget.hourlyMax", limits.hourly, price.hourly),
        ("budget.totalMax", limits.total, price.total),
    ):
        if most is not None and costs is not None and costs.micros > most.micros:
            found.append(Relaxation(axis="price", what=what, asked=str(most), offered=str(costs)))
    if limits.power is not None and watts.power is not None and int(watts.power) > int(limits.power):
        found.append(Relaxation(axis="power", what="power", asked=str(limits.power), offered=str(watts.power)))
    return found


def limit_constraints(limits: Limits, machines: Mapping[str, Machine]) -> tuple[Constraint, ...]:
    """One constraint a limit: only machines of which price, or power, is known are candidates."""
    found = []
    asked = limits.hourly or limits.total
    if asked is not None:
        priced = {name for name, machine in machines.items() if _costs_in(machine, asked.currency)}
        found.append(_known(BUDGET, priced, machines, _how_to_price(asked.currency, machines)))
    if limits.power is not None:
        rated = {name for name, machine in machines.items() if is_rated(machine)}
        found.append(_known(POWER, rated, machines, "declare ratedPower of machine {}, or leave spec.power out"))
    return tuple(constraint for constraint in found if constraint is not None)


def _how_to_price(currency: str, machines: Mapping[str, Machine]) -> str:
    """What to do about the machine that `_known` names: a price in the budget's currency, or a budget in its own."""
    unknown = min((name for name, machine in machines.items() if not _costs_in(machine, currency)), default="")
    cost = machines[unknown].spec.hourly_cost if unknown else None
    if cost is None:
        return f'tenure price set {{}} "0.10 {currency}"'
    return (
        f"it is priced in {cost.currency} and spec.budget is in {currency}, and none is converted: write the budget in "
        f'{cost.currency}, or tenure price set {{}} "0.10 {currency}"'
    )


def _known(what: str, known: set[str], machines: Mapping[str, Machine], next_step: str) -> Constraint | None:
    unknown = sorted(set(machines) - known)
    if not unknown:
        return None
    lacks = f"what {unknown[0]} costs in that currency" if what == BUDGET else f"how much power {unknown[0]} draws"
    hint = f"{lacks} is not known, so no limit of it can be kept: {next_step.format(unknown[0])}"
    return Constraint(id=f"spec.{what}", imposed_by="workload", machines=frozenset(known), hint=hint)


def _costs_in(machine: Machine, currency: str) -> bool:
    return machine.spec.hourly_cost is not None and machine.spec.hourly_cost.currency == currency
