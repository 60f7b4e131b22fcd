"""NUMA nodes: their memory, their CPUs, their distances, and whose memory it is. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tenure.discovery.findings import Findings
from tenure.discovery.reading import FileFacts
from tenure.topology import Core, Fact, NumaNode, Unknown, is_address, known_or, normal_address
from tenure.topology.processors import CXL, DRAM, EMPTY, GPU_MEMORY

NODE = "sys/devices/system/node"
NVIDIA = "proc/driver/nvidia/gpus"

AGREE_WITHIN = 0.05
"""Kernels keep up to a few percent back; more than this between two sources is a disagreement worth saying."""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """NUMA nodes as sysfs has them, before cores are known."""

    ids: tuple[int, ...]
    cpus: dict[int, tuple[int, ...]]

    def node_of_cpu(self) -> dict[int, int]:
        return {cpu: node for node in self.ids for cpu in self.cpus[node]}


def node_facts(facts: FileFacts, cpus: tuple[int, ...]) -> NodeFacts:
    """Nodes and their CPUs. A kernel without NUMA has one node, 0, with all CPUs."""
    ids = tuple(sorted(int(name[4:]) for name in facts.names(NODE) if re.fullmatch(r"node\d+", name)))
    if not ids:
        return NodeFacts((0,), {0: cpus})
    return NodeFacts(ids, {node: _cpus(facts, node) for node in ids})


def _cpus(facts: FileFacts, node: int) -> tuple[int, ...]:
    return known_or(facts.cpus(f"{NODE}/node{node}/cpulist", f"{NODE}/node{node}/cpumap"), ())


def memory_total(facts: FileFacts) -> Fact[int]:
    """What the kernel hands out in all, in bytes (MemTotal)."""
    return _kilobytes(facts.text("proc/meminfo"), r"^MemTotal:\s+(\d+) kB", "/proc/meminfo")


def understand_memory(
    facts: FileFacts, findings: Findings, nodes: NodeFacts, cores: tuple[Core, ...]
) -> tuple[NumaNode, ...]:
    """NUMA nodes in the order of their ids."""
    total = memory_total(facts)
    gpu_of = gpu_memory_nodes(facts)
    cxl = _cxl_nodes(facts)
    if not facts.names(NODE):
        findings.missing("NUMA nodes", f"/{NODE}", "this kernel shows none: one node is assumed")
    found: list[NumaNode] = []
    for node in nodes.ids:
        size = _node_bytes(facts, findings, node, total, only=len(nodes.ids) == 1)
        members = tuple(core.id for core in cores if core.numa_node == node)
        device = gpu_of.get(node, "")
        kind = _kind(size, bool(nodes.cpus[node]), device=device, is_cxl=node in cxl)
        found.append(NumaNode(node, size, members, kind, device))
    _compare(findings, tuple(found), total)
    return tuple(found)


def _node_bytes(facts: FileFacts, findings: Findings, node: int, total: Fact[int], *, only: bool) -> Fact[int]:
    said = _kilobytes(facts.text(f"{NODE}/node{node}/meminfo"), r"MemTotal:\s+(\d+) kB", f"/{NODE}/node{node}/meminfo")
    if only and not isinstance(total, Unknown):
        # The only node has all memory. Where its own count differs, the total is what the allocator works with;
        # seen on machines that get memory while they run (balloons, hot-added memory).
        if not isinstance(said, Unknown) and not _agree(said, total):
            findings.disagree(
                f"memory of node {node}",
                believed=f"{_gib(total)} (/proc/meminfo)",
                doubted=f"{_gib(said)} (/{NODE}/node{node}/meminfo)",
                because="the machine has one node, so the node has all of its memory",
            )
        return total
    if isinstance(said, Unknown):
        findings.missing(f"memory of node {node}", f"/{NODE}/node{node}/meminfo", said)
    return said


def _kilobytes(text: str | Unknown, pattern: str, source: str) -> Fact[int]:
    if isinstance(text, Unknown):
        return text
    match = re.search(pattern, text, re.MULTILINE)
    return int(match[1]) * 1024 if match else Unknown(f"{source} gives no MemTotal")


def gpu_memory_nodes(facts: FileFacts) -> dict[int, str]:
    """Node -> PCI address of the GPU whose memory it is, as NVIDIA's driver tells it."""
    found: dict[int, str] = {}
    for name in facts.names(NVIDIA):
        status = facts.text(f"{NVIDIA}/{name}/numa_status")
        match = None if isinstance(status, Unknown) else re.search(r"^Node:\s*(\d+)", status, re.MULTILINE)
        if match and is_address(name):
            found[int(match[1])] = normal_address(name)
    return found


def _cxl_nodes(facts: FileFacts) -> frozenset[int]:
    """Nodes that a CXL region backs: DAX devices whose path goes through a CXL root."""
    nodes = set()
    for name in facts.names("sys/bus/dax/devices"):
        leads = facts.links.get(f"sys/bus/dax/devices/{name}", "")
        target = facts.number(f"sys/bus/dax/devices/{name}/target_node")
        if "/region" in leads and not isinstance(target, Unknown) and target >= 0:
            nodes.add(target)
    return frozenset(nodes)


def _kind(size: Fact[int], has_cpus: bool, *, device: str, is_cxl: bool) -> Fact[str]:
    if device:
        return GPU_MEMORY
    if is_cxl:
        return CXL
    if size == 0:
        return EMPTY
    return DRAM if has_cpus else Unknown("a node without CPUs; the kernel does not say what memory it is")


def understand_distances(facts: FileFacts, findings: Findings, nodes: NodeFacts) -> Fact[tuple[tuple[int, ...], ...]]:
    """The distance table, a row and a column for each node in the order of their ids.

    A row has a column for each *online* node, also for those that a recorded tree left out.
    """
    if not facts.names(NODE):
        return ((10,),)
    columns = known_or(facts.cpus(f"{NODE}/online"), nodes.ids)
    rows: list[tuple[int, ...]] = []
    for node in nodes.ids:
        text = facts.text(f"{NODE}/node{node}/distance")
        if isinstance(text, Unknown):
            return findings.missing("NUMA distances", f"/{NODE}/node{node}/distance", text)
        row = tuple(int(figure) for figure in text.split() if figure.isdecimal())
        if len(row) != len(columns):
            reason = f"{len(row)} distances for {len(columns)} nodes"
            return findings.missing("NUMA distances", f"/{NODE}/node{node}/distance", reason)
        by_node = dict(zip(columns, row, strict=True))
        rows.append(tuple(by_node.get(other, 0) for other in nodes.ids))
    return tuple(rows)


def _compare(findings: Findings, nodes: tuple[NumaNode, ...], total: Fact[int]) -> None:
    if len(nodes) < 2 or isinstance(total, Unknown):
        return
    if any(isinstance(node.memory_bytes, Unknown) for node in nodes):
        return
    summed = sum(known_or(node.memory_bytes, 0) for node in nodes)
    if not _agree(summed, total):
        findings.disagree(
            "memory in all",
            believed=f"{_gib(summed)} (sum of the nodes)",
            doubted=f"{_gib(total)} (/proc/meminfo)",
            because="each node counts its own pages",
        )


def _agree(one: int, other: int) -> bool:
    return abs(one - other) <= AGREE_WITHIN * max(one, other)


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 30):.1f} GiB"
