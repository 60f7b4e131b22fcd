"""Topology: a machine as one typed graph.

Packages, cores with their SMT siblings, caches, NUMA nodes with their memory and distances, the PCI tree with its link
widths and speeds, GPUs, network interfaces, disks, and the links between devices.

It promises that every fact is a value or an `Unknown` with its reason, never a zero that stands for "not read"; that
equal hardware has an equal `digest`, whatever the host is called and whoever read it; and that values are immutable.
It refuses I/O: what fills these values is `tenure.discovery`, what decides over them is `tenure.placement`.
"""

from tenure.topology.codec import (
    TopologyFormatError,
    digest,
    digest_of_json,
    identity_json,
    machine_from_json,
    observed_from_json,
    to_json,
)
from tenure.topology.cpulist import format_cpu_list, parse_cpu_list, parse_cpu_mask
from tenure.topology.devices import DeviceLink, Disk, Gpu, GpuFabric, NetworkInterface
from tenure.topology.facts import Fact, Unknown, known, known_or, listed
from tenure.topology.lint import Missing, missing_attributes
from tenure.topology.locality import Nearness, bridges_above, linked_groups, nearness, pci_device, pcie_switch_of
from tenure.topology.machine import (
    Capability,
    Conflict,
    Device,
    MachineTopology,
    ObservedMachine,
    SystemReserve,
    Unread,
)
from tenure.topology.pci import PciDevice, PciLink, address_order, is_address, link_text, normal_address
from tenure.topology.processors import Cache, Core, CoreKind, NumaNode, Package
from tenure.topology.schema import machine_schema

__all__ = [
    "Cache",
    "Capability",
    "Conflict",
    "Core",
    "CoreKind",
    "Device",
    "DeviceLink",
    "Disk",
    "Fact",
    "Gpu",
    "GpuFabric",
    "MachineTopology",
    "Missing",
    "Nearness",
    "NetworkInterface",
    "NumaNode",
    "ObservedMachine",
    "Package",
    "PciDevice",
    "PciLink",
    "SystemReserve",
    "TopologyFormatError",
    "Unknown",
    "Unread",
    "address_order",
    "bridges_above",
    "digest",
    "digest_of_json",
    "format_cpu_list",
    "identity_json",
    "is_address",
    "known",
    "known_or",
    "link_text",
    "linked_groups",
    "listed",
    "machine_from_json",
    "machine_schema",
    "missing_attributes",
    "nearness",
    "normal_address",
    "observed_from_json",
    "parse_cpu_list",
    "parse_cpu_mask",
    "pci_device",
    "pcie_switch_of",
    "to_json",
]
