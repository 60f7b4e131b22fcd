"""A machine out of an hwloc XML file, versions 2 and 3. Pure, but for opening the file."""

from __future__ import annotations

from pathlib import Path

from tenure.discovery.findings import Findings
from tenure.discovery.importers.hwloc_devices import understand_devices, with_gpu_memory_nodes
from tenure.discovery.importers.hwloc_document import HwlocDocument, ImportedFileError, read_hwloc
from tenure.discovery.importers.hwloc_processors import NOT_RECORDED, mask, understand_processors
from tenure.topology import Fact, MachineTopology, ObservedMachine, Unknown, normal_address


def import_hwloc(path: str | Path) -> ObservedMachine:
    """The machine that an hwloc XML file describes. Raises ImportedFileError."""
    document = read_hwloc(path)
    try:
        return understand_hwloc(document, source=str(path))
    except (ValueError, KeyError) as error:
        raise ImportedFileError(f"{path}: an attribute makes no sense: {error}") from error


def understand_hwloc(document: HwlocDocument, source: str = "") -> ObservedMachine:
    """The machine of a document. What such files never carry (boot id, capabilities) is unknown."""
    processors = understand_processors(document)
    devices = understand_devices(document, processors.cores)
    infos = document.infos
    gpu_nodes = {normal_address(node.device): (node.id, node.memory_bytes) for node in processors.nodes if node.device}
    topology = MachineTopology(
        architecture=_info(document, "Architecture"),
        vendor=infos.get("DMISysVendor") or infos.get("DMIBoardVendor") or NOT_RECORDED,
        product=infos.get("DMIProductName") or infos.get("PlatformModel") or NOT_RECORDED,
        packages=processors.packages,
        core_kinds=processors.kinds,
        cores=processors.cores,
        caches=processors.caches,
        numa_nodes=processors.nodes,
        numa_distances=_distances(document, tuple(node.id for node in processors.nodes)),
        pci=devices.pci,
        gpus=with_gpu_memory_nodes(devices.gpus, gpu_nodes),
        nics=devices.nics,
        disks=devices.disks,
        links=devices.links,
    )
    return _observed(document, topology, source)


def _observed(document: HwlocDocument, topology: MachineTopology, source: str) -> ObservedMachine:
    findings = Findings()
    for what, fact in (
        ("PCI devices", topology.pci),
        ("links between devices", topology.links),
        ("memory", topology.memory_bytes),
        ("NUMA distances", topology.numa_distances),
    ):
        if isinstance(fact, Unknown):
            findings.missing(what, "hwloc XML", fact)
    release = document.infos.get("OSRelease")
    return ObservedMachine(
        topology=topology,
        hostname=_info(document, "HostName"),
        kernel=f"{document.infos.get('OSName', 'Linux')} {release}" if release else NOT_RECORDED,
        boot_id=NOT_RECORDED,
        virtual=NOT_RECORDED,
        memory_total_bytes=topology.memory_bytes,
        allowed_cpus=_set(document, "allowed_cpuset"),
        allowed_memory_nodes=_set(document, "allowed_nodeset"),
        offline_cpus=NOT_RECORDED,
        source=source,
        unread=tuple(findings.unread),
    )


def _info(document: HwlocDocument, name: str) -> Fact[str]:
    return document.infos.get(name) or NOT_RECORDED


def _set(document: HwlocDocument, name: str) -> Fact[tuple[int, ...]]:
    return mask(document.machine.attributes.get(name)) or NOT_RECORDED


def _distances(document: HwlocDocument, nodes: tuple[int, ...]) -> Fact[tuple[tuple[int, ...], ...]]:
    for matrix in document.distances:
        if matrix.name != "NUMALatency" or not matrix.by_os_index:
            continue
        at = {number: place for place, (_, number) in enumerate(matrix.objects)}
        if all(node in at for node in nodes):
            return tuple(tuple(matrix.values[at[row]][at[column]] for column in nodes) for row in nodes)
    if len(nodes) == 1:
        return ((10,),)
    return Unknown("the file has no latency matrix of the NUMA nodes")
