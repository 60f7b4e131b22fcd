"""What does the work beside CPUs: GPUs, network interfaces, disks, and the typed links between them."""

# ruff: noqa: RUF009  (`fact` is dataclasses.field with a description; it makes no shared default)
from __future__ import annotations

from dataclasses import dataclass

from tenure.topology.facts import Fact, Unknown, fact, fact_or

ID = "names the device on its machine: its PCI address, with #unit where several share one, else its path or name"
NO_FABRIC = Unknown("no fabric is reported")
NVLINK, XGMI, C2C = "NVLink", "xGMI", "NVLink-C2C"


@dataclass(frozen=True, slots=True)
class GpuFabric:
    """The NVLink domain that a GPU has joined: GPUs of equal cluster and clique reach each other over NVLink."""

    cluster: str = fact("cluster UUID; empty when the fabric reaches no further than the machine")
    clique: Fact[int] = fact("clique inside the cluster")
    state: str = fact("as the driver says it")
    health: Fact[str] = fact("as the driver says it")


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU or another accelerator that is sold like one."""

    id: str = fact(ID)
    pci: Fact[str] = fact("PCI address")
    model: Fact[str] = fact("name of the board")
    vendor: Fact[str] = fact("who made it")
    memory_bytes: Fact[int] = fact("memory on the board in bytes", nominal=1 << 30)
    numa_node: Fact[int] = fact("NUMA node of the CPUs it is nearest to")
    memory_node: Fact[int] = fact_or(Unknown("its memory is no NUMA node"), "NUMA node that its own memory forms")
    power_default_mw: Fact[int] = fact_or(Unknown("not read"), "power limit that it ships with, in mW")
    power_min_mw: Fact[int] = fact_or(Unknown("not read"), "lowest power limit that can be set, in mW")
    power_max_mw: Fact[int] = fact_or(Unknown("not read"), "highest power limit that can be set, in mW")
    compute_capability: Fact[str] = fact_or(Unknown("not read"), "CUDA compute capability, such as 9.0")
    name: str = fact_or("", "what the operating system or the driver calls it", state=True)
    uuid: Fact[str] = fact_or(Unknown("not read"), "the driver's name for this very board", state=True)
    power_limit_mw: Fact[int] = fact_or(Unknown("not read"), "power limit set now, in mW", state=True)
    partitioning: Fact[str] = fact_or(Unknown("not read"), "MIG mode now: enabled, disabled", state=True)
    fabric: Fact[GpuFabric] = fact_or(NO_FABRIC, "NVLink domain joined", state=True)


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    """A network adapter's port, Ethernet or InfiniBand. Software devices are none."""

    id: str = fact(ID)
    pci: Fact[str] = fact("PCI address; unknown for one on another bus")
    model: Fact[str] = fact("name of the adapter", state=True)
    kind: str = fact("ethernet, infiniband or wireless")
    speed_bits_per_s: Fact[int] = fact("link speed now, in bit/s, one direction", state=True)
    numa_node: Fact[int] = fact("nearest NUMA node")
    name: str = fact_or("", "what the operating system calls it", state=True)
    rdma: str = fact_or("", "its RDMA device; empty for none", state=True)
    physical_function: str = fact_or("", "for an SR-IOV virtual function, the function it belongs to")

    @property
    def is_passing(self) -> bool:
        """Whether software made it at run time; such a thing is no part of the identity."""
        return self.physical_function != ""


@dataclass(frozen=True, slots=True)
class Disk:
    """A block device that is hardware: no loop device, no RAM disk, no partition."""

    id: str = fact(ID)
    pci: Fact[str] = fact("PCI address of the controller; several disks may share one")
    model: Fact[str] = fact("name of the drive")
    size_bytes: Fact[int] = fact("size in bytes")
    medium: Fact[str] = fact("solid state or rotating, as the kernel has it")
    numa_node: Fact[int] = fact("nearest NUMA node")
    name: str = fact_or("", "what the operating system calls it", state=True)


@dataclass(frozen=True, slots=True)
class DeviceLink:
    """A link besides PCI, between two devices or from a device or switch to a switch. A to B is B to A.

    Devices that are linked to one switch, or to switches that are linked, reach each other over it.
    """

    kind: str = fact("NVLink, xGMI, NVLink-C2C or as the source calls it")
    a: str = fact("id of one end; the device, where the other is a switch")
    b: str = fact("id of the other end")
    links: Fact[int] = fact("how many physical links are joined")
    bytes_per_s: Fact[int] = fact("bandwidth of all of them in one direction, in bytes/s")
    to_switch: bool = fact_or(False, "whether the other end is a switch (its PCI address), not a device")
