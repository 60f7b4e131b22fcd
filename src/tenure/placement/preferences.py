"""What may be preferred, in the order in which it is sought: whether claims keep it, and by how much they do not.

A preference delays nothing, costs no member and breaks nothing that is required. What the plan that was found keeps
stays kept; of the rest each is sought in turn, and yields to those before it. First what members have of each other
(a level, a link, a spread), then what each has inside its machine (distance, NUMA node, PCIe switch, cache).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from tenure.placement.answers import Preference
from tenure.placement.apart import crowded, kept
from tenure.placement.demand import Demand, Role, Spread
from tenure.placement.fleet import Fleet, FleetMachine
from tenure.placement.holds import Claim

LINK = "linkBandwidth"
DISTANCE = "numaDistance"
INSIDE = ("numa", "pcie", "l3")
"""What may be shared inside a machine, what yields last first."""

MEMBERS_SOUGHT_MAX = 4_000
"""Members times preferences that are sought: all of a gang's, of the largest ones the first."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that a demand prefers, of all members or of one role: what claims make of it, the demand that requires
    it up to some figure (as it is, where that figure cannot be required), and the demand that says nothing of it."""

    what: str
    asked: int
    told: Callable[[Fleet, Sequence[Claim]], Preference] = field(compare=False)
    required: Callable[[Demand, int], Demand] = field(compare=False)
    left_out: Callable[[Demand], Demand] = field(compare=False)
    role: str = ""

    def kept(self, fleet: Fleet, claims: Sequence[Claim]) -> bool:
        """Whether claims keep it."""
        return self.told(fleet, claims).kept


def preferences(fleet: Fleet, demand: Demand, claims: Sequence[Claim]) -> tuple[Preference, ...]:
    """All that a demand prefers, with what these claims make of it."""
    return tuple(wish.told(fleet, claims) for wish in wishes_of(demand))


def wishes_of(demand: Demand) -> tuple[Wish, ...]:
    """What is sought once a place is found, what yields last first: levels, then all else that is preferred."""
    return tuple(_wishes_of(demand))


def _wishes_of(demand: Demand) -> Iterator[Wish]:
    yield from map(_shared, demand.preferred_levels)
    if demand.preferred_link_bytes_per_s_min is not None:
        yield _linked(demand.preferred_link_bytes_per_s_min)
    if demand.preferred_spread is not None:
        yield _apart(demand.preferred_spread)
    # Each role by itself: one that can keep it does not wait for one that never can. Roles of one name are one.
    near: dict[str, int] = {}
    for role in demand.roles:
        most = role.preferred_numa_distance_max
        if most is not None:
            near[role.name] = min(most, near.get(role.name, most))
    yield from (_near(*one) for one in near.items())
    for level in INSIDE:
        names = dict.fromkeys(role.name for role in demand.roles if level in role.prefers)
        yield from (_sharing(level, name) for name in names)


def searches_max(members: int) -> int:
    """How many of those that are not kept are sought, each by placing all members once more."""
    return max(1, MEMBERS_SOUGHT_MAX // members)


def marked(told: Preference, *, sought: bool) -> Preference:
    """The same, and whether it was looked for everywhere."""
    return told if told.kept or sought else replace(told, sought=False)


def with_only(demand: Demand, wishes: Sequence[Wish]) -> Demand:
    """The demand with these wishes alone."""
    for wish in wishes_of(demand):
        if wish not in wishes:
            demand = wish.left_out(demand)
    return demand


def holding(fleet: Fleet, demand: Demand, claims: Sequence[Claim], wishes: Iterable[Wish]) -> Demand:
    """The demand that requires of these wishes as much as claims have: all of those that they keep, and of a link, a
    spread or a distance that falls short no less than there is."""
    for wish in wishes:
        told = wish.told(fleet, claims)
        figure = told.asked if told.kept else told.found
        if figure is not None:
            demand = wish.required(demand, figure)
    return demand


def loses(before: Sequence[Preference], after: Sequence[Preference]) -> bool:
    """Whether of one demand's preferences one was kept and no longer is."""
    return any(one.kept and not other.kept for one, other in zip(before, after, strict=True))


def share(machines: Sequence[FleetMachine], level: str) -> bool:
    """Whether all these machines stand in one domain of a level."""
    return machines[0].domain(level) is not None and len({machine.domain(level) for machine in machines}) == 1


def _shared(level: str) -> Wish:
    """All members share a level."""
    what = f"level:{level}"

    def told(fleet: Fleet, claims: Sequence[Claim]) -> Preference:
        # As where it is required: who is alone on a machine that names no domain shares none.
        domains = {machine.domain(level) for machine in _machines(fleet, claims)}
        found = None if level not in fleet.level_names() or None in domains else len(domains)
        return Preference(what, found == 1, 1, found)

    def required(demand: Demand, figure: int) -> Demand:
        return replace(demand, required_also=(*demand.required_also, level)) if figure == 1 else demand

    def left_out(demand: Demand) -> Demand:
        also = tuple(other for other in demand.preferred_also if other != level)
        one = None if demand.preferred_level == level else demand.preferred_level
        return replace(demand, preferred_level=one, preferred_also=also)

    return Wish(what, 1, told, required, left_out)


def _linked(wanted: int) -> Wish:
    """Any two members have so much between them."""

    def told(fleet: Fleet, claims: Sequence[Claim]) -> Preference:
        machines = _machines(fleet, claims)
        shared = [level.bytes_per_s for level in fleet.levels if share(machines, level.name)]
        found = max((known for known in shared if known is not None), default=None)
        # A lone member has no link to another one.
        return Preference(LINK, len(claims) == 1 or (found is not None and found >= wanted), wanted, found)

    def required(demand: Demand, figure: int) -> Demand:
        return replace(demand, link_bytes_per_s_min=max(figure, demand.link_bytes_per_s_min or 0))

    return Wish(LINK, wanted, told, required, lambda demand: replace(demand, preferred_link_bytes_per_s_min=None))


def _apart(wanted: Spread) -> Wish:
    """Members stand in several domains."""
    what = f"spread:{wanted.level}"

    def told(fleet: Fleet, claims: Sequence[Claim]) -> Preference:
        machines = _machines(fleet, claims)
        return Preference(what, kept(wanted, machines), wanted.members_max, crowded(wanted, machines))

    def required(demand: Demand, figure: int) -> Demand:
        # Where it falls short, and members stand apart at another level as is required, it cannot be required, too.
        other = demand.spread is not None and demand.spread.level != wanted.level
        return demand if other and figure > wanted.members_max else replace(demand, spread=Spread(wanted.level, figure))

    return Wish(what, wanted.members_max, told, required, lambda demand: replace(demand, preferred_spread=None))


def _near(name: str, wanted: int) -> Wish:
    """What each member of a role has lies near each other."""

    def told(fleet: Fleet, claims: Sequence[Claim]) -> Preference:
        found = [_furthest(fleet.machine(claim.machine), claim) for claim in claims if claim.role == name]
        most = _most(found)
        return Preference(DISTANCE, most is not None and most <= wanted, wanted, most, name)

    def required(role: Role, figure: int) -> Role:
        most = figure if role.numa_distance_max is None else min(figure, role.numa_distance_max)
        return role if role.preferred_numa_distance_max is None else replace(role, numa_distance_max=most)

    def left_out(role: Role) -> Role:
        return replace(role, preferred_numa_distance_max=None)

    return _of_role(name, DISTANCE, wanted, told, required, left_out)


def _furthest(machine: FleetMachine, claim: Claim) -> int | None:
    """The greatest distance between what a member has on its machine; None where a device's node is none of it."""
    nodes = _nodes(machine, claim)
    if not nodes <= set(machine.numa_nodes):
        return None
    return max((machine.distance(one, other) for one in nodes for other in nodes), default=0)


def _most(found: Sequence[int | None]) -> int | None:
    """The greatest; None where one is not known."""
    known = [one for one in found if one is not None]
    return max(known, default=0) if len(known) == len(found) else None


def _nodes(machine: FleetMachine, claim: Claim) -> set[int]:
    devices = [machine.device_index[device.id] for device in claim.devices]
    nodes = {machine.core_index[core].numa_node for core in claim.cores} | set(claim.memory_nodes)
    return nodes | {device.numa_node for device in devices if device.numa_node is not None}


def _sharing(level: str, name: str) -> Wish:
    """What each member of a role has shares a cache, a NUMA node or a PCIe switch."""
    this = frozenset({level})

    def told(fleet: Fleet, claims: Sequence[Claim]) -> Preference:
        found = [_parts(fleet.machine(claim.machine), claim, level) for claim in claims if claim.role == name]
        most = _most(found)
        return Preference(level, most is not None and most <= 1, 1, most, name)

    def required(role: Role, figure: int) -> Role:
        return replace(role, requires=role.requires | (role.prefers & this)) if figure <= 1 else role

    def left_out(role: Role) -> Role:
        return replace(role, prefers=role.prefers - this)

    return _of_role(name, level, 1, told, required, left_out)


def _parts(machine: FleetMachine, claim: Claim, level: str) -> int | None:
    """Over how many caches, NUMA nodes or PCIe switches a member lies; None where its caches are not known. What hangs
    from no switch, or from none that is known, shares it with nobody."""
    if level == "l3":
        caches = {machine.core_index[core].l3 for core in claim.cores}
        return len(caches) if min(caches, default=0) >= 0 else None
    if level == "numa":
        return len(_nodes(machine, claim))
    switches = [machine.device_index[device.id].pcie_switch for device in claim.devices]
    return len(set(filter(None, switches))) + sum(not switch for switch in switches)


def _of_role(
    name: str,
    what: str,
    asked: int,
    told: Callable[[Fleet, Sequence[Claim]], Preference],
    required: Callable[[Role, int], Role],
    left_out: Callable[[Role], Role],
) -> Wish:
    """A wish of one role, or of all of its name."""

    def each(demand: Demand, change: Callable[[Role], Role]) -> Demand:
        return replace(demand, roles=tuple(change(role) if role.name == name else role for role in demand.roles))

    def all_required(demand: Demand, figure: int) -> Demand:
        return each(demand, lambda role: required(role, figure))

    return Wish(what, asked, told, all_required, lambda demand: each(demand, left_out), name)


def _machines(fleet: Fleet, claims: Sequence[Claim]) -> list[FleetMachine]:
    return [fleet.machine(claim.machine) for claim in claims]
