"""GPUs out of `nvidia-smi -q -x`. Every number there is text with its unit; a missing one is "N/A" or a sentence. Pure.

Source: NVIDIA's nvsmi_device DTDs, versions 12 and 13.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from tenure.discovery.importers.hwloc_document import ImportedFileError, parsed
from tenure.topology import (
    Fact,
    Gpu,
    GpuFabric,
    MachineTopology,
    ObservedMachine,
    PciDevice,
    PciLink,
    Unknown,
    Unread,
    normal_address,
)

NOT_TOLD = Unknown("nvidia-smi does not tell")

SPEED_MT_S = {1: 2500, 2: 5000, 3: 8000, 4: 16000, 5: 32000, 6: 64000}
"""Lane speed by PCIe generation, from the PCI Express base specifications."""

_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)\s*([A-Za-z]*)")
_UNITS = {"MiB": 1 << 20, "GiB": 1 << 30, "KiB": 1 << 10, "W": 1000, "x": 1, "": 1}


@dataclass(frozen=True, slots=True)
class SmiDocument:
    """What one `nvidia-smi -q -x` says: the driver, the GPUs, and each GPU's PCI function with its link."""

    driver: str
    gpus: tuple[Gpu, ...]
    pci: tuple[PciDevice, ...]


def import_nvidia_smi(path: str | Path) -> ObservedMachine:
    """A machine of which only the GPUs are known. Raises ImportedFileError."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ImportedFileError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    return machine_of(parse_nvidia_smi(data, str(path)), str(path))


def parse_nvidia_smi(data: bytes, where: str = "nvidia-smi") -> SmiDocument:
    """GPUs in the order of their addresses. Raises ImportedFileError."""
    root = parsed(data, where)
    if root.tag != "nvidia_smi_log":
        raise ImportedFileError(f"{where}: the outermost element is <{root.tag}>, not <nvidia_smi_log>")
    found = []
    for element in root.findall("gpu"):
        try:
            address = normal_address(element.get("id", "") or _text(element, "pci/pci_bus_id"))
        except ValueError as error:
            raise ImportedFileError(f"{where}: a GPU without a PCI address: {error}") from error
        try:
            found.append((_gpu(element, address), _pci(element, address)))
        except ValueError as error:
            raise ImportedFileError(f"{where}: GPU {address}: {error}") from error
    found.sort(key=lambda pair: pair[0].id)
    return SmiDocument(_text(root, "driver_version"), tuple(gpu for gpu, _ in found), tuple(pci for _, pci in found))


def machine_of(document: SmiDocument, source: str = "") -> ObservedMachine:
    """The document as a machine; everything but the GPUs is unknown, since nvidia-smi tells nothing of it."""
    only = Unknown("nvidia-smi tells of GPUs alone")
    topology = MachineTopology(
        architecture=only,
        vendor=only,
        product=only,
        packages=(),
        core_kinds=(),
        cores=(),
        caches=(),
        numa_nodes=(),
        numa_distances=only,
        pci=document.pci,
        gpus=document.gpus,
        nics=only,
        disks=only,
        links=only,
    )
    return ObservedMachine(
        topology=topology,
        hostname=only,
        kernel=only,
        boot_id=only,
        virtual=only,
        memory_total_bytes=only,
        allowed_cpus=only,
        allowed_memory_nodes=only,
        offline_cpus=only,
        source=source,
        unread=(Unread("cores, memory, network, disks, links", "nvidia-smi -q -x", only.reason),),
    )


def _gpu(element: ElementTree.Element, address: str) -> Gpu:
    power = next(
        (name for name in ("gpu_power_readings", "power_readings") if element.find(name) is not None), "power_readings"
    )
    number = _text(element, "minor_number")
    return Gpu(
        id=address,
        pci=address,
        model=_fact(element, "product_name"),
        vendor="NVIDIA",
        memory_bytes=_number(element, "fb_memory_usage/total"),
        numa_node=NOT_TOLD,
        power_default_mw=_number(element, f"{power}/default_power_limit"),
        power_min_mw=_number(element, f"{power}/min_power_limit"),
        power_max_mw=_number(element, f"{power}/max_power_limit"),
        name=f"nvidia{number}" if number.isdecimal() else "",
        uuid=_fact(element, "uuid"),
        power_limit_mw=_number(element, f"{power}/current_power_limit"),
        partitioning=_lower(_fact(element, "mig_mode/current_mig")),
        fabric=_fabric(element),
    )


def _fabric(element: ElementTree.Element) -> Fact[GpuFabric]:
    state, cluster = _text(element, "fabric/state"), _text(element, "fabric/clusterUuid")
    if state in ("", "N/A", "Not Supported"):
        return Unknown("it has joined no NVLink fabric")
    clique = _text(element, "fabric/cliqueId")
    return GpuFabric(
        cluster="" if cluster in ("", "N/A") or not cluster.strip("0-") else cluster,
        clique=int(clique) if clique.isdecimal() else NOT_TOLD,
        state=state.lower(),
        health=_health(element),
    )


def _health(element: ElementTree.Element) -> Fact[str]:
    """The driver's summary, and what it says is not in order."""
    summary = _fact(element, "fabric/health/summary")
    wrong = []
    for part in element.findall("fabric/health/*"):
        text = (part.text or "").strip()
        if part.tag != "summary" and text.lower() in ("true", "degraded"):
            wrong.append(f"{part.tag.replace('_', ' ')}: {text.lower()}")
    if isinstance(summary, Unknown):
        return ", ".join(wrong) or summary
    return ", ".join((summary.lower(), *wrong))


def _pci(element: ElementTree.Element, address: str) -> PciDevice:
    link = "pci/pci_gpu_link_info"
    ids = _text(element, "pci/pci_device_id")  # device and vendor in one number: 294110DE
    numbers = (int(ids[:4], 16), int(ids[4:], 16)) if re.fullmatch(r"[0-9A-Fa-f]{8}", ids) else None
    classes = (_text(element, "pci/pci_base_class"), _text(element, "pci/pci_sub_class"))
    return PciDevice(
        address=address,
        root=address.rpartition(":")[0],
        parent="",
        class_code=int(classes[0], 16) << 8 | int(classes[1], 16) if all(classes) else NOT_TOLD,
        vendor_id=numbers[1] if numbers else NOT_TOLD,
        device_id=numbers[0] if numbers else NOT_TOLD,
        vendor="NVIDIA",
        name=_fact(element, "product_name"),
        numa_node=NOT_TOLD,
        link=PciLink(
            width_max=_number(element, f"{link}/link_widths/max_link_width"),
            speed_max_mt_s=_speed(_number(element, f"{link}/pcie_gen/max_link_gen")),
            width=_number(element, f"{link}/link_widths/current_link_width"),
            speed_mt_s=_speed(_number(element, f"{link}/pcie_gen/current_link_gen")),
        ),
    )


def _speed(generation: Fact[int]) -> Fact[int]:
    if isinstance(generation, Unknown):
        return generation
    return SPEED_MT_S.get(generation, Unknown(f"PCIe generation {generation} is not known here"))


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _fact(element: ElementTree.Element, path: str) -> Fact[str]:
    text = _text(element, path)
    return NOT_TOLD if text in ("", "N/A", "None") else text


def _lower(fact: Fact[str]) -> Fact[str]:
    return fact if isinstance(fact, Unknown) else fact.lower()


def _number(element: ElementTree.Element, path: str) -> Fact[int]:
    """An amount in our base unit (bytes, mW, or a bare number); a sentence in its place becomes the reason."""
    text = _text(element, path)
    if text in ("", "N/A"):
        return NOT_TOLD
    match = _NUMBER.fullmatch(text)
    if match is None or match[2] not in _UNITS:
        return Unknown(f"nvidia-smi says {text[:60]!r}")
    return round(float(match[1]) * _UNITS[match[2]])
