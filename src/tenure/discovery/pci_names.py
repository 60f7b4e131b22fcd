"""Names of PCI vendors and devices: from the system's pci.ids where it is installed, else from a few known vendors.

pci.ids is the PCI ID Repository's public list, which distributions ship as `pci.ids` or `hwdata`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tenure.topology import Fact, PciDevice, Unknown

_VENDORS = {
    0x1002: "AMD",
    0x1022: "AMD",
    0x1014: "IBM",
    0x1013: "Cirrus Logic",
    0x10B5: "PLX (Broadcom)",
    0x10DE: "NVIDIA",
    0x1234: "QEMU",
    0x1344: "Micron",
    0x1425: "Chelsio",
    0x144D: "Samsung",
    0x14E4: "Broadcom",
    0x15B3: "Mellanox (NVIDIA)",
    0x1000: "Broadcom (LSI)",
    0x15AD: "VMware",
    0x15B7: "SanDisk (Western Digital)",
    0x1A03: "ASPEED",
    0x1AE0: "Google",
    0x1AF4: "Red Hat (virtio)",
    0x1B36: "Red Hat (QEMU)",
    0x1B4B: "Marvell",
    0x1C5C: "SK hynix",
    0x1D0F: "Amazon",
    0x1DA3: "Habana Labs (Intel)",
    0x1DED: "Alibaba",
    0x1E0F: "KIOXIA",
    0x1E3B: "DapuStor",
    0x1FC9: "Tehuti",
    0x1414: "Microsoft",
    0x8086: "Intel",
    0x9004: "Adaptec",
    0x9005: "Adaptec",
    0x102B: "Matrox",
    0x11F8: "Microchip (PMC)",
    0x1BB1: "Seagate",
    0x1924: "Solarflare",
    0x1077: "QLogic",
    0x8088: "Beijing Wangxun",
    0x10EC: "Realtek",
}

_VIRTIO = {
    0: "virtio",
    1: "virtio network",
    2: "virtio block",
    3: "virtio console",
    4: "virtio entropy",
    5: "virtio memory balloon",
    8: "virtio SCSI",
    9: "virtio file system (9p)",
    16: "virtio GPU",
    18: "virtio input",
    19: "virtio socket",
    24: "virtio memory",
    26: "virtio file system",
    27: "virtio persistent memory",
}
"""Device types of the virtio 1.2 specification, section 5; a modern device's PCI id is 0x1040 plus the type."""

_VIRTIO_OLD = {0x1000: 1, 0x1001: 2, 0x1002: 5, 0x1003: 3, 0x1004: 8, 0x1005: 4, 0x1009: 9}

_CLASSES = {
    0x0100: "SCSI controller",
    0x0101: "IDE controller",
    0x0104: "RAID controller",
    0x0106: "SATA controller",
    0x0107: "SAS controller",
    0x0108: "NVMe controller",
    0x0180: "storage controller",
    0x0200: "Ethernet controller",
    0x0207: "InfiniBand controller",
    0x0280: "network controller",
    0x0300: "display controller",
    0x0302: "3D controller",
    0x0380: "display controller",
    0x0403: "audio device",
    0x0502: "CXL memory device",
    0x0600: "host bridge",
    0x0601: "ISA bridge",
    0x0604: "PCI bridge",
    0x0609: "PCI bridge",
    0x0680: "bridge",
    0x0700: "serial controller",
    0x0780: "communication controller",
    0x0800: "interrupt controller",
    0x0806: "IOMMU",
    0x0880: "system device",
    0x0C03: "USB controller",
    0x0C05: "SMBus",
    0x0C06: "InfiniBand controller",
    0x0B40: "co-processor",
    0x1101: "performance counters",
    0x1180: "signal processing controller",
    0x1200: "processing accelerator",
    0x1300: "instrumentation",
    0xFFFF: "device of no class",
}
"""Base class and subclass, from the PCI code and ID assignment specification."""


@dataclass(frozen=True, slots=True)
class PciNames:
    """Names by vendor, and by vendor and device."""

    vendors: dict[int, str] = field(default_factory=dict)
    devices: dict[tuple[int, int], str] = field(default_factory=dict)

    def vendor(self, vendor_id: Fact[int]) -> Fact[str]:
        if isinstance(vendor_id, Unknown):
            return vendor_id
        name = self.vendors.get(vendor_id) or _VENDORS.get(vendor_id)
        return name or Unknown(f"vendor {vendor_id:04x} is in no list of names here")

    def device(self, vendor_id: Fact[int], device_id: Fact[int]) -> Fact[str]:
        if isinstance(vendor_id, Unknown):
            return vendor_id
        if isinstance(device_id, Unknown):
            return device_id
        name = self.devices.get((vendor_id, device_id)) or _virtio(vendor_id, device_id)
        return name or Unknown(f"device {vendor_id:04x}:{device_id:04x} is in no list of names here")


def class_name(class_code: Fact[int]) -> str:
    """What sort of device this is, in words; empty when the class is unknown."""
    if isinstance(class_code, Unknown):
        return ""
    return _CLASSES.get(class_code, f"class {class_code:04x}")


def title(device: PciDevice) -> str:
    """Vendor and name as far as known, else what sort of device it is."""
    name = PciNames().device(device.vendor_id, device.device_id) if isinstance(device.name, Unknown) else device.name
    if not isinstance(name, Unknown):
        return name
    sort = class_name(device.class_code) or "device"
    vendor = PciNames().vendor(device.vendor_id) if isinstance(device.vendor, Unknown) else device.vendor
    return sort if isinstance(vendor, Unknown) else f"{vendor} {sort}"


def names_from_pci_ids(text: str, wanted: Iterable[tuple[int, int]]) -> PciNames:
    """Names of the wanted (vendor, device) pairs out of a pci.ids file. Lines that it does not know are passed over."""
    pairs = set(wanted)
    wanted_vendors = {vendor for vendor, _ in pairs}
    vendors: dict[int, str] = {}
    devices: dict[tuple[int, int], str] = {}
    current: int | None = None
    for line in text.splitlines():
        if not line or line[0] == "#" or line.startswith("\t\t"):
            continue
        if line[0] == "\t":
            if current is not None:
                number = _hexadecimal(line[1:5])
                if number is not None and (current, number) in pairs:
                    devices[current, number] = line[5:].strip()
            continue
        vendor = _hexadecimal(line[:4]) if line[4:5] == " " else None
        current = vendor if vendor in wanted_vendors else None
        if current is not None:
            vendors[current] = line[5:].strip()
    return PciNames(vendors, devices)


def _hexadecimal(text: str) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None


def _virtio(vendor_id: int, device_id: int) -> str | None:
    if vendor_id != 0x1AF4:
        return None
    if device_id >= 0x1040:
        return _VIRTIO.get(device_id - 0x1040)
    return _VIRTIO.get(_VIRTIO_OLD.get(device_id, -1))
