"""Physical cores, their SMT siblings, packages and kinds, from sysfs and /proc/cpuinfo. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping

from tenure.discovery.findings import Findings
from tenure.discovery.processor_names import arm_core_name
from tenure.discovery.reading import FileFacts
from tenure.topology import Core, CoreKind, Fact, Package, Unknown, known_or
from tenure.topology.processors import EFFICIENCY, PERFORMANCE, UNIFORM

CPU = "sys/devices/system/cpu"
SAME_CAPACITY = 0.9
"""Capacities of one design differ by a few percent (favoured cores that clock higher); designs differ by far more."""

CpuinfoBlock = Mapping[str, str]


def cpuinfo_blocks(facts: FileFacts) -> tuple[CpuinfoBlock, ...]:
    """The paragraphs of /proc/cpuinfo, keys as written; empty when it cannot be read."""
    text = facts.text("proc/cpuinfo")
    if isinstance(text, Unknown):
        return ()
    blocks: list[dict[str, str]] = []
    for paragraph in re.split(r"\n\s*\n", text):
        block: dict[str, str] = {}
        for line in paragraph.splitlines():
            key, colon, value = line.partition(":")
            if colon:
                block[key.strip()] = value.strip()
        if block:
            blocks.append(block)
    return tuple(blocks)


def online_cpus(facts: FileFacts) -> tuple[int, ...]:
    """Logical CPUs that have a topology: those that run."""
    folders = facts.names(CPU)
    numbers = [int(name[3:]) for name in folders if re.fullmatch(r"cpu\d+", name)]
    alive = [n for n in numbers if any(f"{CPU}/cpu{n}/topology/{f}" in facts.texts for f in _SIBLING_FILES)]
    if alive:
        return tuple(sorted(alive))
    from_cpuinfo = [b["processor"] for b in cpuinfo_blocks(facts) if b.get("processor", "").isdecimal()]
    return tuple(sorted(int(number) for number in from_cpuinfo))


_SIBLING_FILES = ("core_cpus_list", "thread_siblings_list", "thread_siblings")


def offline_cpus(facts: FileFacts) -> Fact[tuple[int, ...]]:
    """CPUs that are present and switched off. The kernel's own list also has numbers that no CPU ever had."""
    offline = facts.cpus(f"{CPU}/offline")
    if isinstance(offline, Unknown):
        return offline
    present = known_or(facts.cpus(f"{CPU}/present"), offline)
    return tuple(sorted(set(offline) & set(present)))


def understand_cores(
    facts: FileFacts, findings: Findings, node_of_cpu: Mapping[int, int]
) -> tuple[tuple[Core, ...], tuple[CoreKind, ...], tuple[Package, ...]]:
    """Cores in the order of their ids, their kinds fastest first, and the packages that hold them."""
    cpus = online_cpus(facts)
    if not cpus:
        findings.missing("cores", f"/{CPU}", "neither sysfs nor /proc/cpuinfo shows a CPU")
        return (), (), ()
    blocks = {int(b["processor"]): b for b in cpuinfo_blocks(facts) if b.get("processor", "").isdecimal()}
    groups = sorted({_siblings(facts, findings, cpu, cpus, blocks) for cpu in cpus})
    kind_of, kinds = _kinds(facts, [group[0] for group in groups])
    cores = tuple(
        Core(
            id=group[0],
            cpus=group,
            package=_package(facts, blocks, group[0]),
            die=_numbered(facts, f"{CPU}/cpu{group[0]}/topology/die_id", "the kernel does not say"),
            numa_node=node_of_cpu.get(group[0], Unknown("no NUMA node lists this CPU")),
            kind=kind_of[group[0]],
        )
        for group in groups
    )
    return cores, kinds, _packages(findings, cores, blocks)


def _siblings(
    facts: FileFacts, findings: Findings, cpu: int, cpus: tuple[int, ...], blocks: Mapping[int, CpuinfoBlock]
) -> tuple[int, ...]:
    folder = f"{CPU}/cpu{cpu}/topology"
    together: Iterable[int] = known_or(facts.cpus(f"{folder}/core_cpus_list"), ())
    together = together or known_or(facts.cpus(f"{folder}/thread_siblings_list", f"{folder}/thread_siblings"), ())
    if not together:
        mine = blocks.get(cpu, {})
        key = (mine.get("physical id"), mine.get("core id"))
        if None in key:
            findings.missing("SMT siblings", f"/{folder}", "not shown: every logical CPU is taken for a core")
            together = (cpu,)
        else:
            together = (n for n, b in blocks.items() if (b.get("physical id"), b.get("core id")) == key)
    group = set(together) & set(cpus)
    return tuple(sorted(group | {cpu}))


def _numbered(facts: FileFacts, path: str, reason: str) -> Fact[int]:
    number = facts.number(path)
    if isinstance(number, Unknown):
        return Unknown(reason)
    return number if number >= 0 else Unknown(f"the kernel says {number}: not known")


def _package(facts: FileFacts, blocks: Mapping[int, CpuinfoBlock], cpu: int) -> Fact[int]:
    number = _numbered(facts, f"{CPU}/cpu{cpu}/topology/physical_package_id", "the kernel does not number packages")
    if isinstance(number, Unknown):
        said = blocks.get(cpu, {}).get("physical id", "")
        return int(said) if said.isdecimal() else number
    return number


def _packages(findings: Findings, cores: tuple[Core, ...], blocks: Mapping[int, CpuinfoBlock]) -> tuple[Package, ...]:
    first_core: dict[int, int] = {}
    for core in cores:
        if not isinstance(core.package, Unknown):
            first_core.setdefault(core.package, core.id)
    if not first_core:
        findings.missing("packages", f"/{CPU}/cpu*/topology/physical_package_id", "the kernel does not number packages")
    return tuple(Package(number, _model(blocks.get(cpu, {}))) for number, cpu in sorted(first_core.items()))


def _model(block: CpuinfoBlock) -> Fact[str]:
    for key in ("model name", "cpu", "Processor", "cpu model"):
        if block.get(key):
            return " ".join(block[key].split())
    if block.get("CPU part"):
        return Unknown("the processor tells only the design of its cores")
    return Unknown("/proc/cpuinfo names no model")


def _kinds(facts: FileFacts, core_ids: list[int]) -> tuple[dict[int, str], tuple[CoreKind, ...]]:
    """Kinds by what tells designs apart, surest first: hybrid PMUs on x86, MIDR on Arm, the scheduler's capacity."""
    capacity = {core: facts.number(f"{CPU}/cpu{core}/cpu_capacity") for core in core_ids}
    groups = _groups(facts, core_ids, capacity)
    groups.sort(key=lambda group: -_highest(facts, group, capacity))
    names = _kind_names(len(groups))
    kinds = tuple(_kind(facts, name, group, capacity) for name, group in zip(names, groups, strict=True))
    return {core: name for name, group in zip(names, groups, strict=True) for core in group}, kinds


def _groups(facts: FileFacts, core_ids: list[int], capacity: Mapping[int, Fact[int]]) -> list[list[int]]:
    atoms = facts.cpus("sys/devices/cpu_atom/cpus")
    if not isinstance(atoms, Unknown):
        slow = set(atoms)
        return [g for g in ([c for c in core_ids if c not in slow], [c for c in core_ids if c in slow]) if g]
    designs: dict[str, list[int]] = {}
    for core in core_ids:
        midr = facts.text(f"{CPU}/cpu{core}/regs/identification/midr_el1")
        designs.setdefault("" if isinstance(midr, Unknown) else midr, []).append(core)
    if len(designs) > 1:
        return list(designs.values())
    measured = sorted((c, core) for core, c in capacity.items() if not isinstance(c, Unknown))
    if len(measured) < len(core_ids):
        return [core_ids]
    groups: list[list[int]] = [[measured[0][1]]]
    for (before, _), (now, core) in itertools.pairwise(measured):
        if before < now * SAME_CAPACITY:
            groups.append([])
        groups[-1].append(core)
    return [sorted(group) for group in groups]


def _highest(facts: FileFacts, group: list[int], capacity: Mapping[int, Fact[int]]) -> int:
    """Speed that orders kinds: capacity, else frequency; the order of x86's performance and efficiency cores stands."""
    known = [c for core in group if not isinstance(c := capacity[core], Unknown)]
    if known:
        return max(known)
    speeds = [facts.number(f"{CPU}/cpu{core}/cpufreq/cpuinfo_max_freq") for core in group]
    return max((s for s in speeds if not isinstance(s, Unknown)), default=0)


def _kind_names(count: int) -> list[str]:
    if count == 1:
        return [UNIFORM]
    if count == 2:
        return [PERFORMANCE, EFFICIENCY]
    return [f"class {number}" for number in range(count - 1, -1, -1)]


def _kind(facts: FileFacts, name: str, group: list[int], capacity: Mapping[int, Fact[int]]) -> CoreKind:
    midr = known_or(facts.number(f"{CPU}/cpu{group[0]}/regs/identification/midr_el1"), 0)
    design = arm_core_name(hex(midr >> 24 & 0xFF), hex(midr >> 4 & 0xFFF))  # implementer and part number
    speed = max(_speeds(facts, group), default=None)
    best = max((c for core in group if not isinstance(c := capacity[core], Unknown)), default=None)
    return CoreKind(
        name=name,
        model=design or Unknown("the processor does not tell its cores' design"),
        capacity=Unknown("the kernel gives no capacity") if best is None else best,
        frequency_max_khz=Unknown("the kernel shows no frequency range") if speed is None else speed,
    )


def _speeds(facts: FileFacts, group: Iterable[int]) -> tuple[int, ...]:
    """Known highest frequencies of some cores in kHz."""
    speeds = (facts.number(f"{CPU}/cpu{core}/cpufreq/cpuinfo_max_freq") for core in group)
    return tuple(s for s in speeds if not isinstance(s, Unknown))
