"""The oracle: tries everything. It shares no code with the search, only the values; small fleets and times only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

from tenure.placement import (
    Budget,
    Calendar,
    Claim,
    Demand,
    DeviceClaim,
    Fleet,
    FleetMachine,
    Hold,
    PowerFacts,
    Role,
    Start,
)

Unit = tuple[str, frozenset[str], int]


def feasible(fleet: Fleet, calendar: Calendar, demand: Demand, start_ms: int) -> bool:
    """Whether any choice of claims for all members keeps every limit at every instant of a run from ``start_ms``."""
    end_ms = demand.end_from(start_ms)
    if end_ms <= start_ms:
        return False
    others = [hold for hold in calendar.holds.values() if not (demand.group and hold.group == demand.group)]
    tables = [_standing(others, t, calendar.margin_ms) for t in range(start_ms, end_ms + calendar.margin_ms)]
    members = [role for role in demand.roles for _ in range(_least(role))]
    options = {role.name: list(_claims(fleet, demand, role)) for role in demand.roles}
    options = {
        name: [claim for claim in claims if all(_keeps(fleet, table, [claim]) for table in tables)]
        for name, claims in options.items()
    }
    return _together(fleet, demand, tables, [options[role.name] for role in members], members)


def _least(role: Role) -> int:
    return min(size for size, _ in role.values) if role.values else role.count_min or role.count


def earliest(fleet: Fleet, calendar: Calendar, demand: Demand, start: Start) -> int | None:
    """The first feasible start, looking at every millisecond."""
    return next(
        (t for t in range(start.earliest_ms, start.latest_ms + 1) if feasible(fleet, calendar, demand, t)), None
    )


def _together(
    fleet: Fleet, demand: Demand, tables: list[list[list[Hold]]], options: list[list[Claim]], members: list[Role]
) -> bool:
    def extend(chosen: list[Claim], last: int) -> bool:
        place = len(chosen)
        if place == len(options):
            return _related(fleet, demand, chosen)
        first = last if place and members[place] is members[place - 1] else 0
        for number in range(first, len(options[place])):
            more = [*chosen, options[place][number]]
            if _clash(more):
                continue
            if all(_keeps(fleet, table, more) for table in tables) and extend(more, number):
                return True
        return False

    return extend([], 0)


def _clash(claims: list[Claim]) -> bool:
    cores = [(claim.machine, core) for claim in claims for core in claim.cores]
    return len(set(cores)) < len(cores)


def _claims(fleet: Fleet, demand: Demand, role: Role) -> Iterator[Claim]:
    for machine in fleet.machines:
        if not machine.schedulable:
            continue
        if not all(c.permits(machine.name, machine.hardware_class) for c in demand.constraints):
            continue
        nodes = sorted({node.id for node in machine.memory})
        node_sets = [s for n in range(1, len(nodes) + 1) for s in combinations(nodes, n)] if role.memory_bytes else [()]
        for cores in combinations(sorted(c.id for c in machine.cores), role.cores):
            for memory_nodes in node_sets:
                for devices in _device_sets(machine, role):
                    claim = Claim(machine.name, cores, role.memory_bytes, memory_nodes, devices, role.name, role.draws)
                    if _lies_together(machine, role, claim):
                        yield claim


def _device_sets(machine: FleetMachine, role: Role) -> Iterator[tuple[DeviceClaim, ...]]:
    def extend(requests: list[Unit], used: tuple[DeviceClaim, ...]) -> Iterator[tuple[DeviceClaim, ...]]:
        if not requests:
            yield used
            return
        device_class, models, milli = requests[0]
        for device in machine.devices:
            if device.id in {d.id for d in used} or device.device_class != device_class:
                continue
            if models and device.model not in models:
                continue
            yield from extend(requests[1:], (*used, DeviceClaim(device.id, milli)))

    units = [(r.device_class, r.models, r.milli) for r in role.devices for _ in range(r.count)]
    seen = set()
    for found in extend(units, ()):
        key = frozenset((d.id, d.milli) for d in found)
        if key not in seen:
            seen.add(key)
            yield found


def _lies_together(machine: FleetMachine, role: Role, claim: Claim) -> bool:
    facts = {core.id: core for core in machine.cores}
    devices = [device for device in machine.devices if device.id in {d.id for d in claim.devices}]
    nodes = {facts[core].numa_node for core in claim.cores} | set(claim.memory_nodes)
    nodes |= {device.numa_node for device in devices if device.numa_node is not None}
    caches = {facts[core].l3 for core in claim.cores}
    if "l3" in role.requires and (len(caches) > 1 or any(cache < 0 for cache in caches)):
        return False
    if "numa" in role.requires and len(nodes) > 1:
        return False
    if "pcie" in role.requires and len(devices) > 1:
        switches = {device.pcie_switch for device in devices}
        if len(switches) > 1 or None in switches:
            return False
    limit = role.numa_distance_max
    return limit is None or all(machine.distance(a, b) <= limit for a in nodes for b in nodes)


def _standing(holds: list[Hold], at_ms: int, margin_ms: int) -> list[list[Hold]]:
    """Holds that stand at an instant, alternatives side by side."""
    groups: dict[str, list[Hold]] = {}
    for hold in holds:
        if hold.start_ms <= at_ms < hold.end_ms + margin_ms:
            groups.setdefault(hold.group or hold.id, []).append(hold)
    return list(groups.values())


def _keeps(fleet: Fleet, standing: list[list[Hold]], new: list[Claim]) -> bool:
    used: dict[tuple[str, str], int] = {}
    for alternatives in [[hold.claims for hold in group] for group in standing] + [[tuple(new)]]:
        greatest: dict[tuple[str, str], int] = {}
        for claims in alternatives:
            for key, amount in _amounts(fleet, claims).items():
                greatest[key] = max(greatest.get(key, 0), amount)
        for key, amount in greatest.items():
            used[key] = used.get(key, 0) + amount
    return all(amount <= _limit(fleet, *key) for key, amount in used.items())


def _amounts(fleet: Fleet, claims: tuple[Claim, ...]) -> dict[tuple[str, str], int]:
    total: dict[tuple[str, str], int] = {}

    def add(where: str, axis: str, amount: int) -> None:
        if amount:  # what takes nothing is bound by nothing
            total[where, axis] = total.get((where, axis), 0) + amount

    for claim in claims:
        machine = fleet.machine(claim.machine)
        for core in claim.cores:
            add(claim.machine, f"core {core}", 1)
        for node, part in claim.memory_parts().items():
            add(claim.machine, f"memory {node}", part)
        for device in claim.devices:
            add(claim.machine, f"device {device.id}", device.milli)
        for number, budget in enumerate(fleet.budgets):
            if machine.domain(budget.level) != budget.domain:
                continue
            if budget.crossing and all(fleet.machine(c.machine).domain(budget.level) == budget.domain for c in claims):
                continue
            add("budget", str(number), sum(d.amount for d in claim.draws if d.budget == budget.name))
            if budget.name in ("power", "cooling"):
                add("budget", str(number), _watts(machine, claim, budget))
    return total


def _watts(machine: FleetMachine, claim: Claim, budget: Budget) -> int:
    """Milliwatts by the figure that the budget goes by; thousandths of a device in proportion, rounded up."""
    devices = {device.id: device for device in machine.devices}
    total = len(claim.cores) * _figure(machine.core_power, budget.rating)
    for part in claim.devices:
        device = devices[part.id]
        total += math.ceil(_figure(device.power, budget.rating) * part.milli / device.milli)
    return total


def _figure(facts: PowerFacts, rating: str) -> int:
    """A measured figure stands behind a cap, a cap behind the plate; where none is known nothing is counted."""
    order = [facts.measured_mw, facts.capped_mw, facts.rated_mw]
    since = {"measured": 0, "capped": 1, "rated": 2}[rating]
    return next((figure for figure in order[since:] if figure is not None), 0)


def _limit(fleet: Fleet, where: str, axis: str) -> int:
    if where == "budget":
        budget = fleet.budgets[int(axis)]
        return budget.limit - budget.base
    machine = fleet.machine(where)
    kind, name = axis.split()
    if kind == "core":
        return 0 if int(name) in machine.reserved_cores else 1
    if kind == "memory":
        return next(max(0, node.bytes - node.reserved_bytes) for node in machine.memory if node.id == int(name))
    return next(device.milli if device.healthy else 0 for device in machine.devices if device.id == name)


def _related(fleet: Fleet, demand: Demand, claims: list[Claim]) -> bool:
    machines = [fleet.machine(claim.machine) for claim in claims]
    if len({machine.site for machine in machines}) > 1:
        return False
    if not all(_one_domain(machines, level) for level in demand.required_levels):
        return False
    if demand.link_bytes_per_s_min is not None and not _linked(fleet, demand.link_bytes_per_s_min, machines):
        return False
    if demand.spread is not None:
        domains = [machine.domain(demand.spread.level) for machine in machines]
        if None in domains or any(domains.count(d) > demand.spread.members_max for d in domains):
            return False
    return True


def _linked(fleet: Fleet, least: int, machines: list[FleetMachine]) -> bool:
    """Whether some level that all machines share is known to carry the bandwidth."""
    return any((level.bytes_per_s or 0) >= least and _one_domain(machines, level.name) for level in fleet.levels)


def _one_domain(machines: list[FleetMachine], level: str) -> bool:
    return machines[0].domain(level) is not None and len({(m.site, m.domain(level)) for m in machines}) == 1


def together(fleet: Fleet, demand: Demand, claims: tuple[Claim, ...]) -> bool:
    """Whether these claims share what the demand says must be shared, and are spread as it says."""
    return _related(fleet, demand, list(claims))
