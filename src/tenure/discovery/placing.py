"""Where a device hangs: its PCI function, its stable id, its NUMA node. Pure."""

from __future__ import annotations

import re

from tenure.topology import Fact, PciDevice, Unknown, normal_address

_ADDRESS_PART = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")


def pci_above(leads: str) -> Fact[str]:
    """The PCI function nearest above a device, from where its sysfs link leads."""
    for part in reversed(leads.split("/")):
        if _ADDRESS_PART.fullmatch(part):
            return normal_address(part)
    return Unknown("it hangs from another bus")


def device_id(address: Fact[str], unit: str, leads: str) -> str:
    """The PCI address, with a unit where several devices share one; else the device's path below /sys/devices."""
    if isinstance(address, Unknown):
        return leads.removeprefix("sys/devices/")
    return f"{address}#{unit}" if unit else address


def numa_node_of(device: PciDevice | None, only_node: int | None) -> Fact[int]:
    if device is not None:
        return device.numa_node
    return Unknown("its bus has no NUMA node") if only_node is None else only_node
