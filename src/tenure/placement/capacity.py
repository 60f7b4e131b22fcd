"""What a site can still carry, and which limit ends it: power, cooling, space, a licence, or the machines themselves.

The question is asked with one member (a GPU, say). For each kind of limit it is counted how many more members would
fit if that kind did not count (a budget), or if there were one member's worth more of it (hardware); the one that
unlocks the most is the binding limit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tenure.placement.axes import axes
from tenure.placement.calendar import Calendar
from tenure.placement.counting import Count
from tenure.placement.demand import DeviceRequest, Role
from tenure.placement.fleet import Budget, Fleet, FleetMachine
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

    ``one_more`` of the binding limit, in its unit, carries one more member, with what is left of it counted in; of
    nested budgets of one kind each needs as much. ``machines_out``, and ``devices_out`` of the others, are out of
    service and not counted. ``each`` is the least that a member takes of it on a machine with a
    place left. ``unlocks`` members in all fit before the next limit (``next_limit``) ends it.
    """

    site: str
    at_ms: int
    member: Role
    members: int
    limits: tuple[Limit, ...]
    binding: Limit | None
    one_more: int | None = None
    each: int | None = None
    unlocks: int = 0
    next_limit: str | None = None
    machines_out: int = 0
    devices_out: int = 0

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = as_json(self)
        for limit, facts in zip(self.limits, value["limits"], strict=True):
            facts["share"] = round(limit.share, 4)
        return value


def capacity(fleet: Fleet, calendar: Calendar, site: str, *, at_ms: int, member: Role | None = None) -> CapacityReport:
    """The report for one site at one instant. ``member`` defaults to one whole GPU, or one core where the site
    has none; one that only draws of budgets is that one too. Machines out of service do not count."""
    there = [machine for machine in fleet.machines if machine.site == site]
    machines = [machine for machine in there if machine.schedulable]
    if not machines:
        raise PlacementError("SiteEmpty", "site", f"no machine in service at {site!r}")
    role = _usual_member(machines) if member is None else member
    if not axes(role):
        role = replace(_usual_member(machines), draws=role.draws)
    broken = sum(1 for machine in machines for device in machine.devices if not device.healthy)
    bare = CapacityReport(site, at_ms, role, 0, (), None, machines_out=len(there) - len(machines), devices_out=broken)
    count = Count(fleet, calendar, machines, role, at_ms)
    members = count.members(())
    limits = [_limit(count, kind) for kind in count.kinds()]
    gains = sorted(limits, key=lambda limit: -limit.members_without)
    binding = gains[0] if gains and gains[0].members_without > members else None
    if binding is None:
        return replace(bare, members=members, limits=tuple(limits))
    return replace(
        bare,
        members=members,
        limits=tuple(limits),
        binding=binding,
        one_more=count.one_more(binding.kind),
        each=count.each(binding.kind),
        unlocks=binding.members_without - members,
        next_limit=count.next_after(binding.kind),
    )


def _usual_member(machines: list[FleetMachine]) -> Role:
    devices = (device for machine in machines for device in machine.devices)
    if any(device.device_class == "gpu" and device.healthy for device in devices):
        return Role(devices=(DeviceRequest("gpu"),))
    return Role(cores=1)  # disks and network cards stand in every machine, and nobody asks for one alone


def _limit(count: Count, kind: str) -> Limit:
    without = count.members((kind,))
    if kind in axes(count.role):
        # One unit more is one member more, at most: it stands in one machine.
        without = min(without, count.members(()) + 1)
        used, whole = count.hardware(kind)
        return Limit(kind, used, whole, {"cores": "cores", "memory": "bytes"}.get(kind, "devices"), without)
    own = [budget for budget in count.budgets if budget.name == kind]
    widest = _widest(count.fleet, own)
    used = sum(budget.limit - count.left[budget.id] for budget in widest)
    fullest = sorted(own, key=lambda b: (count.left[b.id] / max(1, b.limit), b.id))
    domains = tuple((b.id, b.limit - count.left[b.id], b.limit) for b in fullest) if len(own) > 1 else ()
    return Limit(kind, used, sum(budget.limit for budget in widest), own[0].unit, without, domains[:8])


def _widest(fleet: Fleet, budgets: list[Budget]) -> list[Budget]:
    """Of nested budgets those of the widest level, so that nothing is counted twice."""
    names = fleet.level_names()
    top = max(names.index(budget.level) for budget in budgets)
    return [budget for budget in budgets if names.index(budget.level) == top]
