"""Hardware from few figures: the topology of a machine of which only counts are known. Pure.

What the figures do not say stays unknown: no caches, no PCI tree, no links are made up. NUMA nodes, GPUs and NICs are
spread evenly, which is what the figures mean where they give only totals.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenure.resources import HardwareProfile, ObjectMeta
from tenure.resources.kinds.machine import HardwareProfileSpec
from tenure.topology import MachineTopology, Unknown, digest, identity_json
from tenure.topology.devices import DeviceLink, Gpu, NetworkInterface
from tenure.topology.processors import Core, CoreKind, NumaNode, Package

NOT_WRITTEN = Unknown("the fleet's file does not say")
SWITCH = "nvswitch"


@dataclass(frozen=True, slots=True)
class Hardware:
    """One sort of machine. Memory in bytes, power in milliwatts; an island is GPUs that NVLink joins, 0 for none.
    How many NICs there are is not known where `nics` is None."""

    cores: int
    memory_bytes: int
    gpus: int = 0
    model: str = ""
    numa_nodes: int = 1
    gpu_power_mw: int | None = None
    island: int = 0
    nics: int | None = None

    @property
    def summary(self) -> str:
        """In one line."""
        gpus = f", {self.gpus} x {self.model or 'GPU'}" if self.gpus else ""
        nics = f", {self.nics} NICs" if self.nics else ""
        return f"{self.cores} cores, {self.numa_nodes} NUMA node(s), {self.memory_bytes / 2**30:.0f} GiB{gpus}{nics}"


def profile_of(hardware: Hardware) -> HardwareProfile:
    """The profile of such machines; equal figures give one profile."""
    topology = topology_of(hardware)
    name = digest(topology)
    return HardwareProfile(
        metadata=ObjectMeta(name=f"hw-{name.removeprefix('sha256:')[:12]}"),
        spec=HardwareProfileSpec(digest=name, topology=identity_json(topology), summary=hardware.summary),
    )


def topology_of(hardware: Hardware) -> MachineTopology:
    """Cores, NUMA nodes and GPUs in equal parts; the first nodes take what does not divide."""
    nodes = range(hardware.numa_nodes)
    node_of = [core * hardware.numa_nodes // hardware.cores for core in range(hardware.cores)]
    part, rest = divmod(hardware.memory_bytes, hardware.numa_nodes)
    return MachineTopology(
        architecture=NOT_WRITTEN,
        vendor=NOT_WRITTEN,
        product=NOT_WRITTEN,
        packages=(Package(0, NOT_WRITTEN),),
        core_kinds=(CoreKind("uniform", NOT_WRITTEN, NOT_WRITTEN, NOT_WRITTEN),),
        cores=tuple(
            Core(id=core, cpus=(core,), package=0, die=NOT_WRITTEN, numa_node=node) for core, node in enumerate(node_of)
        ),
        caches=(),
        numa_nodes=tuple(
            NumaNode(
                id=node,
                memory_bytes=part + (rest if node == 0 else 0),
                cores=tuple(core for core, of in enumerate(node_of) if of == node),
            )
            for node in nodes
        ),
        numa_distances=NOT_WRITTEN,
        pci=NOT_WRITTEN,
        gpus=tuple(_gpu(hardware, number) for number in range(hardware.gpus)),
        nics=NOT_WRITTEN if hardware.nics is None else tuple(_nic(hardware, n) for n in range(hardware.nics)),
        disks=NOT_WRITTEN,
        links=_links(hardware) if hardware.island else NOT_WRITTEN,
    )


def _gpu(hardware: Hardware, number: int) -> Gpu:
    power = NOT_WRITTEN if hardware.gpu_power_mw is None else hardware.gpu_power_mw
    return Gpu(
        id=f"gpu-{number}",
        pci=NOT_WRITTEN,
        model=hardware.model or NOT_WRITTEN,
        vendor=NOT_WRITTEN,
        memory_bytes=NOT_WRITTEN,
        numa_node=number * hardware.numa_nodes // hardware.gpus,
        power_default_mw=power,
        power_max_mw=power,
    )


def _nic(hardware: Hardware, number: int) -> NetworkInterface:
    return NetworkInterface(
        id=f"nic-{number}",
        pci=NOT_WRITTEN,
        model=NOT_WRITTEN,
        kind="",
        speed_bits_per_s=NOT_WRITTEN,
        numa_node=number * hardware.numa_nodes // (hardware.nics or 1),
    )


def _links(hardware: Hardware) -> tuple[DeviceLink, ...]:
    """Each GPU to the switch of its island."""
    return tuple(
        DeviceLink(
            kind="NVLink",
            a=f"gpu-{number}",
            b=f"{SWITCH}-{number // hardware.island}",
            links=NOT_WRITTEN,
            bytes_per_s=NOT_WRITTEN,
            to_switch=True,
        )
        for number in range(hardware.gpus)
    )
