"""The PCI tree from sysfs: the path of each device's link is the chain of bridges above it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tenure.discovery.findings import Findings
from tenure.discovery.pci_names import PciNames
from tenure.discovery.reading import FileFacts
from tenure.topology import (
    Fact,
    PciDevice,
    PciLink,
    Unknown,
    address_order,
    is_address,
    known_or,
    normal_address,
)

PCI = "sys/bus/pci/devices"
_ADDRESS_PART = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
_ROOT_PART = re.compile(r"pci([0-9a-f]{4,8}:[0-9a-f]{2})")

WIDTH_UNKNOWN = (0, 255)
"""What kernels print for a link that has no width: nothing negotiated, or nothing to negotiate."""


def understand_pci(
    facts: FileFacts, findings: Findings, names: PciNames, cpus_of_node: Mapping[int, tuple[int, ...]]
) -> Fact[tuple[PciDevice, ...]]:
    """PCI functions in the order of their addresses; unknown when the kernel shows no PCI bus."""
    entries = facts.names(PCI)
    if not entries:
        return findings.missing("PCI devices", f"/{PCI}", "the kernel shows no PCI bus here")
    devices = []
    for entry in entries:
        try:
            address = normal_address(entry)
        except ValueError:
            findings.missing("a PCI device", f"/{PCI}/{entry}", "its name is no PCI address")
            continue
        devices.append(_device(facts, names, entry, address, cpus_of_node))
    devices.sort(key=lambda device: address_order(device.address))
    unplaced = sum(1 for device in devices if isinstance(device.numa_node, Unknown))
    if unplaced:
        findings.missing(
            "NUMA node of PCI devices", f"/{PCI}/*/numa_node", f"firmware does not say for {unplaced} of {len(devices)}"
        )
    return tuple(devices)


def _device(
    facts: FileFacts, names: PciNames, entry: str, address: str, cpus_of_node: Mapping[int, tuple[int, ...]]
) -> PciDevice:
    folder = f"{PCI}/{entry}"
    root, parent = _place(facts.links.get(folder, ""), address)
    class_code, vendor, device = (facts.number(f"{folder}/{name}") for name in ("class", "vendor", "device"))
    physical = facts.links.get(f"{folder}/physfn", "").rpartition("/")[2]
    return PciDevice(
        address=address,
        root=root,
        parent=parent,
        class_code=class_code if isinstance(class_code, Unknown) else class_code >> 8,
        vendor_id=vendor,
        device_id=device,
        vendor=names.vendor(vendor),
        name=names.device(vendor, device),
        numa_node=_node(facts, folder, cpus_of_node),
        link=_link(facts, folder),
        physical_function=normal_address(physical) if is_address(physical) else "",
    )


def _place(leads: str, address: str) -> tuple[str, str]:
    """(root, parent) from ``.../pci0000:3a/0000:3a:00.0/0000:3b:00.0``; a lone address is its own root's child."""
    above: list[str] = []
    root = ""
    for part in leads.split("/"):
        named = _ROOT_PART.fullmatch(part)
        if named:  # a root inside a root (Intel VMD) begins a new tree
            domain, _, bus = named[1].partition(":")
            root, above = f"{int(domain, 16):04x}:{bus}", []
        elif _ADDRESS_PART.fullmatch(part):
            above.append(normal_address(part))
    if not root:
        return address.rpartition(":")[0], ""
    return root, above[-2] if len(above) > 1 else ""


def _node(facts: FileFacts, folder: str, cpus_of_node: Mapping[int, tuple[int, ...]]) -> Fact[int]:
    """The firmware's word; else the node whose CPUs the kernel calls local; else the only node that there is."""
    said = facts.number(f"{folder}/numa_node")
    if not isinstance(said, Unknown) and said >= 0:
        return said
    with_cpus = {node: set(cpus) for node, cpus in cpus_of_node.items() if cpus}
    if len(with_cpus) == 1:
        return next(iter(with_cpus))
    local = known_or(facts.cpus(f"{folder}/local_cpulist", f"{folder}/local_cpus"), ())
    holding = [node for node, cpus in with_cpus.items() if cpus & set(local)]
    return holding[0] if len(holding) == 1 else Unknown("firmware does not say")


def _link(facts: FileFacts, folder: str) -> Fact[PciLink]:
    width_max, width = (_width(facts, f"{folder}/{name}") for name in ("max_link_width", "current_link_width"))
    speed_max, speed = (_speed(facts, f"{folder}/{name}") for name in ("max_link_speed", "current_link_speed"))
    if isinstance(width_max, Unknown) and isinstance(speed_max, Unknown):
        return Unknown("the kernel shows no PCIe link for it")
    return PciLink(width_max, speed_max, width, speed)


def _width(facts: FileFacts, path: str) -> Fact[int]:
    width = facts.number(path)
    if isinstance(width, Unknown):
        return width
    return Unknown("no width is negotiated") if width in WIDTH_UNKNOWN else width


def _speed(facts: FileFacts, path: str) -> Fact[int]:
    text = facts.text(path)
    if isinstance(text, Unknown):
        return text
    match = re.match(r"(\d+(?:\.\d+)?) GT/s", text)
    return int(float(match[1]) * 1000) if match else Unknown(f"the kernel says {text[:20]!r}")
