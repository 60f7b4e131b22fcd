"""The recount of one plan against what was asked: is each member what was wanted, and do all lie as they must?

``audit`` adds up what is taken; this reads what was promised beside amounts: levels that are shared, distance, links,
spread, and the levels inside a machine. Like it, it shares no code with the search, only the values, and it looks at
the claims alone. Nothing here knows how they were chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tenure.placement.demand import Demand, DeviceRequest, Role
from tenure.placement.fleet import WHOLE_MILLI, Device, Fleet, FleetMachine
from tenure.placement.holds import Claim


@dataclass(frozen=True, slots=True)
class Unmet:
    """A requirement that claims do not meet: which one, whose (a role, or nothing for all members), and what is."""

    requirement: str
    role: str
    found: str


def unmet(fleet: Fleet, demand: Demand, claims: Sequence[Claim]) -> tuple[Unmet, ...]:
    """What was asked for and is not so. Empty means that these claims are what was wanted, and lie as they must.

    Preferences are not owed, and whether anything is taken twice is for ``overbookings`` to say.
    """
    unknown = sorted({claim.machine for claim in claims} - set(fleet.index))
    if unknown:
        return (Unmet("machine", "", f"no {', '.join(unknown)} in the fleet"),)
    return (*_sizes(demand, claims), *_members(fleet, demand, claims), *_lie(fleet, demand, claims))


def _sizes(demand: Demand, claims: Sequence[Claim]) -> Iterator[Unmet]:
    counts = Counter(claim.role for claim in claims)
    for role in demand.roles:
        many = counts.pop(role.name, 0)
        sizes = [size for size, _ in role.values] or range(role.count_min or role.count, role.count + 1)
        if many not in sizes:
            yield Unmet("count", role.name, f"{many} members")
    for name, many in counts.items():
        yield Unmet("count", name, f"{many} members of a role that nobody asked for")


def _members(fleet: Fleet, demand: Demand, claims: Sequence[Claim]) -> Iterator[Unmet]:
    roles = {role.name: role for role in demand.roles}
    for claim in claims:
        machine, role = fleet.index[claim.machine], roles.get(claim.role)
        if role is not None:
            yield from _amounts(machine, role, claim)
            yield from _inside(machine, role, claim)
        if not machine.schedulable:
            yield Unmet("schedulable", claim.role, f"{machine.name} is out of service")
        for constraint in demand.constraints:
            named = constraint.machines is None or machine.name in constraint.machines
            classed = constraint.hardware_classes is None or machine.hardware_class in constraint.hardware_classes
            if not (named and classed):
                yield Unmet(constraint.id, claim.role, f"{machine.name} is not permitted")


def _amounts(machine: FleetMachine, role: Role, claim: Claim) -> Iterator[Unmet]:
    if len(set(claim.cores)) != role.cores:
        yield Unmet("cores", role.name, f"{len(set(claim.cores))} on {machine.name}")
    if claim.memory_bytes != role.memory_bytes or (role.memory_bytes and not claim.memory_nodes):
        yield Unmet("memory", role.name, f"{claim.memory_bytes} bytes on {machine.name}")
    if Counter(claim.draws) != Counter(role.draws):
        yield Unmet("draws", role.name, f"others on {machine.name}")
    wanted = [request for request in role.devices for _ in range(request.count)]
    taken = {part.id: part.milli for part in claim.devices}
    devices = [device for device in machine.devices if device.id in taken]
    alike = len(taken) == len(claim.devices) == len(devices) == len(wanted)
    if not (alike and _answer(wanted, devices, taken)):
        yield Unmet("devices", role.name, f"{', '.join(sorted(taken)) or 'none'} on {machine.name}")


def _answer(wanted: Sequence[DeviceRequest], devices: Sequence[Device], taken: dict[str, int]) -> bool:
    """Whether each of these devices can stand for another request."""
    if not wanted:
        return True
    request, *others = wanted
    return any(
        device.device_class == request.device_class
        and (not request.models or device.model in request.models)
        and taken[device.id] == (device.milli if request.milli == WHOLE_MILLI else request.milli)  # whole is all of it
        and _answer(others, [*devices[:place], *devices[place + 1 :]], taken)
        for place, device in enumerate(devices)
    )


def _inside(machine: FleetMachine, role: Role, claim: Claim) -> Iterator[Unmet]:
    """Levels inside a machine and the distance between its nodes. Where a device hangs is not always known; of NUMA
    nodes only what is known can be broken, and a switch that is not known is shared with nobody."""
    cores = [core for core in machine.cores if core.id in claim.cores]
    taken = {part.id for part in claim.devices}
    devices = [device for device in machine.devices if device.id in taken]
    nodes = {core.numa_node for core in cores} | set(claim.memory_nodes)
    nodes |= {device.numa_node for device in devices if device.numa_node is not None}
    if "numa" in role.requires and len(nodes) > 1:
        yield Unmet("numa", role.name, f"nodes {sorted(nodes)} of {machine.name}")
    if "l3" in role.requires and (len({core.l3 for core in cores}) > 1 or any(core.l3 < 0 for core in cores)):
        yield Unmet("l3", role.name, f"caches {sorted({core.l3 for core in cores})} of {machine.name}")
    switches = {device.pcie_switch for device in devices}
    if "pcie" in role.requires and len(devices) > 1 and (len(switches) > 1 or not all(switches)):
        yield Unmet("pcie", role.name, f"switches {sorted(map(str, switches))} of {machine.name}")
    furthest = max((machine.distance(one, other) for one in nodes for other in nodes), default=0)
    if role.numa_distance_max is not None and furthest > role.numa_distance_max:
        yield Unmet("numaDistance", role.name, f"{furthest} on {machine.name}")


def _lie(fleet: Fleet, demand: Demand, claims: Sequence[Claim]) -> Iterator[Unmet]:
    """Where the members stand to each other: one site, every level that must be shared, a link, spread."""
    machines = [fleet.index[claim.machine] for claim in claims]
    known = {"machine", "site", *(level.name for level in fleet.levels)}
    for level in ("site", *demand.required_levels):
        found = {(machine.site, machine.domain(level)) for machine in machines}
        if level not in known or len(found) > 1 or any(domain is None for _, domain in found):
            yield Unmet(f"topology:{level}", "", f"in {sorted(str(domain) for _, domain in found)}")
    least = demand.link_bytes_per_s_min
    if least is not None:
        carrying = [
            level.name for level in fleet.levels if level.bytes_per_s is not None and level.bytes_per_s >= least
        ]
        domains = [{(machine.site, machine.domain(level)) for machine in machines} for level in carrying]
        if not any(len(found) == 1 and None not in next(iter(found)) for found in domains):
            yield Unmet("linkBandwidth", "", f"no level of {sorted(carrying)} is shared")
    if demand.spread is not None:
        each = Counter(machine.domain(demand.spread.level) for machine in machines)
        for domain, many in each.items():
            if domain is None or many > demand.spread.members_max:
                yield Unmet(f"spread:{demand.spread.level}", "", f"{many} in {domain}")
