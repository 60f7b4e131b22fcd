"""What a site can still carry, and which limit ends it: power, cooling, space, a licence, or the machines themselves.

The question is asked with one member (a GPU, say). For each kind of limit it is counted how many more members would
fit if that kind did not count (a budget), or if there were one member's worth more of it (hardware); the one that
unlocks the most is the binding limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tenure.placement.axes import axes, has, wants
from tenure.placement.budgets import budgets_left, claim_draw
from tenure.placement.calendar import Calendar, Free
from tenure.placement.demand import DeviceRequest, Role
from tenure.placement.fleet import Budget, Fleet, FleetMachine
from tenure.placement.memo import Inside
from tenure.placement.values import PlacementError, as_json


@dataclass(frozen=True, slots=True)
class Limit:
    """One kind of limit over the whole site: ``used`` of ``limit`` in its ``unit``.

    ``members_without`` members would fit if this kind did not count, or, of hardware, with one member's worth more.
    ``domains`` are those with the least left, as (id, used, limit), for budgets that lie in several domains.
    """

    kind: str
    used: int
    limit: int
    unit: str
    members_without: int
    domains: tuple[tuple[str, int, int], ...] = ()

    @property
    def share(self) -> float:
        return self.used / self.limit if self.limit else 0.0


@dataclass(frozen=True, slots=True)
class CapacityReport:
    """``members`` more fit now. ``binding`` is the limit that ends it, or None where no single one does.

    ``one_more`` of the binding limit, in its unit, carries one more member; ``unlocks`` members in all fit before the
    next limit (``next_limit``) ends it.
    """

    site: str
    at_ms: int
    member: Role
    members: int
    limits: tuple[Limit, ...]
    binding: Limit | None
    one_more: int | None = None
    unlocks: int = 0
    next_limit: str | None = None

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = as_json(self)
        for limit, facts in zip(self.limits, value["limits"], strict=True):
            facts["share"] = round(limit.share, 4)
        return value


def capacity(fleet: Fleet, calendar: Calendar, site: str, *, at_ms: int, member: Role | None = None) -> CapacityReport:
    """The report for one site at one instant. ``member`` defaults to one whole device of the site's commonest class,
    or one core where it has no devices; one that only draws of budgets is that one too. Machines out of service
    do not count."""
    machines = [machine for machine in fleet.machines if machine.site == site and machine.schedulable]
    if not machines:
        raise PlacementError("SiteEmpty", "site", f"no machine in service at {site!r}")
    role = _usual_member(machines) if member is None else member
    if not axes(role):
        role = replace(_usual_member(machines), draws=role.draws)
    count = _Count(fleet, calendar, machines, role, at_ms)
    members = count.members(())
    limits = [count.limit(kind) for kind in count.kinds()]
    gains = sorted(limits, key=lambda limit: -limit.members_without)
    binding = gains[0] if gains and gains[0].members_without > members else None
    if binding is None:
        return CapacityReport(site, at_ms, role, members, tuple(limits), None)
    return CapacityReport(
        site=site,
        at_ms=at_ms,
        member=role,
        members=members,
        limits=tuple(limits),
        binding=binding,
        one_more=count.member_draw(binding.kind),
        unlocks=binding.members_without - members,
        next_limit=count.next_after(binding.kind),
    )


def _usual_member(machines: list[FleetMachine]) -> Role:
    classes = Counter(device.device_class for machine in machines for device in machine.devices if device.healthy)
    if not classes:
        return Role(cores=1)
    commonest = min(classes, key=lambda name: (name != "gpu", -classes[name], name))
    return Role(devices=(DeviceRequest(commonest),))


class _Count:
    """Counts members under some kinds of limits; one instance a report."""

    def __init__(self, fleet: Fleet, calendar: Calendar, machines: list[FleetMachine], role: Role, at_ms: int) -> None:
        self.fleet, self.role, self.machines = fleet, role, machines
        self.free = {machine.name: calendar.free_at(machine, at_ms) for machine in machines}
        self.left = budgets_left(fleet, replace(calendar, margin_ms=0), at_ms, at_ms + 1)
        self.budgets = [b for b in fleet.budgets if any(machine.domain(b.level) == b.domain for machine in machines)]
        self.inside = Inside()
        self.draws = {machine.name: self._draws(machine) for machine in machines}

    def kinds(self) -> list[str]:
        return [*dict.fromkeys(budget.name for budget in self.budgets), *axes(self.role)]

    def _draws(self, machine: FleetMachine) -> Mapping[str, int]:
        """What one member on this machine draws of each budget that it lies in; empty where none could ever run."""
        claim = self.inside.place(Free.whole(machine), self.role)
        if claim is None:
            return {}
        own = [budget for budget in self.budgets if machine.domain(budget.level) == budget.domain]
        return {budget.id: claim_draw(budget, machine, claim) for budget in own}

    def member_draw(self, kind: str) -> int:
        """The least that one member draws of a kind of limit on any machine."""
        if kind in axes(self.role):
            return wants(self.role, kind)
        ids = {budget.id for budget in self.budgets if budget.name == kind}
        drawn = [sum(a for b, a in draws.items() if b in ids and a) for draws in self.draws.values()]
        return min((amount for amount in drawn if amount), default=0)

    def members(self, without: tuple[str, ...]) -> int:
        """Members that fit, machine by machine, when these kinds of limits do not count."""
        skipped = {budget.id for budget in self.budgets if budget.name in without}
        left = dict(self.left)
        total = 0
        for machine in self.machines:
            places = self._places(machine, without)
            drawn = {b: a for b, a in self.draws[machine.name].items() if b not in skipped and a > 0}
            for budget, amount in drawn.items():
                places = min(places, max(0, left[budget]) // amount)
            for budget, amount in drawn.items():
                left[budget] -= places * amount
            total += places
        return total

    def _places(self, machine: FleetMachine, without: tuple[str, ...]) -> int:
        """Members by the machine's own axes. Hardware cannot be thought away, only bought: an axis that is left out
        counts as if the machine had one member's worth more of it."""
        if not self.draws[machine.name] and self.inside.place(Free.whole(machine), self.role) is None:
            return 0
        free = self.free[machine.name]
        return min(
            (
                self._amount(free, axis) // wants(self.role, axis) + (1 if axis in without else 0)
                for axis in axes(self.role)
            ),
            default=0,
        )

    def _amount(self, free: Free, axis: str) -> int:
        return has(free, self.role, axis)

    def limit(self, kind: str) -> Limit:
        without = self.members((kind,))
        if kind in axes(self.role):
            # One unit more is one member more, at most: it stands in one machine.
            without = min(without, self.members(()) + 1)
            whole = sum(self._amount(Free.whole(machine), kind) for machine in self.machines)
            free = sum(self._amount(self.free[machine.name], kind) for machine in self.machines)
            return Limit(kind, whole - free, whole, {"cores": "cores", "memory": "bytes"}.get(kind, "devices"), without)
        own = [budget for budget in self.budgets if budget.name == kind]
        widest = self._widest(own)
        used = sum(budget.limit - self.left[budget.id] for budget in widest)
        fullest = sorted(own, key=lambda b: (self.left[b.id] / max(1, b.limit), b.id))
        domains = tuple((b.id, b.limit - self.left[b.id], b.limit) for b in fullest) if len(own) > 1 else ()
        return Limit(kind, used, sum(budget.limit for budget in widest), own[0].unit, without, domains[:8])

    def _widest(self, budgets: list[Budget]) -> list[Budget]:
        """Of nested budgets those of the widest level, so that nothing is counted twice."""
        names = self.fleet.level_names()
        top = max(names.index(budget.level) for budget in budgets)
        return [budget for budget in budgets if names.index(budget.level) == top]

    def next_after(self, kind: str) -> str | None:
        """The limit that would bind if this kind did not count."""
        others = [other for other in self.kinds() if other != kind]
        have = self.members((kind,))
        gain = {other: self.members((kind, other)) - have for other in others}
        best = max(gain, key=lambda other: gain[other], default=None)
        return best if best is not None and gain[best] > 0 else None
