"""The scores that there are: what a member takes from those who come later, its watts, its distances, and what would
fail with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tenure.placement.calendar import Free
from tenure.placement.choice import Company
from tenure.placement.demand import Role
from tenure.placement.fleet import LOCAL_DISTANCE, REMOTE_DISTANCE, FleetMachine
from tenure.placement.holds import Claim

if TYPE_CHECKING:
    from tenure.placement.question import Question

Domain = tuple[str, str | None]
"""(site, domain of a level). Machines of a site that name none count as one: what is not known may be shared."""


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

    def costs(self, question: Question, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:
        return {
            name: _rated_mw(free[name].machine, claim) / 1000 for name, claim in _claims(question, free, role).items()
        }


@dataclass(frozen=True, slots=True)
class Locality:
    """How far apart lie a member's cores, memory and devices, and how far from each other the members.

    In ACPI's units of NUMA distance beyond local (SLIT, where 10 is local): the greatest distance between what a member
    takes, so 0 on one node and 10 or more across two. What has no such figure is turned into this unit: each PCIe
    switch beyond the first counts ``per_switch``; each level that a member must go up to share a domain with all
    members before it (0 on their machine, 1 for the next level of the fleet ...) counts ``per_level``, which is by
    default what one more NUMA node is taken for where firmware gives no table.
    """

    per_switch: float = 1.0
    per_level: float = float(REMOTE_DISTANCE - LOCAL_DISTANCE)

    def costs(self, question: Question, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:
        return {name: self._inside(free[name].machine, claim) for name, claim in _claims(question, free, role).items()}

    def company(self, question: Question) -> Company:
        return _Width(question.fleet.level_names(), self.per_level)

    def _inside(self, machine: FleetMachine, claim: Claim) -> float:
        devices = [machine.device_index[device.id] for device in claim.devices]
        nodes = {machine.core_index[core].numa_node for core in claim.cores}
        if claim.memory_bytes:
            nodes.update(claim.memory_nodes)
        nodes.update(device.numa_node for device in devices if device.numa_node is not None)
        distance = max((machine.distance(a, b) for a in nodes for b in nodes), default=LOCAL_DISTANCE) - LOCAL_DISTANCE
        # Who hangs from no known switch shares none with anybody.
        known = {device.pcie_switch for device in devices if device.pcie_switch}
        switches = len(known) + sum(1 for device in devices if not device.pcie_switch)
        return distance + self.per_switch * max(0, switches - 1)


@dataclass(slots=True)
class _Width:
    """The levels at which all members so far stand in one domain."""

    levels: tuple[str, ...]
    per_level: float
    shared: dict[int, Domain] | None = None

    def cost(self, machine: FleetMachine) -> float:
        if self.shared is None:
            return 0.0
        common = (place for place, domain in self.shared.items() if _domain(machine, self.levels[place]) == domain)
        return self.per_level * next(common, len(self.levels))

    def joined(self, machine: FleetMachine) -> None:
        levels = range(len(self.levels)) if self.shared is None else self.shared
        own = {place: _domain(machine, self.levels[place]) for place in levels}
        if self.shared is None:
            self.shared = {place: domain for place, domain in own.items() if domain[1] is not None}
        else:
            self.shared = {place: domain for place, domain in self.shared.items() if own[place] == domain}


@dataclass(frozen=True, slots=True)
class SpreadOut:
    """What one failure would take at once: the members that a machine's domain of a level (rack, feed, the machine)
    carries already, one each.

    The members of the demand itself count, and those of ``holds``: ids or groups of holds that belong together with it,
    replicas of one service for instance, as far as they have not ended. Of alternatives of one group the most count.
    """

    level: str
    holds: frozenset[str] = field(default_factory=frozenset)

    def costs(self, question: Question, free: Mapping[str, Free], role: Role) -> Mapping[str, float]:  # noqa: ARG002
        standing = self._standing(question) if self.holds else Counter[Domain]()
        return {name: float(standing[_domain(one.machine, self.level)]) for name, one in free.items()}

    def company(self, question: Question) -> Company:  # noqa: ARG002
        return _Together(self.level)

    def _standing(self, question: Question) -> Counter[Domain]:
        alternatives: dict[str, Counter[Domain]] = {}
        for hold in question.calendar.holds.values():
            if hold.end_ms > question.now_ms and not self.holds.isdisjoint((hold.id, hold.group)):
                index = question.fleet.index
                own = Counter(_domain(index[c.machine], self.level) for c in hold.claims if c.machine in index)
                alternatives[hold.alternative_of] = alternatives.get(hold.alternative_of, Counter()) | own
        return sum(alternatives.values(), Counter())


@dataclass(slots=True)
class _Together:
    """How many members each domain carries."""

    level: str
    members: Counter[Domain] = field(default_factory=Counter)

    def cost(self, machine: FleetMachine) -> float:
        return float(self.members[_domain(machine, self.level)])

    def joined(self, machine: FleetMachine) -> None:
        self.members[_domain(machine, self.level)] += 1


def _domain(machine: FleetMachine, level: str) -> Domain:
    return machine.site, machine.domain(level)


def _claims(question: Question, free: Mapping[str, Free], role: Role) -> dict[str, Claim]:
    """What a member would take of each machine that has a place for it."""
    claims = ((name, question.inside.place(one, role)) for name, one in free.items())
    return {name: claim for name, claim in claims if claim is not None}


def _rated_mw(machine: FleetMachine, claim: Claim) -> int:
    cores = len(claim.cores) * (machine.core_power.rated_mw or 0)
    return cores + sum(machine.device_index[device.id].power.rated_mw or 0 for device in claim.devices)
