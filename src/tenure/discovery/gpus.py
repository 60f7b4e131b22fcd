"""GPUs: which PCI functions are one, and what the drivers' files and NVIDIA's library add. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping

from tenure.discovery.findings import Findings
from tenure.discovery.memory import NVIDIA, gpu_memory_nodes
from tenure.discovery.pci import PCI
from tenure.discovery.reading import FileFacts
from tenure.topology import Fact, Gpu, NumaNode, PciDevice, Unknown, is_address, normal_address

DISPLAY, DISPLAY_OTHER, CONTROLLER_3D, ACCELERATOR = 0x0300, 0x0380, 0x0302, 0x1200
NVIDIA_VENDOR, AMD_VENDOR, INTEL_VENDOR = 0x10DE, 0x1002, 0x8086

VENDORS = {
    NVIDIA_VENDOR: "NVIDIA",
    AMD_VENDOR: "AMD",
    INTEL_VENDOR: "Intel",
    0x1DA3: "Habana",
    0x1D0F: "Amazon",
    0x1EC9: "Enflame",
    0x1E52: "Tenstorrent",
}
"""Names that must not depend on whether a list of names is installed: they are part of the identity."""

UNNAMED_DRIVER = Unknown("no driver tells it")


def understand_gpus(
    facts: FileFacts,
    findings: Findings,
    pci: Fact[tuple[PciDevice, ...]],
    nodes: tuple[NumaNode, ...],
    told: Iterable[Gpu],
) -> Fact[tuple[Gpu, ...]]:
    """GPUs by PCI address. `told` is what NVIDIA's own library said of them; it wins where it knows more."""
    better = {gpu.pci: gpu for gpu in told if not isinstance(gpu.pci, Unknown)}
    if isinstance(pci, Unknown):
        return tuple(better.values()) or Unknown("GPUs are found on the PCI bus, which is not shown")
    memory_node = {address: node for node, address in gpu_memory_nodes(facts).items()}
    node_bytes = {node.id: node.memory_bytes for node in nodes}
    informed = {normal_address(name): name for name in facts.names(NVIDIA) if is_address(name)}
    found = []
    for device in pci:
        told_of = device.address in informed or device.address in better
        has_memory = f"{PCI}/{device.address}/mem_info_vram_total" in facts.texts
        if not is_gpu(device, driven=told_of or has_memory):
            continue
        gpu = _gpu(facts, device, informed.get(device.address, ""), memory_node.get(device.address), node_bytes)
        if device.address in better:
            gpu = merged(gpu, better[device.address])
        if isinstance(gpu.memory_bytes, Unknown):
            findings.missing("memory of GPUs", f"/{PCI}/{device.address}", gpu.memory_bytes)
        found.append(gpu)
    return tuple(found)


def is_gpu(device: PciDevice, *, driven: bool) -> bool:
    """Whether a PCI function computes. `driven`: a driver says so.

    3D controllers and accelerators do. Of displays, NVIDIA's do; AMD's where they are no VGA (old ATI chips serve as
    consoles of servers), Intel's where they sit on a board of their own; every other is a console.
    """
    if driven or device.class_code in (CONTROLLER_3D, ACCELERATOR):
        return True
    if device.class_code not in (DISPLAY, DISPLAY_OTHER):
        return False
    if device.vendor_id == AMD_VENDOR:
        return device.class_code == DISPLAY_OTHER
    return device.vendor_id == NVIDIA_VENDOR or (device.vendor_id == INTEL_VENDOR and device.parent != "")


def merged(one: Gpu, better: Gpu) -> Gpu:
    """One GPU from two sources: each fact from `better` where it is known there."""
    changes = {}
    for field in dataclasses.fields(Gpu):
        value = getattr(better, field.name)
        if field.name != "id" and not isinstance(value, Unknown) and value != "":
            changes[field.name] = value
    return dataclasses.replace(one, **changes)


def _gpu(
    facts: FileFacts,
    device: PciDevice,
    informed_as: str,
    memory_node: int | None,
    node_bytes: Mapping[int, Fact[int]],
) -> Gpu:
    information = facts.text(f"{NVIDIA}/{informed_as}/information") if informed_as else Unknown("")
    vendor = VENDORS.get(device.vendor_id) if isinstance(device.vendor_id, int) else None
    board = facts.text(f"{PCI}/{device.address}/product_name")
    memory = facts.number(f"{PCI}/{device.address}/mem_info_vram_total")
    if isinstance(memory, Unknown):
        memory = UNNAMED_DRIVER if memory_node is None else node_bytes.get(memory_node, UNNAMED_DRIVER)
    model = _line(information, "Model") or ("" if isinstance(board, Unknown) else board)
    return Gpu(
        id=device.address,
        pci=device.address,
        model=model or UNNAMED_DRIVER,
        vendor=vendor or ("NVIDIA" if informed_as else Unknown("its PCI vendor number is not shown or not known")),
        memory_bytes=memory,
        numa_node=device.numa_node,
        memory_node=Unknown("its memory is no NUMA node") if memory_node is None else memory_node,
        uuid=_line(information, "GPU UUID") or UNNAMED_DRIVER,
    )


def _line(text: Fact[str], key: str) -> str:
    if isinstance(text, Unknown):
        return ""
    match = re.search(rf"^{key}:\s*(\S.*)$", text, re.MULTILINE)
    return match[1].strip() if match else ""
