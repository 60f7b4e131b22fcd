"""Machines and their profiles as the fleet that placement plans on."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from tenure.controllers.machine.health import devices_out, state_wanted
from tenure.controllers.machine.limits import budgets_of, may_bind
from tenure.controllers.machine.power import Parts, power_parts
from tenure.placement import Core, Device, Fleet, FleetMachine, Level, MemoryNode, PowerFacts
from tenure.resources import HardwareProfile, Machine, Site
from tenure.topology import (
    MachineTopology,
    NetworkInterface,
    Unknown,
    known,
    known_or,
    linked_groups,
    listed,
    machine_from_json,
    pcie_switch_of,
)

SEEN_STATES = frozenset({"Ready", "Draining", "Failed"})
LEVELS = ("nvlinkDomain", "rail", "leaf", "spine", "rack", "row", "feed")
"""Levels between machine and site. Which of them is narrower is seen from the machines, not assumed."""
LEVEL_LABEL = "topology.tenure.dev/"
CACHES_KNOWN = "cachesKnown"
"""A trait of machines of which it is known which cores share a cache."""


def fleet_of(
    site: Site, machines: Sequence[Machine], profiles: Sequence[HardwareProfile], *, every_budget: bool = False
) -> Fleet:
    """The fleet of the machines that are Ready, or Draining or Failed (which keep what they hold and take nothing new).

    Machines of one profile share its facts, so that a fleet of thousands is made and searched quickly. A budget that
    full machines could not exceed is no constraint; it is left out unless `every_budget` is wanted, for a report.
    """
    sorts = _Sorts({profile.name: profile for profile in profiles})
    placed = []
    for machine in machines:
        sort = sorts.of(machine)
        if sort is not None:
            placed.append(placed_machine(machine, sort))
    budgets = budgets_of(site, placed, machines)
    if not every_budget:
        budgets = may_bind(budgets, placed)
    return Fleet.of(placed, levels=levels_carrying(site, levels_of(placed)), budgets=budgets)


def levels_of(placed: Sequence[FleetMachine]) -> list[str]:
    """The levels that machines name, narrowest first: those of fewer machines a domain."""
    count: Counter[str] = Counter()
    domains: dict[str, set[tuple[str, str]]] = {}
    for machine in placed:
        for level, domain in machine.place:
            count[level] += 1
            domains.setdefault(level, set()).add((machine.site, domain))
    return sorted(count, key=lambda level: (count[level] / len(domains[level]), LEVELS.index(level)))


def levels_carrying(site: Site, named: Sequence[str]) -> tuple[Level, ...]:
    """These levels, and machine and site where their bandwidth is declared, with what the site says that they carry."""
    carries: dict[str, int] = {level.level: int(level.bandwidth) for level in site.spec.levels}
    outer = [level for level in ("machine", "site") if level in carries]
    return tuple(Level(level, carries.get(level)) for level in (*named, *outer))


@dataclass(frozen=True, slots=True)
class Sort:
    """What machines share that have one profile, sell the same of it and are rated alike."""

    cores: tuple[Core, ...]
    memory: tuple[MemoryNode, ...]
    devices: tuple[Device, ...]
    distances: tuple[tuple[int, ...], ...]
    reserved: frozenset[int]
    core_power: PowerFacts
    caches_known: bool
    islands: int  # groups of GPUs that fast links join; 0 where none is known


class _Sorts:
    def __init__(self, profiles: Mapping[str, HardwareProfile]) -> None:
        self._profiles = profiles
        self._topologies: dict[str, MachineTopology] = {}
        self._known: dict[tuple[object, ...], Sort] = {}

    def of(self, machine: Machine) -> Sort | None:
        """The sort of a machine; None for one that has nothing to sell now."""
        status, name = machine.status, machine.spec.profile
        if name not in self._profiles or status is None or status.state not in SEEN_STATES:
            return None
        watts = (machine.spec.rated_power, machine.spec.capped_power, machine.spec.measured_power)
        limits = (machine.spec.gpu_capped_power, status.gpu_capped_power)
        key = (name, tuple(status.sellable_cores), status.sellable_memory, *watts, *limits, devices_out(machine))
        if key not in self._known:
            if name not in self._topologies:
                self._topologies[name] = machine_from_json(self._profiles[name].spec.topology)
            self._known[key] = sort_of(machine, self._topologies[name])
        return self._known[key]


def sort_of(machine: Machine, topology: MachineTopology) -> Sort:
    """The facts of a machine; what is not sellable, as its status says, counts as reserved."""
    status = machine.status
    assert status is not None, "only machines with a status are placed on"
    sellable = set(status.sellable_cores)
    if topology.caches:
        group_of = {core: number for number, group in enumerate(topology.l3_groups()) for core in group}
    else:
        # Nobody said which cores share a cache: those of a node are alike, which also keeps an exact search short.
        group_of = {core.id: -1 - known_or(core.numa_node, 0) for core in topology.cores}
    parts = power_parts(machine, topology)
    return Sort(
        cores=tuple(
            Core(id=core.id, numa_node=known_or(core.numa_node, 0), l3=group_of[core.id]) for core in topology.cores
        ),
        memory=_memory(machine, topology),
        devices=_devices(topology, parts, devices_out(machine)),
        distances=_distances(topology),
        reserved=frozenset(core.id for core in topology.cores if core.id not in sellable),
        core_power=parts.core,
        caches_known=bool(topology.caches),
        islands=islands_of(topology),
    )


def placed_machine(machine: Machine, sort: Sort) -> FleetMachine:
    """One machine with what it has to sell and where it stands."""
    status = machine.status
    states = {state_wanted(machine.spec), status.state if status is not None else "Ready"}
    because = "it has failed" if "Failed" in states else "it is draining" if "Draining" in states else ""
    return FleetMachine(
        name=machine.name,
        site=machine.spec.site,
        cores=sort.cores,
        memory=sort.memory,
        devices=sort.devices,
        place=place_of(machine, sort.islands),
        numa_distances=sort.distances,
        reserved_cores=sort.reserved,
        core_power=sort.core_power,
        schedulable=not because,
        unschedulable_because=because,
        hardware_class=machine.spec.profile,
        traits=((CACHES_KNOWN, 1.0),) if sort.caches_known else (),
    )


def place_of(machine: Machine, islands: int) -> tuple[tuple[str, str], ...]:
    """Its domain at each level that is known, the narrowest first.

    A machine all of whose GPUs are joined by fast links is an NVLink domain by itself unless a label names a wider one.
    One that falls into several islands, or whose links are not known, names none: what a member could be promised
    there is not sure.
    """
    labels = machine.metadata.labels or {}
    named = {level: labels.get(LEVEL_LABEL + level) for level in LEVELS}
    named["rack"] = machine.spec.rack or named["rack"]
    named["row"] = machine.spec.row or named["row"]
    if islands == 1 and named["nvlinkDomain"] is None:
        named["nvlinkDomain"] = machine.name
    return tuple((level, domain) for level in LEVELS if (domain := named[level]))


def islands_of(topology: MachineTopology) -> int:
    """Groups of GPUs that fast links join, counting a GPU without links as one; 0 where links are not known."""
    gpus = {gpu.id for gpu in listed(topology.gpus)}
    if not gpus or isinstance(topology.links, Unknown):
        return 0
    joined = [group for group in linked_groups(topology) if gpus & set(group)]
    return len(joined) + len(gpus - {device for group in joined for device in group})


def _memory(machine: Machine, topology: MachineTopology) -> tuple[MemoryNode, ...]:
    """The sellable memory over the machine's own NUMA nodes.

    A profile's figures are nominal and a kernel hands out less; what is missing is charged to the first nodes as
    reserved, so that the sum is what the machine itself says that it can sell.
    """
    status = machine.status
    sellable = int(status.sellable_memory or 0) if status is not None else 0
    own = [node for node in topology.numa_nodes if not node.device]
    sizes = [(node.id, known_or(node.memory_bytes, 0)) for node in own]
    if sum(size for _, size in sizes) < sellable or not sizes:
        # The profile knows no nodes, or knows less than the kernel hands out: one node carries what is sellable.
        first = sizes[0][0] if sizes else 0
        return (MemoryNode(id=first, bytes=sellable), *(MemoryNode(id=id, bytes=0) for id, _ in sizes[1:]))
    missing = sum(size for _, size in sizes) - sellable
    nodes = []
    for id, size in sizes:
        reserved = min(size, missing)
        missing -= reserved
        nodes.append(MemoryNode(id=id, bytes=size, reserved_bytes=reserved))
    return tuple(nodes)


def _distances(topology: MachineTopology) -> tuple[tuple[int, ...], ...]:
    own = [node.id for node in topology.numa_nodes if not node.device]
    if len(own) != len(topology.numa_nodes) or isinstance(topology.numa_distances, Unknown):
        return ()
    return topology.numa_distances


def _devices(topology: MachineTopology, parts: Parts, failed: Set[str]) -> tuple[Device, ...]:
    found = []
    for gpu in listed(topology.gpus):
        switch = pcie_switch_of(topology, gpu.id)
        found.append(
            Device(
                id=gpu.id,
                device_class="gpu",
                model=known_or(gpu.model, ""),
                numa_node=known(gpu.numa_node),
                pcie_switch=known(switch),
                memory_bytes=known_or(gpu.memory_bytes, 0),
                power=parts.device,
                healthy=gpu.id not in failed,
            )
        )
    found += [_nic(topology, nic, healthy=nic.id not in failed) for nic in sold_nics(topology)]
    return tuple(found)


def sold_nics(topology: MachineTopology) -> list[NetworkInterface]:
    """Network adapters' ports that a member may have for itself: no wireless, and no function that is a share of
    another one."""
    return [nic for nic in listed(topology.nics) if not nic.is_passing and nic.kind != "wireless"]


def _nic(topology: MachineTopology, nic: NetworkInterface, *, healthy: bool) -> Device:
    address = known(nic.pci)
    return Device(
        id=nic.id,
        device_class="nic",
        model=known_or(nic.model, nic.kind),
        numa_node=known(nic.numa_node),
        pcie_switch=known(pcie_switch_of(topology, address)) if address is not None else None,
        # What it draws is in the machine's rated power, which GPUs and cores carry: charged here, it would count twice.
        power=PowerFacts(rated_mw=0),
        healthy=healthy,
    )
