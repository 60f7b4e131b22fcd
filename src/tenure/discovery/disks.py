"""Disks that are hardware, from sysfs. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tenure.discovery.findings import Findings
from tenure.discovery.placing import device_id, numa_node_of, pci_above
from tenure.discovery.reading import FileFacts
from tenure.topology import Disk, Fact, PciDevice, Unknown

BLOCK = "sys/block"
SUBSYSTEMS = "sys/devices/virtual/nvme-subsystem"
SECTOR_BYTES = 512
"""The unit of sysfs's `size`, whatever the drive's own sectors (Documentation/ABI/stable/sysfs-block)."""

VIRTIO = 0x1AF4
"""Red Hat's PCI vendor number, which virtio devices carry."""

_NO_DISK = re.compile(r"(loop|ram|zram|dm-|md|sr|fd|nbd|mtdblock|pmem)\d*")


def understand_disks(
    facts: FileFacts, findings: Findings, pci: Mapping[str, PciDevice], only_node: int | None
) -> Fact[tuple[Disk, ...]]:
    """Disks by their id, without media that come and go; unknown when the kernel shows no block devices."""
    names = facts.names(BLOCK)
    if not names:
        return findings.missing("disks", f"/{BLOCK}", "the kernel shows no block devices here")
    found = []
    for name in names:
        if _NO_DISK.match(name) or facts.text(f"{BLOCK}/{name}/removable") == "1":
            continue
        leads = _leads(facts, name)
        sectors = facts.number(f"{BLOCK}/{name}/size")
        if leads and sectors != 0:
            found.append(_disk(facts, pci, only_node, name, leads, sectors))
    return tuple(sorted(found, key=lambda disk: disk.id))


def _leads(facts: FileFacts, name: str) -> str:
    """Where a disk hangs; for NVMe with native multipath, its first controller, since the disk itself is virtual."""
    leads = facts.links.get(f"{BLOCK}/{name}", "")
    if "/nvme-subsystem/" in leads:
        subsystem = leads.split("/nvme-subsystem/")[1].split("/")[0]
        inside = [path for path in sorted(facts.links) if path.startswith(f"{SUBSYSTEMS}/{subsystem}/nvme")]
        return f"{facts.links[inside[0]]}/{name}" if inside else ""
    return "" if "/virtual/" in leads else leads


def _disk(
    facts: FileFacts,
    pci: Mapping[str, PciDevice],
    only_node: int | None,
    name: str,
    leads: str,
    sectors: Fact[int],
) -> Disk:
    address = pci_above(leads)
    device = None if isinstance(address, Unknown) else pci.get(address)
    rotating = facts.number(f"{BLOCK}/{name}/queue/rotational")
    model = facts.text(f"{BLOCK}/{name}/device/model")
    if not isinstance(rotating, Unknown) and device is not None and device.vendor_id == VIRTIO:
        rotating = Unknown("a virtual disk; its host does not say")
    return Disk(
        id=device_id(address, _unit(name, leads), leads),
        pci=address,
        model=model or Unknown("the drive tells no model"),
        size_bytes=sectors if isinstance(sectors, Unknown) else sectors * SECTOR_BYTES,
        medium=rotating if isinstance(rotating, Unknown) else ("rotating" if rotating else "solid state"),
        numa_node=numa_node_of(device, only_node),
        name=name,
    )


def _unit(name: str, leads: str) -> str:
    """What tells disks of one controller apart, and stays over reboots: an ATA port, a SCSI place, a namespace."""
    port = re.search(r"/ata(\d+)/", leads)
    if port:
        return f"ata{port[1]}"
    place = re.search(r"/\d+:(\d+:\d+:\d+)/", leads)
    if place:
        return f"scsi{place[1]}"
    namespace = re.fullmatch(r"nvme\d+(?:c\d+)?n(\d+)", name)
    return f"n{namespace[1]}" if namespace and namespace[1] != "1" else ""
