"""The PCI tree, GPUs, network interfaces, disks and links out of an hwloc document. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tenure.discovery.gpus import VENDORS, is_gpu
from tenure.discovery.importers.hwloc_document import (
    COPROCESSOR,
    GPU,
    NETWORK,
    RDMA,
    STORAGE,
    HwlocDocument,
    HwlocObject,
)
from tenure.discovery.importers.hwloc_processors import NOT_RECORDED, mask
from tenure.discovery.pci_names import PciNames, title
from tenure.topology import (
    Core,
    DeviceLink,
    Disk,
    Fact,
    Gpu,
    NetworkInterface,
    PciDevice,
    PciLink,
    Unknown,
    address_order,
    normal_address,
)
from tenure.topology.devices import NVLINK, XGMI

_PCI_TYPE = re.compile(r"([0-9a-f]{4}) \[([0-9a-f]{4}):([0-9a-f]{4})\]")
_BRIDGE_BUSES = re.compile(r"([0-9a-f]{4,8}):\[([0-9a-f]{2})-[0-9a-f]{2}\]")
_LINK_KINDS = {"NVLinkBandwidth": NVLINK, "XGMIBandwidth": XGMI}
_NO_DISK = re.compile(r"(sr|fd|loop|ram|zram)\d*")


@dataclass(frozen=True, slots=True)
class Found:
    """A PCI function of the file, the OS devices on it, and the number hwloc knows the objects by."""

    device: PciDevice
    os_devices: tuple[HwlocObject, ...]
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Devices:
    """Everything that hangs from PCI, and the links besides it."""

    pci: Fact[tuple[PciDevice, ...]]
    gpus: Fact[tuple[Gpu, ...]]
    nics: Fact[tuple[NetworkInterface, ...]]
    disks: Fact[tuple[Disk, ...]]
    links: Fact[tuple[DeviceLink, ...]]


def understand_devices(document: HwlocDocument, cores: tuple[Core, ...]) -> Devices:
    """Devices by PCI address. A file without PCI objects may have left them out, so nothing is known then."""
    found = sorted(_walk(document.machine, cores, "", "", ()), key=lambda item: address_order(item.device.address))
    if not found:
        left_out = Unknown("the file has no PCI devices; it may have been written without them")
        return Devices(left_out, left_out, left_out, left_out, left_out)
    return Devices(
        pci=tuple(item.device for item in found),
        gpus=tuple(_gpu(item) for item in found if _is_gpu(item)),
        nics=tuple(nic for item in found for nic in _nics(item)),
        disks=tuple(disk for item in found for disk in _disks(item)),
        links=_links(document, found),
    )


def _walk(item: HwlocObject, cores: tuple[Core, ...], root: str, parent: str, near: tuple[int, ...]) -> Iterator[Found]:
    own_cpus = mask(item.attributes.get("cpuset"))
    near = own_cpus or near
    if item.type == "Bridge" and item.attributes.get("bridge_type", "").startswith("0"):
        buses = _BRIDGE_BUSES.search(item.attributes.get("bridge_pci", ""))
        root, parent = (f"{int(buses[1], 16):04x}:{buses[2]}" if buses else ""), ""
    elif "pci_busid" in item.attributes:
        device = _device(item, cores, root, parent, near)
        here = tuple(child for child in item.children if child.type == "OSDev")
        numbers = tuple(o.attributes.get("gp_index", "") for o in (item, *here))
        yield Found(device, here, numbers)
        parent = device.address
    for child in item.children:
        yield from _walk(child, cores, root, parent, near)


def _device(item: HwlocObject, cores: tuple[Core, ...], root: str, parent: str, near: tuple[int, ...]) -> PciDevice:
    address = normal_address(item.attributes["pci_busid"])
    match = _PCI_TYPE.match(item.attributes.get("pci_type", ""))
    class_code, vendor, device = (int(match[n], 16) or None for n in (1, 2, 3)) if match else (None, None, None)
    names = PciNames()
    vendor_fact: Fact[int] = NOT_RECORDED if vendor is None else vendor
    device_fact: Fact[int] = NOT_RECORDED if device is None else device
    return PciDevice(
        address=address,
        root=root or address.rpartition(":")[0],
        parent=parent,
        class_code=NOT_RECORDED if class_code is None else class_code,
        vendor_id=vendor_fact,
        device_id=device_fact,
        vendor=item.infos.get("PCIVendor") or names.vendor(vendor_fact),
        name=item.infos.get("PCIDevice") or item.attributes.get("subtype") or names.device(vendor_fact, device_fact),
        numa_node=_node(cores, near),
        link=_link(item.attributes.get("pci_link_speed", "")),
    )


def _node(cores: tuple[Core, ...], near: tuple[int, ...]) -> Fact[int]:
    wanted = set(near)
    nodes = {core.numa_node for core in cores if wanted.intersection(core.cpus)}
    if len(nodes) == 1:
        return next(iter(nodes))
    return Unknown("it is as near to several NUMA nodes")


def _link(speed_text: str) -> Fact[PciLink]:
    """hwloc tells one figure, the raw bandwidth in GB/s: x16 at 8 GT/s and x8 at 16 GT/s look alike."""
    try:
        speed = float(speed_text)
    except ValueError:
        speed = 0.0
    if speed <= 0:
        return Unknown("the file tells no link speed")
    only_product = Unknown("the file tells bandwidth, not width and speed")
    return PciLink(only_product, only_product, only_product, only_product, round(speed * 1e9))


def _of_type(item: Found, bits: int) -> list[HwlocObject]:
    return [o for o in item.os_devices if int(o.attributes.get("osdev_type", "0") or 0) & bits]


def _is_gpu(item: Found) -> bool:
    told = [
        o for o in _of_type(item, GPU | COPROCESSOR) if not o.attributes.get("name", "").startswith(("card", "render"))
    ]
    return is_gpu(item.device, driven=bool(told))


def _gpu(item: Found) -> Gpu:
    infos: dict[str, str] = {}
    for os_device in _of_type(item, GPU | COPROCESSOR):
        infos.update(os_device.infos)
    device = item.device
    size_kb = infos.get("CUDAGlobalMemorySize", "")
    vendor = VENDORS.get(device.vendor_id) if isinstance(device.vendor_id, int) else None
    names = [o.attributes.get("name", "") for o in _of_type(item, GPU | COPROCESSOR)]
    return Gpu(
        id=device.address,
        pci=device.address,
        model=infos.get("GPUModel") or Unknown("the file names no model"),
        vendor=vendor or infos.get("GPUVendor") or NOT_RECORDED,
        memory_bytes=int(size_kb) * 1024 if size_kb.isdecimal() else Unknown("the file tells no GPU memory"),
        numa_node=device.numa_node,
        name=names[0] if names else "",
        uuid=infos.get("NVIDIAUUID") or NOT_RECORDED,
    )


def _nics(item: Found) -> Iterator[NetworkInterface]:
    rdma = next((o.attributes.get("name", "") for o in _of_type(item, RDMA)), "")
    ports = [
        o for o in _of_type(item, NETWORK) if not _of_type(item, RDMA) or o.attributes.get("osdev_type") == str(NETWORK)
    ]
    for number, os_device in enumerate(ports):
        infiniband = len(os_device.infos.get("Address", "").split(":")) == 20
        yield NetworkInterface(
            id=f"{item.device.address}#port{number}" if number else item.device.address,
            pci=item.device.address,
            model=title(item.device),
            kind="infiniband" if infiniband else "ethernet",
            speed_bits_per_s=NOT_RECORDED,
            numa_node=item.device.numa_node,
            name=os_device.attributes.get("name", ""),
            rdma=rdma,
        )


def _disks(item: Found) -> Iterator[Disk]:
    drives = [o for o in _of_type(item, STORAGE) if not _NO_DISK.match(o.attributes.get("name", ""))]
    drives = [o for o in drives if o.subtype in ("Disk", "")]
    for number, os_device in enumerate(drives):
        size_kb = os_device.infos.get("Size", "")
        yield Disk(
            id=f"{item.device.address}#{number}" if number else item.device.address,
            pci=item.device.address,
            model=os_device.infos.get("Model") or NOT_RECORDED,
            size_bytes=int(size_kb) * 1024 if size_kb.isdecimal() else NOT_RECORDED,
            medium=NOT_RECORDED,
            numa_node=item.device.numa_node,
            name=os_device.attributes.get("name", ""),
        )


def _links(document: HwlocDocument, found: list[Found]) -> Fact[tuple[DeviceLink, ...]]:
    """Bandwidth matrices between devices, in MB/s of one direction; a figure at a million is hwloc's "oneself"."""
    address_of = {number: item.device for item in found for number in item.numbers if number}
    links: dict[tuple[str, str], DeviceLink] = {}
    told = [matrix for matrix in document.distances if matrix.name in _LINK_KINDS]
    for matrix in told:
        ends = [address_of.get(str(number)) for _, number in matrix.objects]
        for row, one in enumerate(ends):
            for column, other in enumerate(ends):
                speed = matrix.values[row][column]
                if one is None or other is None or row == column or not 0 < speed < 1_000_000:
                    continue
                link = _one_link(_LINK_KINDS[matrix.name], one, other, speed * 1_000_000)
                links.setdefault((link.a, link.b), link)
    return tuple(links[key] for key in sorted(links)) if told else NOT_RECORDED


def _one_link(kind: str, one: PciDevice, other: PciDevice, bytes_per_s: int) -> DeviceLink:
    first, second = sorted((one, other), key=lambda device: (_is_switch(device), address_order(device.address)))
    return DeviceLink(kind, first.address, second.address, NOT_RECORDED, bytes_per_s, to_switch=_is_switch(second))


def _is_switch(device: PciDevice) -> bool:
    return device.name == "NVSwitch"


def with_gpu_memory_nodes(
    gpus: Fact[tuple[Gpu, ...]], node_of: dict[str, tuple[int, Fact[int]]]
) -> Fact[tuple[Gpu, ...]]:
    """GPUs whose memory forms a NUMA node get its number and its size."""
    if isinstance(gpus, Unknown):
        return gpus
    return tuple(
        replace(gpu, memory_node=node_of[gpu.id][0], memory_bytes=node_of[gpu.id][1]) if gpu.id in node_of else gpu
        for gpu in gpus
    )
