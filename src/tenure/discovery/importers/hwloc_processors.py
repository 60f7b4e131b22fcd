"""Packages, cores, caches and NUMA nodes out of an hwloc document. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tenure.discovery.importers.hwloc_document import HwlocDocument, HwlocObject
from tenure.discovery.processor_names import arm_core_name
from tenure.topology import Cache, Core, CoreKind, Fact, NumaNode, Package, Unknown, parse_cpu_mask
from tenure.topology.processors import CXL, DATA, DRAM, EFFICIENCY, GPU_MEMORY, HBM, INSTRUCTION, PERFORMANCE, UNIFIED
from tenure.topology.processors import UNIFORM as UNIFORM_KIND

_CACHE = re.compile(r"L(\d)i?Cache")
_CACHE_TYPES = {"0": UNIFIED, "1": DATA, "2": INSTRUCTION}
_MEMORY_KINDS = {"DRAM": DRAM, "HBM": HBM, "MCDRAM": HBM, "GPUMemory": GPU_MEMORY, "CXL-DRAM": CXL, "CXL-NVM": CXL}

NOT_RECORDED = Unknown("the file does not say")


@dataclass(frozen=True, slots=True)
class Processors:
    """The part of a machine that computes, and its memory."""

    packages: tuple[Package, ...]
    kinds: tuple[CoreKind, ...]
    cores: tuple[Core, ...]
    caches: tuple[Cache, ...]
    nodes: tuple[NumaNode, ...]


def cpus_below(found: HwlocObject) -> tuple[int, ...]:
    """Logical CPUs in or below an object."""
    return tuple(sorted(pu.os_index for pu in found.below() if pu.type == "PU" and pu.os_index is not None))


def mask(text: str | None) -> tuple[int, ...]:
    """Members of a set in hwloc's notation; empty for none and for a set without end."""
    try:
        return parse_cpu_mask(text) if text else ()
    except ValueError:
        return ()


def understand_processors(document: HwlocDocument) -> Processors:
    """Cores in the order of their ids. Where the file has no cores, each logical CPU is taken for one."""
    placed = sorted(_cores(document.machine, NOT_RECORDED, NOT_RECORDED), key=lambda core: core.id)
    nodes_raw = [found for found in document.machine.below() if found.type == "NUMANode" and found.os_index is not None]
    home = _home_nodes(nodes_raw)
    kind_of, kinds = _kinds(document, [core.id for core in placed])
    cores = tuple(
        replace(core, numa_node=home.get(core.id, NOT_RECORDED), kind=kind_of.get(core.id, UNIFORM_KIND))
        for core in placed
    )
    packages = tuple(_package(found) for found in document.machine.below() if found.type == "Package")
    return Processors(
        packages=tuple(sorted(packages, key=lambda package: package.id)),
        kinds=kinds,
        cores=cores,
        caches=_caches(document.machine, cores),
        nodes=tuple(sorted((_node(found, cores) for found in nodes_raw), key=lambda node: node.id)),
    )


def _cores(found: HwlocObject, package: Fact[int], die: Fact[int]) -> Iterator[Core]:
    if found.type == "Package":
        package = found.os_index if found.os_index is not None else NOT_RECORDED
    elif found.type == "Die":
        die = found.os_index if found.os_index is not None else NOT_RECORDED
    elif found.type in ("Core", "PU"):
        cpus = cpus_below(found)
        if cpus:
            yield Core(cpus[0], cpus, package, die, NOT_RECORDED)
        return
    for child in found.children:
        yield from _cores(child, package, die)


def _package(found: HwlocObject) -> Package:
    told = found.infos.get("CPUModel", "")
    return Package(found.os_index or 0, " ".join(told.split()) or Unknown("the file names no processor model"))


def _home_nodes(nodes: list[HwlocObject]) -> dict[int, int]:
    """CPU -> the node that is its own. Several nodes may name the same CPUs (DRAM and HBM, or a GPU's memory): the
    node of the fewest CPUs is the CPU's own, among equals the one of ordinary memory, then the lowest-numbered."""

    def order(node: HwlocObject) -> tuple[int, bool, int]:
        return len(mask(node.attributes.get("cpuset"))), _memory_kind(node) != DRAM, node.os_index or 0

    home: dict[int, int] = {}
    for node in sorted(nodes, key=order):
        for cpu in mask(node.attributes.get("cpuset")):
            home.setdefault(cpu, node.os_index or 0)
    return home


def _memory_kind(node: HwlocObject) -> str:
    return _MEMORY_KINDS.get(node.subtype, node.subtype or DRAM)


def _node(found: HwlocObject, cores: tuple[Core, ...]) -> NumaNode:
    number = found.os_index or 0
    told = found.attributes.get("local_memory", "")
    device = found.infos.get("PCIBusID", "").lower()
    return NumaNode(
        id=number,
        memory_bytes=int(told) if told.isdecimal() else Unknown("the file tells no memory of this node"),
        cores=tuple(core.id for core in cores if core.numa_node == number),
        kind=_memory_kind(found),
        device=device,
    )


def _caches(machine: HwlocObject, cores: tuple[Core, ...]) -> tuple[Cache, ...]:
    core_of = {cpu: core.id for core in cores for cpu in core.cpus}
    found = []
    for item in machine.below():
        match = _CACHE.fullmatch(item.type)
        sharing = tuple(sorted({core_of[cpu] for cpu in cpus_below(item)}))
        if match is None or not sharing:  # caches of CPUs that a cgroup took away stay in the file, empty
            continue
        size = item.attributes.get("cache_size", "0")
        found.append(
            Cache(
                level=int(match[1]),
                type=_CACHE_TYPES.get(item.attributes.get("cache_type", "0"), UNIFIED),
                size_bytes=int(size) if size.isdecimal() and int(size) else Unknown("the file tells no size"),
                cores=sharing,
            )
        )
    return tuple(sorted(found, key=lambda cache: (-cache.level, cache.type, cache.cores)))


def _kinds(document: HwlocDocument, core_ids: list[int]) -> tuple[dict[int, str], tuple[CoreKind, ...]]:
    """Kinds fastest first. Kinds without an order among them are one: the file then tells frequencies, not designs."""
    told = list(document.kinds)
    if len(told) < 2 or any(kind.efficiency is None for kind in told):
        infos = told[0].infos if len(told) == 1 else {}
        return {}, (_kind(UNIFORM_KIND, infos),)
    told.sort(key=lambda kind: -(kind.efficiency or 0))
    names = [PERFORMANCE, EFFICIENCY] if len(told) == 2 else [f"class {n}" for n in range(len(told) - 1, -1, -1)]
    members = {name: set(mask(kind.cpuset)) for name, kind in zip(names, told, strict=True)}
    kind_of = {core: name for core in core_ids for name in names if core in members[name]}
    return kind_of, tuple(_kind(name, kind.infos) for name, kind in zip(names, told, strict=True))


def _kind(name: str, infos: object) -> CoreKind:
    told = infos if isinstance(infos, dict) else {}
    speed, capacity = told.get("FrequencyMaxMHz", ""), told.get("LinuxCapacity", "")
    design = arm_core_name(told.get("CPUImplementer", "0x41"), told.get("CPUPart", "0x0"))
    return CoreKind(
        name=name,
        model=design or Unknown("the file names no core design"),
        capacity=int(capacity) if capacity.isdecimal() else Unknown("the file tells no capacity"),
        frequency_max_khz=int(speed) * 1000 if speed.isdecimal() else Unknown("the file tells no frequency"),
    )
