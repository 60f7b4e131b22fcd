"""What the recount is given: each machine's capacity and each budget, read from the objects."""

from collections.abc import Mapping, Sequence

from tenure.controllers.machine.fleet import islands_of, place_of
from tenure.controllers.machine.limits import COOLING, POWER, budgets_of
from tenure.controllers.machine.power import Parts, power_parts
from tenure.ledger.recount import Capacity
from tenure.ledger.recount_budgets import Limit
from tenure.placement import Budget, FleetMachine
from tenure.resources import Engine, HardwareProfile, Machine, Site
from tenure.topology import MachineTopology, listed, machine_from_json


def capacity_of(machine: Machine, profiles: Mapping[str, HardwareProfile]) -> Capacity:
    """What one machine has to sell, whatever its state."""
    status = machine.status
    cores = frozenset(status.sellable_cores) if status else frozenset()
    profile = profiles.get(machine.spec.profile)
    sorts = [profile.spec.topology.get(sort) or [] for sort in ("gpus", "nics")] if profile else []
    devices = {str(device["id"]): 1000 for sort in sorts if isinstance(sort, list) for device in sort}
    memory = int(status.sellable_memory or 0) if status else 0
    return Capacity(machine.name, cores, memory, devices, retired=status is not None and status.state == "Retired")


def second_names(engines: Sequence[Engine], machines: Sequence[Machine]) -> dict[str, str]:
    """Machines of a site that are its one host under another name, as an older version registered them, and which.

    Where work runs on the host itself, its engine says by which name that is known.
    """
    known = {engine.spec.machine for engine in engines if engine.spec.type == "local"}
    there = sorted(name for name in known if name in {machine.name for machine in machines})
    if not there:
        return {}
    return {m.name: there[0] for m in machines if m.status is not None and m.name not in there}


def limits_of(site: Site, machines: Sequence[Machine], profiles: Mapping[str, HardwareProfile]) -> list[Limit]:
    """The budgets that a site declares, of itself and of each of its levels, with what cores and devices draw of them.

    Machines that sell nothing now count too: what is still held there draws. One whose profile is gone is counted by
    what its holds draw by their own word; of its watts nothing is known any more.
    """
    own = site.spec
    of_site = own.budgets or own.named or own.power or own.cooling or own.rack_units or own.weight_kg
    if not of_site and all(machine.spec.local_disk is None for machine in machines):
        return []
    topologies: dict[str, MachineTopology] = {}
    parts: dict[str, Parts] = {}
    gpus: dict[str, frozenset[str]] = {}
    placed = []
    for machine in machines:
        name = machine.spec.profile
        if name not in profiles:
            place = place_of(machine, islands=0)
            placed.append(FleetMachine(name=machine.name, site=machine.spec.site, place=place))
            continue
        if name not in topologies:
            topologies[name] = machine_from_json(profiles[name].spec.topology)
            gpus[name] = frozenset(gpu.id for gpu in listed(topologies[name].gpus))
        topology = topologies[name]
        place = place_of(machine, islands_of(topology))
        placed.append(FleetMachine(name=machine.name, site=machine.spec.site, place=place))
        parts[machine.name] = power_parts(machine, topology)

    def drawn(budget: Budget, part: str) -> dict[str, int]:
        if budget.name not in (POWER, COOLING):
            return {}
        facts = {name: of.core if part == "core" else of.device for name, of in parts.items()}
        return {name: power.by(budget.rating) or 0 for name, power in facts.items()}

    return [
        Limit(
            id=budget.id,
            limit=budget.limit,
            machines=frozenset(machine.name for machine in placed if machine.domain(budget.level) == budget.domain),
            base=budget.base,
            unit=budget.unit,
            name=budget.name,
            by_core=drawn(budget, "core"),
            by_device=drawn(budget, "device"),
            drawing={machine.name: gpus.get(machine.spec.profile, frozenset()) for machine in machines},
            crossing=budget.crossing,
            level=budget.level,
            domain=budget.domain,
        )
        for budget in budgets_of(site, placed, machines)
    ]
