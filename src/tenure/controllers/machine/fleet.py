"""Machines and their profiles as the fleet that placement plans on."""

from collections.abc import Sequence

from tenure.placement import Core, Device, Fleet, FleetMachine, MemoryNode
from tenure.resources import HardwareProfile, Machine
from tenure.topology import (
    MachineTopology,
    Unknown,
    known,
    known_or,
    listed,
    machine_from_json,
    pcie_switch_of,
)

SELLABLE_STATES = frozenset({"Ready", "Draining"})


def fleet_of(machines: Sequence[Machine], profiles: Sequence[HardwareProfile]) -> Fleet:
    """The fleet of the machines that are Ready, or Draining (which keep what they hold and take nothing new)."""
    by_name = {profile.name: profile for profile in profiles}
    placed = []
    for machine in machines:
        profile = by_name.get(machine.spec.profile)
        if profile is not None and machine.status is not None and machine.status.state in SELLABLE_STATES:
            placed.append(placed_machine(machine, machine_from_json(profile.spec.topology)))
    return Fleet.of(placed)


def placed_machine(machine: Machine, topology: MachineTopology) -> FleetMachine:
    """One machine with what it has to sell, as its status says; what is not sellable counts as reserved."""
    status = machine.status
    assert status is not None, "only machines with a status are placed on"
    sellable = set(status.sellable_cores)
    draining = status.state == "Draining" or machine.spec.drain
    place = (("rack", machine.spec.rack), ("row", machine.spec.row))
    return FleetMachine(
        name=machine.name,
        site=machine.spec.site,
        cores=tuple(
            Core(id=core.id, numa_node=known_or(core.numa_node, 0), l3=topology.l3_of(core.id))
            for core in topology.cores
        ),
        memory=_memory(machine, topology),
        devices=_devices(topology),
        place=tuple((level, domain) for level, domain in place if domain is not None),
        numa_distances=_distances(topology),
        reserved_cores=frozenset(core.id for core in topology.cores if core.id not in sellable),
        schedulable=not draining,
        unschedulable_because="it is draining" if draining else "",
        hardware_class=machine.spec.profile,
    )


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


def _devices(topology: MachineTopology) -> tuple[Device, ...]:
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
            )
        )
    return tuple(found)
