"""What a platform engineer names outright: members, devices, and what they must or should share. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tenure.controllers.machine.fleet import CACHES_KNOWN
from tenure.controllers.machine.limits import LOCAL_DISK, NETWORK
from tenure.placement import Constraint, Demand, DeviceRequest, Draw, Fleet, Role, Spread
from tenure.placement.fleet import WHOLE_MILLI
from tenure.resources.kinds import members as wire
from tenure.resources.kinds.members import TopologyRule, TopologyRules
from tenure.resources.kinds.workload import WorkloadSpec

MEMBERS = "resources.members"
ONE_MEMBER = "this machine's engine runs one member; try several on a simulated fleet: tenure up --fleet FLEET"
INSIDE = {"l3": "l3", "numaNode": "numa", "pcieSwitch": "pcie"}
"""Sharing inside a machine, in placement's words."""

ACROSS = ("machine", "nvlinkDomain", "rail", "leaf", "spine", "rack", "row", "feed", "site")
"""Sharing between members, from the narrowest."""

DECLARED_IN = {NETWORK: "Site.spec.budgets", LOCAL_DISK: "Machine.spec.localDisk"}
"""Where limits stand that have a field of their own."""


@dataclass(frozen=True, slots=True)
class Members:
    """One sort of members: how many, and what each takes. A name, cores and memory only where it is one of several
    roles; a lone sort takes those that the need itself says.

    `least` and `values` are a Role's `count_min` and `values`, where the number may vary."""

    count: int = 1
    least: int | None = None
    values: tuple[tuple[int, int], ...] = ()
    devices: tuple[DeviceRequest, ...] = ()
    draws: tuple[Draw, ...] = ()
    name: str | None = None
    cores: int = 0
    memory_bytes: int | None = None

    @property
    def fewest(self) -> int:
        """The smallest number that will do."""
        return min((size for size, _ in self.values), default=self.least or self.count)

    @property
    def varies(self) -> bool:
        """Whether several numbers were asked for."""
        return self.fewest < self.count


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is named beside cores and memory of one member. Levels are placement's."""

    sorts: tuple[Members, ...] = (Members(),)
    requires: frozenset[str] = frozenset()
    prefers: frozenset[str] = frozenset()
    required_levels: tuple[str, ...] = ()
    preferred_level: str | None = None
    preferred_also: tuple[str, ...] = ()
    link_bytes_per_s_min: int | None = None
    preferred_link_bytes_per_s_min: int | None = None
    numa_distance_max: int | None = None
    preferred_numa_distance_max: int | None = None
    spread: Spread | None = None
    preferred_spread: Spread | None = None
    prefers_core: bool = False

    @property
    def fewest(self) -> int:
        """All members, where each sort has as few as will do."""
        return sum(sort.fewest for sort in self.sorts)

    @property
    def may_be_fewer(self) -> bool:
        """Whether fewer members than asked for are worth offering: nobody said how many it takes at the least."""
        return all(sort.least is None and not sort.values for sort in self.sorts)

    @property
    def alone(self) -> "Wanted":
        """The same with one member, where one will do: for an engine that runs no more. A lone member has no link to
        another one, and is apart from nobody."""
        if self.fewest > 1:
            return self
        sorts = tuple(replace(sort, count=1, least=None, values=()) for sort in self.sorts)
        apart = replace(self, spread=None, preferred_spread=None)
        return replace(apart, sorts=sorts, link_bytes_per_s_min=None, preferred_link_bytes_per_s_min=None)

    @property
    def where(self) -> "Wanted":
        """Where one member has to lie, or should, and nothing of what it takes: for work of which that was measured."""
        return replace(self.alone, sorts=(Members(),))


def wanted_of(spec: WorkloadSpec) -> Wanted:
    """Read `resources` and `topology`. Every level between members that must be shared counts, the narrowest first."""
    resources, rules = spec.resources, spec.topology or TopologyRules()
    must = {rule.share for rule in rules.must if rule.share is not None}
    prefer = {rule.share for rule in rules.prefer if rule.share is not None}
    sorts = tuple(_members(sort) for sort in resources.in_roles) if resources is not None else (Members(),)
    preferred = [level for level in ACROSS if level in prefer]
    # A lone member has no link to another one.
    several = sum(sort.count for sort in sorts) > 1
    return Wanted(
        sorts=sorts,
        requires=frozenset(INSIDE[share] for share in must if share in INSIDE),
        prefers=frozenset(INSIDE[share] for share in prefer if share in INSIDE),
        required_levels=tuple(level for level in ACROSS if level in must),
        preferred_level=next(iter(preferred), None),
        preferred_also=tuple(preferred[1:]),
        link_bytes_per_s_min=_link(rules.required) if several else None,
        preferred_link_bytes_per_s_min=_link(rules.prefer) if several else None,
        numa_distance_max=_distance(rules.required),
        preferred_numa_distance_max=_distance(rules.prefer),
        spread=_spread(rules.must),
        preferred_spread=_spread(rules.prefer),
        prefers_core="core" in prefer,
    )


def _spread(rules: Sequence[TopologyRule]) -> Spread | None:
    return next((Spread(rule.spread, rule.members_max or 1) for rule in rules if rule.spread is not None), None)


def _link(rules: Sequence[TopologyRule]) -> int | None:
    return next((int(rule.link_bandwidth_min) for rule in rules if rule.link_bandwidth_min), None)


def _distance(rules: Sequence[TopologyRule]) -> int | None:
    return next((rule.numa_distance_max for rule in rules if rule.numa_distance_max is not None), None)


def _members(sort: wire.MemberResources) -> Members:
    named = isinstance(sort, wire.RoleRequest)
    return Members(
        count=sort.members_most,
        least=sort.members_min,
        values=tuple((size.members, size.value) for size in sort.sizes or ()),
        devices=tuple(
            DeviceRequest(
                device.device_class,
                device.count,
                WHOLE_MILLI if device.fraction is None else int(device.fraction),
                frozenset(device.models or ([device.model] if device.model else [])),
            )
            for device in sort.devices
        ),
        draws=(
            *(Draw(draw.budget, draw.amount) for draw in sort.draws),
            *([Draw(NETWORK, int(sort.network))] if sort.network else []),
            *([Draw(LOCAL_DISK, int(sort.local_disk))] if sort.local_disk else []),
        ),
        name=sort.name if isinstance(sort, wire.RoleRequest) else None,
        cores=sort.cores if named else 0,
        memory_bytes=int(sort.memory) if named and sort.memory is not None else None,
    )


def with_wanted(demand: Demand, wanted: Wanted, fleet: Fleet) -> Demand:
    """The demand of one member as the whole that is named."""
    role = demand.roles[0]
    constraints = demand.constraints
    for level in wanted.required_levels:
        if level in ("machine", "site") or level not in fleet.level_names():
            continue
        # A lone member shares the level with nobody, and its own devices must still lie in one such domain.
        named = frozenset(machine.name for machine in fleet.machines if machine.domain(level) is not None)
        hint = f"only machines that wholly lie in one {level} count"
        if level == "nvlinkDomain":
            hint += "; one whose GPUs fall into several islands names none"
        constraints = (*constraints, Constraint(f"topology.{level}", "workload", machines=named, hint=hint))
    if "l3" in wanted.requires:
        sure = frozenset(machine.name for machine in fleet.machines if (CACHES_KNOWN, 1.0) in machine.traits)
        hint = "only machines count of which it is known which cores share a cache"
        constraints = (*constraints, Constraint("topology.l3", "workload", machines=sure, hint=hint))
    if wanted.spread is not None and wanted.spread.level != "machine":
        level = wanted.spread.level
        named = frozenset(machine.name for machine in fleet.machines if machine.domain(level) is not None)
        hint = f"only machines count of which it is known in which {level} they stand"
        constraints = (*constraints, Constraint(f"topology.spread.{level}", "workload", machines=named, hint=hint))
    constraints = (*constraints, *_undeclared(wanted, fleet))
    return replace(
        demand,
        roles=tuple(_role(role, sort, wanted) for sort in wanted.sorts),
        constraints=constraints,
        required_level=next(iter(wanted.required_levels), None),
        required_also=wanted.required_levels[1:],
        preferred_level=wanted.preferred_level,
        preferred_also=wanted.preferred_also,
        link_bytes_per_s_min=wanted.link_bytes_per_s_min,
        preferred_link_bytes_per_s_min=wanted.preferred_link_bytes_per_s_min,
        spread=wanted.spread,
        preferred_spread=wanted.preferred_spread,
    )


def _role(member: Role, sort: Members, wanted: Wanted) -> Role:
    """The member as one of this sort."""
    own = replace(
        member,
        count=sort.count,
        count_min=sort.least,
        values=tuple((size, float(value)) for size, value in sort.values),
        devices=sort.devices,
        draws=sort.draws,
        requires=wanted.requires,
        prefers=wanted.prefers,
        numa_distance_max=wanted.numa_distance_max,
        preferred_numa_distance_max=wanted.preferred_numa_distance_max,
    )
    if sort.name is None:
        return own
    memory = member.memory_bytes if sort.memory_bytes is None else sort.memory_bytes
    return replace(own, name=sort.name, cores=sort.cores, memory_bytes=memory)


def _undeclared(wanted: Wanted, fleet: Fleet) -> list[Constraint]:
    """What is drawn of a budget that nobody declared is refused by its name: what has no limit cannot be promised."""
    found = []
    for name in dict.fromkeys(draw.budget for sort in wanted.sorts for draw in sort.draws):
        over = {(budget.level, budget.domain) for budget in fleet.budgets if budget.name == name}
        levels = {level for level, _ in over}
        inside = frozenset(m.name for m in fleet.machines if any((lv, m.domain(lv)) in over for lv in levels))
        if len(inside) < len(fleet.machines):
            where = DECLARED_IN.get(name, "Site.spec.named or .budgets")
            hint = f"only machines count over which {name} is declared, in {where}"
            found.append(Constraint(name, "site", machines=inside, hint=hint))
    return found


def limits_of_engine(spec: WorkloadSpec, *, simulated: bool) -> tuple[Constraint, ...]:
    """What the engine cannot do, as constraints that no machine satisfies; their hints say what to do instead."""
    nowhere: frozenset[str] = frozenset()
    if simulated and spec.inference is not None and spec.resources is None:
        hint = "nothing can be measured on a simulated fleet: name what it needs in spec.resources"
        return (Constraint("resources", "engine simulated", machines=nowhere, hint=hint),)
    if any(rule.share == "core" for rule in (spec.topology or TopologyRules()).must):
        hint = "cores are held whole, so nothing else shares them; leave share: core out"
        return (Constraint("topology.core", "tenure", machines=nowhere, hint=hint),)
    if not simulated and wanted_of(spec).fewest > 1:
        return (Constraint(MEMBERS, "engine local", machines=nowhere, hint=ONE_MEMBER),)
    return ()
