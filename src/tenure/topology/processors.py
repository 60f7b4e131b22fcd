"""Where work computes: packages, cores with their SMT siblings, caches, and the memory nodes they are near to."""

# ruff: noqa: RUF009  (`fact` is dataclasses.field with a description; it makes no shared default)
from __future__ import annotations

from dataclasses import dataclass

from tenure.topology.facts import Fact, fact, fact_or

GIB = 1 << 30

DATA, INSTRUCTION, UNIFIED = "data", "instruction", "unified"
UNIFORM, PERFORMANCE, EFFICIENCY = "uniform", "performance", "efficiency"
DRAM, HBM, GPU_MEMORY, CXL, EMPTY = "DRAM", "HBM", "GPU memory", "CXL", "no memory"


@dataclass(frozen=True, slots=True)
class Package:
    """One processor package (socket)."""

    id: int = fact("the number that the kernel gives to the package")
    model: Fact[str] = fact("the processor's name, as it tells it")


@dataclass(frozen=True, slots=True)
class CoreKind:
    """One sort of core. Most machines have one (`uniform`); hybrid ones name theirs from fast to frugal."""

    name: str = fact("uniform, performance, efficiency; class N (0 is the most frugal) where there are more than two")
    model: Fact[str] = fact("the core's design where the processor tells it, such as Cortex-X925")
    capacity: Fact[int] = fact("relative speed as the kernel's scheduler sees it; 1024 is the fastest core", state=True)
    frequency_max_khz: Fact[int] = fact("highest frequency in kHz, as set up now", state=True)


@dataclass(frozen=True, slots=True)
class Core:
    """One physical core: the unit in which CPUs are promised, with all its SMT siblings."""

    id: int = fact("the core's lowest logical CPU number; names the core everywhere")
    cpus: tuple[int, ...] = fact("logical CPUs of the core, ascending")
    package: Fact[int] = fact("package that the core is in")
    die: Fact[int] = fact("die inside the package")
    numa_node: Fact[int] = fact("the core's own NUMA node")
    kind: str = fact_or(UNIFORM, "name of the core's kind")


@dataclass(frozen=True, slots=True)
class Cache:
    """One cache and the cores that share it."""

    level: int = fact("1 is nearest to the core")
    type: str = fact("data, instruction or unified")
    size_bytes: Fact[int] = fact("size in bytes")
    cores: tuple[int, ...] = fact("cores that share it, ascending")


@dataclass(frozen=True, slots=True)
class NumaNode:
    """One NUMA node: memory that is equally near to a set of cores, or memory alone (a GPU's, CXL)."""

    id: int = fact("node number")
    memory_bytes: Fact[int] = fact(
        "memory in bytes; rounded up to GiB in the identity, since kernels keep a little back", nominal=GIB
    )
    cores: tuple[int, ...] = fact("cores of the node, ascending; empty for a node of memory alone")
    kind: Fact[str] = fact_or(DRAM, "DRAM, HBM, GPU memory, CXL, no memory, or as the source calls it")
    device: str = fact_or("", "the device whose memory this is (its id); empty when it belongs to none")
