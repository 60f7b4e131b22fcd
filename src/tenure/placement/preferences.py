"""What may be preferred, in the order in which it is sought: whether claims keep it, and by how much they do not.

A preference delays nothing, costs no member and breaks nothing that is required. What the plan that was found keeps
stays kept; of the rest each is sought in turn, and yields to those before it. First what members have of each other
(a level, a link, a spread), then what each has inside its machine (distance, NUMA node, PCIe switch, cache).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from tenure.placement.answers import Preference
from tenure.placement.apart import crowded, kept
from tenure.placement.demand import Demand, Role
from tenure.placement.fleet import Fleet, FleetMachine
from tenure.placement.holds import Claim

LINK = "linkBandwidth"
DISTANCE = "numaDistance"


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that a demand may prefer: what claims make of it (nothing where the demand does not prefer it), the
    demand that requires it, and the demand that says nothing of it."""

    told: Callable[[Fleet, Demand, Sequence[Claim]], Iterator[Preference]]
    required: Callable[[Demand], Demand]
    left_out: Callable[[Demand], Demand]

    def kept(self, fleet: Fleet, demand: Demand, claims: Sequence[Claim]) -> bool:
        """Whether claims keep it; who prefers nothing has it kept."""
        return all(one.kept for one in self.told(fleet, demand, claims))


def preferences(fleet: Fleet, demand: Demand, claims: Sequence[Claim]) -> tuple[Preference, ...]:
    """All that a demand prefers, with what these claims make of it."""
    return tuple(one for wish in wishes_of(demand) for one in wish.told(fleet, demand, claims))


def wishes_of(demand: Demand) -> tuple[Wish, ...]:
    """What is sought once a place is found, what yields last first: levels, then all else that may be preferred."""
    return (*map(_shared, demand.preferred_levels), *WISHES)


def with_only(demand: Demand, wishes: Sequence[Wish]) -> Demand:
    """The demand with these wishes alone."""
    for wish in wishes_of(demand):
        if wish not in wishes:
            demand = wish.left_out(demand)
    return demand


def loses(before: Sequence[Preference], after: Sequence[Preference]) -> bool:
    """Whether of one demand's preferences one was kept and no longer is."""
    return any(one.kept and not other.kept for one, other in zip(before, after, strict=True))


def share(machines: Sequence[FleetMachine], level: str) -> bool:
    """Whether all these machines stand in one domain of a level."""
    return machines[0].domain(level) is not None and len({machine.domain(level) for machine in machines}) == 1


def _machines(fleet: Fleet, claims: Sequence[Claim]) -> list[FleetMachine]:
    return [fleet.machine(claim.machine) for claim in claims]


@cache
def _shared(level: str) -> Wish:
    """That all members share a level."""

    def told(fleet: Fleet, demand: Demand, claims: Sequence[Claim]) -> Iterator[Preference]:
        if level in demand.preferred_levels:
            machines = _machines(fleet, claims)
            # As where it is required: who is alone on a machine that names no domain shares none.
            domains = {machine.domain(level) for machine in machines}
            found = None if level not in fleet.level_names() or None in domains else len(domains)
            yield Preference(f"level:{level}", found == 1, 1, found)

    def left_out(demand: Demand) -> Demand:
        also = tuple(other for other in demand.preferred_also if other != level)
        one = None if demand.preferred_level == level else demand.preferred_level
        return replace(demand, preferred_level=one, preferred_also=also)

    return Wish(told, lambda demand: replace(demand, required_also=(*demand.required_also, level)), left_out)


def _link(fleet: Fleet, demand: Demand, claims: Sequence[Claim]) -> Iterator[Preference]:
    wanted = demand.preferred_link_bytes_per_s_min
    if wanted is None:
        return
    machines = _machines(fleet, claims)
    shared = [level.bytes_per_s for level in fleet.levels if share(machines, level.name)]
    found = max((known for known in shared if known is not None), default=None)
    # A lone member has no link to another one.
    yield Preference(LINK, len(claims) == 1 or (found is not None and found >= wanted), wanted, found)


def _spread(fleet: Fleet, demand: Demand, claims: Sequence[Claim]) -> Iterator[Preference]:
    wanted = demand.preferred_spread
    if wanted is not None:
        machines = _machines(fleet, claims)
        met, most = kept(wanted, machines), crowded(wanted, machines)
        yield Preference(f"spread:{wanted.level}", met, wanted.members_max, most)


def _distance(fleet: Fleet, demand: Demand, claims: Sequence[Claim]) -> Iterator[Preference]:
    for role, own in _by_role(demand, claims):
        wanted = role.preferred_numa_distance_max
        if wanted is not None:
            found = [_furthest(fleet.machine(claim.machine), claim) for claim in own]
            known = [one for one in found if one is not None]
            most = max(known, default=0) if len(known) == len(found) else None
            yield Preference(DISTANCE, most is not None and most <= wanted, wanted, most, role.name)


def _furthest(machine: FleetMachine, claim: Claim) -> int | None:
    """The greatest distance between what a member has on its machine; None where a device's node is none of it."""
    nodes = _nodes(machine, claim)
    if not nodes <= set(machine.numa_nodes):
        return None
    return max((machine.distance(one, other) for one in nodes for other in nodes), default=0)


def _nodes(machine: FleetMachine, claim: Claim) -> set[int]:
    devices = [machine.device_index[device.id] for device in claim.devices]
    nodes = {machine.core_index[core].numa_node for core in claim.cores} | set(claim.memory_nodes)
    return nodes | {device.numa_node for device in devices if device.numa_node is not None}


def _inside(level: str) -> Callable[[Fleet, Demand, Sequence[Claim]], Iterator[Preference]]:
    def told(fleet: Fleet, demand: Demand, claims: Sequence[Claim]) -> Iterator[Preference]:
        for role, own in _by_role(demand, claims):
            if level in role.prefers:
                most = max((_parts(fleet.machine(claim.machine), claim, level) for claim in own), default=0)
                yield Preference(level, most <= 1, 1, most, role.name)

    return told


def _parts(machine: FleetMachine, claim: Claim, level: str) -> int:
    """Over how many caches, NUMA nodes or PCIe switches a member lies; what hangs from no switch, or from none that is
    known, shares it with nobody."""
    if level == "l3":
        return len({machine.core_index[core].l3 for core in claim.cores})
    if level == "numa":
        return len(_nodes(machine, claim))
    switches = [machine.device_index[device.id].pcie_switch for device in claim.devices]
    return len(set(filter(None, switches))) + sum(not switch for switch in switches)


def _by_role(demand: Demand, claims: Sequence[Claim]) -> Iterator[tuple[Role, list[Claim]]]:
    for role in demand.roles:
        yield role, [claim for claim in claims if claim.role == role.name]


def _each(change: Callable[[Role], Role]) -> Callable[[Demand], Demand]:
    return lambda demand: replace(demand, roles=tuple(change(role) for role in demand.roles))


def _near(role: Role) -> Role:
    wanted = (role.numa_distance_max, role.preferred_numa_distance_max)
    return replace(role, numa_distance_max=min((one for one in wanted if one is not None), default=None))


def _linked(demand: Demand) -> Demand:
    wanted = (demand.link_bytes_per_s_min, demand.preferred_link_bytes_per_s_min)
    return replace(demand, link_bytes_per_s_min=max((one for one in wanted if one is not None), default=None))


def _sharing(level: str) -> Wish:
    own = frozenset({level})
    return Wish(
        _inside(level),
        _each(lambda role: replace(role, requires=role.requires | (role.prefers & own))),
        _each(lambda role: replace(role, prefers=role.prefers - own)),
    )


WISHES = (
    Wish(_link, _linked, lambda demand: replace(demand, preferred_link_bytes_per_s_min=None)),
    Wish(
        _spread,
        lambda demand: replace(demand, spread=demand.preferred_spread or demand.spread),
        lambda demand: replace(demand, preferred_spread=None),
    ),
    Wish(_distance, _each(_near), _each(lambda role: replace(role, preferred_numa_distance_max=None))),
    _sharing("numa"),
    _sharing("pcie"),
    _sharing("l3"),
)
"""What is sought of every demand that prefers it, what yields last first."""
