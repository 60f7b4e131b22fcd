"""Machines as they are registered: the profile's hardware, with what the Machine object says of it."""

from __future__ import annotations

from dataclasses import replace

from tenure.cli import failures
from tenure.cli.door import open_door, readable
from tenure.cli.options import Reach
from tenure.resources import HardwareProfile, Machine
from tenure.topology import (
    Capability,
    MachineTopology,
    ObservedMachine,
    SystemReserve,
    Unknown,
    machine_from_json,
)

NOT_REGISTERED = Unknown("a profile says what the hardware is, not what runs on it")


def registered(reach: Reach, name: str | None) -> list[ObservedMachine]:
    """Registered machines by name; the one of this name alone. Raises Failure (not found) and the client's errors."""
    with open_door(reach) as door:
        machines = readable(door.client.list(Machine))
        profiles = {profile.name: profile for profile in readable(door.client.list(HardwareProfile))}
    found = [machine for machine in machines if name in (None, machine.name)]
    if name is not None and not found:
        known = ", ".join(sorted(machine.name for machine in machines)) or "none is registered"
        raise failures.not_found(f"there is no machine {name!r}", f"registered: {known}")
    return [_observed(machine, profiles.get(machine.spec.profile)) for machine in sorted(found, key=lambda m: m.name)]


def _observed(machine: Machine, profile: HardwareProfile | None) -> ObservedMachine:
    if profile is None:
        step = "`tenure up` registers the hardware of this machine again"
        raise failures.not_found(
            f"machine {machine.name} names the profile {machine.spec.profile}, which is absent", step
        )
    topology = _with_real_memory(machine_from_json(profile.spec.topology), machine)
    return observed_from_profile(topology, f"machine {machine.name}, profile {machine.spec.profile}", machine)


def _with_real_memory(topology: MachineTopology, machine: Machine) -> MachineTopology:
    """A profile's memory is nominal; where one node has all of it, the machine's own figure is the true one."""
    told = machine.status.memory if machine.status else None
    if told is None or len(topology.numa_nodes) != 1:
        return topology
    return replace(topology, numa_nodes=(replace(topology.numa_nodes[0], memory_bytes=int(told)),))


def observed_from_profile(topology: MachineTopology, source: str, machine: Machine | None = None) -> ObservedMachine:
    """A profile's hardware as an observed machine; what only a scan tells is unknown."""
    status = machine.status if machine else None
    reserve = machine.spec.reserved if machine else None
    return ObservedMachine(
        topology=topology,
        hostname=machine.name if machine else NOT_REGISTERED,
        kernel=NOT_REGISTERED,
        boot_id=(status.boot_id if status else None) or NOT_REGISTERED,
        virtual=NOT_REGISTERED if status is None else status.virtual or "",
        memory_total_bytes=NOT_REGISTERED if status is None or status.memory is None else int(status.memory),
        allowed_cpus=NOT_REGISTERED,
        allowed_memory_nodes=NOT_REGISTERED,
        offline_cpus=NOT_REGISTERED,
        source=source,
        capabilities=tuple(
            Capability(row.what, row.available, row.mechanism or "", row.reason or "")
            for row in (status.enforcement if status else ())
        ),
        reserved=NOT_REGISTERED
        if reserve is None
        else SystemReserve(tuple(reserve.cores), int(reserve.memory), "as the Machine's spec.reserved says"),
    )
