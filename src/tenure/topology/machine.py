"""A machine: its hardware as one typed graph, and what was observed of the running system around it."""

# ruff: noqa: RUF009  (`fact` is dataclasses.field with a description; it makes no shared default)
from __future__ import annotations

from dataclasses import dataclass

from tenure.topology.devices import DeviceLink, Disk, Gpu, NetworkInterface
from tenure.topology.facts import Fact, Unknown, fact, fact_or, known_or, listed
from tenure.topology.pci import PciDevice
from tenure.topology.processors import Cache, Core, CoreKind, NumaNode, Package

LOCAL_DISTANCE = 10
"""ACPI's SLIT: a node's distance to itself."""

Device = Gpu | NetworkInterface | Disk


@dataclass(frozen=True, slots=True)
class MachineTopology:
    """The hardware of one machine. Equal hardware has an equal digest (`tenure.topology.digest`)."""

    architecture: Fact[str] = fact("instruction set as uname says it: x86_64, aarch64, ppc64le ...")
    vendor: Fact[str] = fact("who built the system")
    product: Fact[str] = fact("what its builder calls it")
    packages: tuple[Package, ...] = fact("processor packages")
    core_kinds: tuple[CoreKind, ...] = fact("sorts of core, fastest first")
    cores: tuple[Core, ...] = fact("physical cores in the order of their ids")
    caches: tuple[Cache, ...] = fact("caches, outermost level first")
    numa_nodes: tuple[NumaNode, ...] = fact("NUMA nodes in the order of their ids; empty when the source has none")
    numa_distances: Fact[tuple[tuple[int, ...], ...]] = fact("a row and a column for each NUMA node; 10 is local")
    pci: Fact[tuple[PciDevice, ...]] = fact("PCI functions in the order of their addresses")
    gpus: Fact[tuple[Gpu, ...]] = fact("GPUs and accelerators")
    nics: Fact[tuple[NetworkInterface, ...]] = fact("network interfaces")
    disks: Fact[tuple[Disk, ...]] = fact("disks")
    links: Fact[tuple[DeviceLink, ...]] = fact("links between devices besides PCI")

    def core(self, core_id: int) -> Core:
        """The core of this id. Raises KeyError."""
        for core in self.cores:
            if core.id == core_id:
                return core
        raise KeyError(core_id)

    def core_of_cpu(self, cpu: int) -> Core | None:
        """The core that a logical CPU belongs to; `None` when the machine has no such CPU."""
        return next((core for core in self.cores if cpu in core.cpus), None)

    def cpus_of(self, core_ids: tuple[int, ...] | list[int] | frozenset[int]) -> tuple[int, ...]:
        """All logical CPUs of some cores, ascending. Raises KeyError."""
        return tuple(sorted(cpu for core_id in core_ids for cpu in self.core(core_id).cpus))

    def numa_node(self, node_id: int) -> NumaNode:
        """The NUMA node of this id. Raises KeyError."""
        for node in self.numa_nodes:
            if node.id == node_id:
                return node
        raise KeyError(node_id)

    def numa_of(self, core_id: int) -> Fact[int]:
        """The NUMA node of a core. Raises KeyError."""
        return self.core(core_id).numa_node

    def distance(self, one: int, other: int) -> Fact[int]:
        """NUMA distance between two nodes: 10 is local, and twice the number is about twice the latency."""
        if one == other:
            return LOCAL_DISTANCE
        if isinstance(self.numa_distances, Unknown):
            return self.numa_distances
        order = [node.id for node in self.numa_nodes]
        return self.numa_distances[order.index(one)][order.index(other)]

    def l3_groups(self) -> tuple[tuple[int, ...], ...]:
        """Cores by the last-level cache that they share, in the order of their lowest core.

        A core whose shared cache is not known is a group of its own: nothing is assumed of it. The last level is the
        outermost one that the core has, which is L2 on some small machines.
        """
        outermost: dict[int, Cache] = {}
        for cache in self.caches:
            for core_id in cache.cores:
                best = outermost.get(core_id)
                if best is None or cache.level > best.level:
                    outermost[core_id] = cache
        groups = {outermost[core.id].cores if core.id in outermost else (core.id,) for core in self.cores}
        return tuple(sorted(groups))

    def l3_of(self, core_id: int) -> int:
        """Index into `l3_groups()` of a core's group. Raises KeyError."""
        for at, group in enumerate(self.l3_groups()):
            if core_id in group:
                return at
        raise KeyError(core_id)

    def devices(self) -> tuple[Device, ...]:
        """GPUs, network interfaces and disks that are known."""
        return (*listed(self.gpus), *listed(self.nics), *listed(self.disks))

    def device(self, device_id: str) -> Device:
        """The device of this id. Raises KeyError."""
        for device in self.devices():
            if device.id == device_id:
                return device
        raise KeyError(device_id)

    @property
    def memory_bytes(self) -> Fact[int]:
        """Memory of the nodes that CPUs use as their own; a GPU's memory is not counted. Unknown if one node's is."""
        own = [node for node in self.numa_nodes if not node.device]
        if not own:
            return Unknown("the source has no memory nodes")
        for node in own:
            if isinstance(node.memory_bytes, Unknown):
                return node.memory_bytes
        return sum(known_or(node.memory_bytes, 0) for node in own)


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that was looked for and not had."""

    what: str = fact("what the fact would have been")
    source: str = fact("where it was looked for")
    reason: str = fact("why it was not had")


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two sources that do not agree, and which was believed."""

    what: str = fact("what they disagree about")
    believed: str = fact("the figure taken, and its source")
    doubted: str = fact("the other figure, and its source")
    because: str = fact("why")


@dataclass(frozen=True, slots=True)
class Capability:
    """Whether a limit can be enforced on this machine, by which mechanism, or why not."""

    what: str = fact("cpuset, cpuQuota, memoryLimit, networkRate or powerCap")
    available: bool = fact("whether it can be enforced")
    mechanism: str = fact_or("", "what enforces it; empty when nothing does")
    reason: str = fact_or("", "why it is not available, or what limits it")


@dataclass(frozen=True, slots=True)
class SystemReserve:
    """What the operating system and Tenure keep for themselves; never sold."""

    cores: tuple[int, ...] = fact("physical cores by their ids")
    memory_bytes: int = fact("memory in bytes")
    because: str = fact_or("", "the rule that chose it")


@dataclass(frozen=True, slots=True)
class ObservedMachine:
    """A machine as one scan saw it: the hardware, and the running system's state, which is no part of its identity."""

    topology: MachineTopology = fact("the hardware")
    hostname: Fact[str] = fact("the name that the system gives itself")
    kernel: Fact[str] = fact("kernel and its release")
    boot_id: Fact[str] = fact("changes at each boot")
    virtual: Fact[str] = fact("the hypervisor when this is a virtual machine, empty when it is not")
    memory_total_bytes: Fact[int] = fact("memory that the kernel hands out, in bytes")
    allowed_cpus: Fact[tuple[int, ...]] = fact("logical CPUs that this process's cpuset allows")
    allowed_memory_nodes: Fact[tuple[int, ...]] = fact("NUMA nodes that this process's cpuset allows")
    offline_cpus: Fact[tuple[int, ...]] = fact("logical CPUs that are switched off")
    source: str = fact_or("", "what was scanned: this machine, a folder, a file")
    unread: tuple[Unread, ...] = fact_or((), "what could not be read, and why")
    conflicts: tuple[Conflict, ...] = fact_or((), "where sources disagree")
    capabilities: tuple[Capability, ...] = fact_or((), "what can be enforced here")
    reserved: Fact[SystemReserve] = fact_or(Unknown("not decided yet"), "what the system keeps")

    def allowed_cores(self) -> tuple[int, ...]:
        """Cores all of whose CPUs this process may use, ascending; all cores where the allowed set is unknown."""
        if isinstance(self.allowed_cpus, Unknown):
            return tuple(core.id for core in self.topology.cores)
        allowed = frozenset(self.allowed_cpus)
        return tuple(core.id for core in self.topology.cores if allowed.issuperset(core.cpus))

    def sellable_cores(self) -> tuple[int, ...]:
        """Allowed cores without those that the system keeps."""
        kept = () if isinstance(self.reserved, Unknown) else self.reserved.cores
        return tuple(core for core in self.allowed_cores() if core not in kept)

    def sellable_memory_bytes(self) -> Fact[int]:
        """Memory of the allowed nodes that are no GPU's, without what the system keeps; in bytes, never below 0."""
        nodes = [node for node in self.topology.numa_nodes if not node.device]
        if not isinstance(self.allowed_memory_nodes, Unknown):
            nodes = [node for node in nodes if node.id in self.allowed_memory_nodes]
        kept = 0 if isinstance(self.reserved, Unknown) else self.reserved.memory_bytes
        total = 0
        for node in nodes:
            if isinstance(node.memory_bytes, Unknown):
                return node.memory_bytes
            total += node.memory_bytes
        return max(0, total - kept)
