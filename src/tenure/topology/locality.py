"""How near two things of one machine are: PCI hops in the classes that matter, and the switch above a device."""

from __future__ import annotations

from enum import IntEnum

from tenure.topology.facts import Fact, Unknown, listed
from tenure.topology.machine import MachineTopology
from tenure.topology.pci import PciDevice


class Nearness(IntEnum):
    """What traffic between two devices has to cross, nearest first; what `nvidia-smi topo -m` calls PIX ... SYS."""

    SAME_DEVICE = 0
    SAME_SWITCH = 1
    SAME_ROOT = 2
    SAME_NODE = 3
    CROSS_NODE = 4

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Nearness.SAME_DEVICE: "one device",
    Nearness.SAME_SWITCH: "below one PCIe switch",
    Nearness.SAME_ROOT: "below one host bridge",
    Nearness.SAME_NODE: "in one NUMA node",
    Nearness.CROSS_NODE: "across NUMA nodes",
}


def pci_device(machine: MachineTopology, address: str) -> Fact[PciDevice]:
    """The PCI function of this address."""
    if isinstance(machine.pci, Unknown):
        return machine.pci
    for device in machine.pci:
        if device.address == address:
            return device
    return Unknown(f"no PCI function {address}")


def bridges_above(machine: MachineTopology, address: str) -> Fact[tuple[str, ...]]:
    """Bridges between the host bridge and a device, topmost first; the device itself is not one of them."""
    by_address = {device.address: device for device in listed(machine.pci)}
    if address not in by_address:
        return Unknown(f"no PCI function {address}")
    path: list[str] = []
    parent = by_address[address].parent
    while parent and parent not in path:
        path.append(parent)
        above = by_address.get(parent)
        parent = above.parent if above else ""
    return tuple(reversed(path))


def pcie_switch_of(machine: MachineTopology, address: str) -> Fact[str | None]:
    """The upstream port of the PCIe switch nearest above a device; `None` when it hangs from a root port.

    A switch shows as two bridges below a root port: its upstream port and, per device, a downstream port.
    """
    path = bridges_above(machine, address)
    if isinstance(path, Unknown):
        return path
    return path[-2] if len(path) >= 3 else None


def linked_groups(machine: MachineTopology) -> tuple[tuple[str, ...], ...]:
    """Devices that reach each other over links besides PCI (NVLink, xGMI), by id; devices without a link are in none.

    Two devices of a group need not be joined directly: see the links themselves for widths.
    """
    neighbours: dict[str, set[str]] = {}
    for link in listed(machine.links):
        neighbours.setdefault(link.a, set()).add(link.b)
        neighbours.setdefault(link.b, set()).add(link.a)
    devices = {device.id for device in machine.devices()}
    groups: list[tuple[str, ...]] = []
    seen: set[str] = set()
    for start in sorted(neighbours):
        if start in seen:
            continue
        group, edge = {start}, [start]
        while edge:
            step = neighbours[edge.pop()] - group
            group |= step
            edge += step
        seen |= group
        if group & devices:
            groups.append(tuple(sorted(group & devices)))
    return tuple(groups)


def nearness(machine: MachineTopology, one: str, other: str) -> Fact[Nearness]:
    """What traffic between two PCI functions, given by address, has to cross."""
    first, second = pci_device(machine, one), pci_device(machine, other)
    if isinstance(first, Unknown):
        return first
    if isinstance(second, Unknown):
        return second
    if one.rpartition(".")[0] == other.rpartition(".")[0]:
        return Nearness.SAME_DEVICE
    above_one, above_other = bridges_above(machine, one), bridges_above(machine, other)
    if set(listed(above_one)) & set(listed(above_other)):
        return Nearness.SAME_SWITCH
    if first.root == second.root:
        return Nearness.SAME_ROOT
    if isinstance(first.numa_node, Unknown):
        return first.numa_node
    if isinstance(second.numa_node, Unknown):
        return second.numa_node
    return Nearness.SAME_NODE if first.numa_node == second.numa_node else Nearness.CROSS_NODE
