"""The independent recount: does a calendar keep within a fleet, on every axis, at every instant?

It shares no code with the search, only the values: it looks at each instant at which something starts and adds up what
stands then, what is drawn of budgets included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tenure.placement.fleet import Budget, Fleet, FleetMachine, PowerFacts
from tenure.placement.holds import Claim, Hold
from tenure.placement.values import as_json


@dataclass(frozen=True, slots=True)
class Overbooking:
    """More is promised than there is: ``axis`` of ``where`` at ``at_ms``. ``holds`` are those that stand then."""

    where: str
    axis: str
    at_ms: int
    used: int
    capacity: int
    holds: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = as_json(self)
        return value


def overbookings(fleet: Fleet, holds: Iterable[Hold], *, margin_ms: int = 0) -> tuple[Overbooking, ...]:
    """Every axis above capacity, at the instants at which holds start. Empty means that all is kept.

    A claim on a core, node, device or machine that does not exist, or that the system reserves, has capacity 0.
    """
    everything = list(holds)
    drawn = {id(hold): _drawn(fleet, hold) for hold in everything} if fleet.budgets else {}
    found: list[Overbooking] = []
    for at_ms in sorted({hold.start_ms for hold in everything}):
        standing = [hold for hold in everything if hold.start_ms <= at_ms < hold.end_ms + margin_ms]
        for (where, axis), (used, names) in sorted(_used(standing, drawn).items()):
            capacity = _capacity(fleet, where, axis)
            if used > capacity:
                found.append(Overbooking(where, axis, at_ms, used, capacity, tuple(sorted(names))))
    return tuple(found)


def _used(standing: list[Hold], drawn: Mapping[int, Mapping[str, int]]) -> dict[tuple[str, str], tuple[int, set[str]]]:
    """(where, axis) -> use at one instant and who uses it: the greatest in a group, the sum over groups."""
    groups: dict[str, dict[tuple[str, str], int]] = {}
    names: dict[tuple[str, str], set[str]] = {}
    for hold in standing:
        own: dict[tuple[str, str], int] = {}
        for claim in hold.claims:
            for core in claim.cores:
                _add(own, (claim.machine, f"core:{core}"), 1)
            for node, part in claim.memory_parts().items():
                _add(own, (claim.machine, f"memory:{node}"), part)
            for device in claim.devices:
                _add(own, (claim.machine, f"device:{device.id}"), device.milli)
        for budget, amount in drawn.get(id(hold), {}).items():
            _add(own, ("budget", budget), amount)
        group = groups.setdefault(hold.alternative_of, {})
        for key, amount in own.items():
            group[key] = max(group.get(key, 0), amount)
            names.setdefault(key, set()).add(hold.id)
    total: dict[tuple[str, str], int] = {}
    for group in groups.values():
        for key, amount in group.items():
            _add(total, key, amount)
    return {key: (amount, names[key]) for key, amount in total.items()}


def _add(amounts: dict[tuple[str, str], int], key: tuple[str, str], amount: int) -> None:
    amounts[key] = amounts.get(key, 0) + amount


def _drawn(fleet: Fleet, hold: Hold) -> dict[str, int]:
    """What one hold draws of each budget, by id. Of an uplink it draws only with a member on the other side of it."""
    claims = [claim for claim in hold.claims if claim.machine in fleet.index]
    apart = any(c.cores or c.memory_bytes or c.devices or c.draws for c in hold.claims if c.machine not in fleet.index)
    total: dict[str, int] = {}
    for budget in {budget.id: budget for claim in claims for budget in fleet.budgets_over(claim.machine)}.values():
        inside = [claim for claim in claims if fleet.index[claim.machine].domain(budget.level) == budget.domain]
        amount = sum(_amount(budget, fleet.index[claim.machine], claim) for claim in inside)
        if amount and not (budget.crossing and len(inside) == len(claims) and not apart):
            total[budget.id] = amount
    return total


def _amount(budget: Budget, machine: FleetMachine, claim: Claim) -> int:
    """What a claim says that it draws; of power and cooling also what its cores and devices consume, in milliwatts."""
    said = sum(draw.amount for draw in claim.draws if draw.budget == budget.name)
    if budget.name not in ("power", "cooling"):
        return said
    watts = len(claim.cores) * _figure(machine.core_power, budget.rating)
    parts = {part.id: part.milli for part in claim.devices}
    for device in machine.devices:
        # A share draws in proportion, rounded up.
        share, whole = parts.get(device.id, 0), max(1, device.milli)
        watts += (_figure(device.power, budget.rating) * share + whole - 1) // whole
    return said + watts


def _figure(power: PowerFacts, rating: str) -> int:
    """The figure that a budget charges: where it is not known, the next stricter one; where none is, nothing."""
    known = {"measured": power.measured_mw, "capped": power.capped_mw, "rated": power.rated_mw}
    figures = list(known.values())[list(known).index(rating) :]
    return next((figure for figure in figures if figure is not None), 0)


def _capacity(fleet: Fleet, where: str, axis: str) -> int:
    if where == "budget":
        budget = next(budget for budget in fleet.budgets if budget.id == axis)
        return budget.limit - budget.base
    machine: FleetMachine | None = fleet.index.get(where)
    if machine is None:
        return 0
    kind, _, name = axis.partition(":")
    if kind == "core":
        return 1 if int(name) in machine.sellable_cores() else 0
    if kind == "memory":
        return machine.sellable_memory().get(int(name), 0)
    return machine.sellable_devices().get(name, 0)
