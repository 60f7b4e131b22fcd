"""Machines for tests: a two-socket server with SMT, a PCIe switch, two GPUs, a network card and a disk."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from tenure.topology import (
    Cache,
    Core,
    CoreKind,
    DeviceLink,
    Disk,
    Gpu,
    MachineTopology,
    NetworkInterface,
    NumaNode,
    ObservedMachine,
    Package,
    PciDevice,
    PciLink,
    Unknown,
)

GIB = 1 << 30
NOT_TOLD = Unknown("nobody tells")
T = TypeVar("T")


def known(fact: T | Unknown) -> T:
    """What these machines do tell."""
    assert not isinstance(fact, Unknown)
    return fact


def a_core(core_id: int, *, node: int = 0, siblings: int = 2, kind: str = "uniform") -> Core:
    """A core whose second CPU is numbered 8 above its first."""
    cpus = tuple(core_id + 8 * at for at in range(siblings))
    return Core(core_id, cpus, package=node, die=0, numa_node=node, kind=kind)


def a_link(width: int = 16, speed: int = 32000, *, now: tuple[int, int] | None = None) -> PciLink:
    width_now, speed_now = now or (width, speed)
    return PciLink(width, speed, width_now, speed_now)


def a_function(address: str, class_code: int, *, parent: str = "", root: str = "0000:3a", node: int = 0) -> PciDevice:
    return PciDevice(address, root, parent, class_code, 0x10DE, 0x2330, "NVIDIA", "thing", node, a_link())


def a_gpu(address: str, **changes: Any) -> Gpu:
    gpu = Gpu(
        id=address,
        pci=address,
        model="NVIDIA H100 80GB HBM3",
        vendor="NVIDIA",
        memory_bytes=80 * GIB,
        numa_node=0,
        power_max_mw=700_000,
    )
    return dataclasses.replace(gpu, **changes)


def a_machine(**changes: Any) -> MachineTopology:
    """Two packages of four cores (two CPUs each), a NUMA node each; GPUs below one switch of the first."""
    pci = (
        a_function("0000:3a:00.0", 0x0604),
        a_function("0000:3b:00.0", 0x0604, parent="0000:3a:00.0"),
        a_function("0000:3c:00.0", 0x0604, parent="0000:3b:00.0"),
        a_function("0000:3c:01.0", 0x0604, parent="0000:3b:00.0"),
        a_function("0000:3d:00.0", 0x0302, parent="0000:3c:00.0"),
        a_function("0000:3e:00.0", 0x0302, parent="0000:3c:01.0"),
        a_function("0000:3f:00.0", 0x0200),
        a_function("0000:5e:00.0", 0x0200, root="0000:5d"),
        a_function("0000:ae:00.0", 0x0108, root="0000:ad", node=1),
    )
    machine = MachineTopology(
        architecture="x86_64",
        vendor="Example",
        product="Server 2",
        packages=(Package(0, "Example CPU"), Package(1, "Example CPU")),
        core_kinds=(CoreKind("uniform", NOT_TOLD, NOT_TOLD, NOT_TOLD),),
        cores=tuple(a_core(core_id, node=core_id // 4) for core_id in range(8)),
        caches=(
            Cache(3, "unified", 32 << 20, (0, 1, 2, 3)),
            Cache(3, "unified", 32 << 20, (4, 5, 6, 7)),
            *(Cache(2, "unified", 1 << 20, (core_id,)) for core_id in range(8)),
        ),
        numa_nodes=(NumaNode(0, 64 * GIB, (0, 1, 2, 3)), NumaNode(1, 64 * GIB, (4, 5, 6, 7))),
        numa_distances=((10, 21), (21, 10)),
        pci=pci,
        gpus=(a_gpu("0000:3d:00.0"), a_gpu("0000:3e:00.0")),
        nics=(NetworkInterface("0000:5e:00.0", "0000:5e:00.0", "card", "ethernet", 100_000_000_000, 0, "eth0"),),
        disks=(Disk("0000:ae:00.0", "0000:ae:00.0", "drive", 3_840_000_000_000, "solid state", 1, "nvme0n1"),),
        links=(DeviceLink("NVLink", "0000:3d:00.0", "0000:3e:00.0", 18, 450_000_000_000),),
    )
    return dataclasses.replace(machine, **changes)


def an_observed(topology: MachineTopology | None = None, **changes: Any) -> ObservedMachine:
    observed = ObservedMachine(
        topology=topology or a_machine(),
        hostname="host-a",
        kernel="Linux 6.12",
        boot_id="b0",
        virtual="",
        memory_total_bytes=128 * GIB,
        allowed_cpus=tuple(range(16)),
        allowed_memory_nodes=(0, 1),
        offline_cpus=(),
        source="this machine",
    )
    return dataclasses.replace(observed, **changes)
