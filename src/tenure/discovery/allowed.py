"""The CPUs and memory nodes that this process may use: its cpuset, of either cgroup version, and its affinity. Pure."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass

from tenure.discovery.findings import Findings
from tenure.discovery.reading import FileFacts, Wanted
from tenure.topology import Fact, Unknown, known_or, parse_cpu_list

V2_FILES = ("cpuset.cpus.effective", "cpuset.mems.effective")
V1_FILES = ("cpuset.effective_cpus", "cpuset.effective_mems", "cpuset.cpus", "cpuset.mems")
CPUSET_FS_FILES = ("cpus", "mems")


@dataclass(frozen=True, slots=True)
class CgroupMount:
    """Where a cgroup hierarchy is mounted. ``controllers`` is empty for version 2."""

    path: str
    version: int
    controllers: tuple[str, ...] = ()


def cgroup_mounts(facts: FileFacts) -> tuple[CgroupMount, ...]:
    """Hierarchies in the order of /proc/mounts; paths without a leading slash."""
    text = facts.text("proc/mounts")
    found = []
    for line in () if isinstance(text, Unknown) else text.splitlines():
        parts = line.split()
        if len(parts) < 4:
            continue
        path, kind, options = parts[1].lstrip("/"), parts[2], tuple(parts[3].split(","))
        if kind == "cgroup2":
            found.append(CgroupMount(path, 2))
        elif kind == "cgroup":
            found.append(CgroupMount(path, 1, options))
    return tuple(found)


def cgroup_path(facts: FileFacts, mount: CgroupMount, controller: str = "cpuset") -> Fact[str]:
    """This process's place inside a hierarchy, without a leading slash; empty for its root."""
    text = facts.text("proc/self/cgroup")
    if not isinstance(text, Unknown):
        for line in text.splitlines():
            number, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if (mount.version == 2 and number == "0") or (mount.version == 1 and controller in controllers.split(",")):
                return path.strip("/")
    if controller == "cpuset":  # older kernels, and recorded trees of them, tell it here
        own = facts.text("proc/self/cpuset")
        if not isinstance(own, Unknown):
            return own.strip("/")
    return Unknown("this process's control group is not shown")


def allowed_wanted(facts: FileFacts) -> tuple[Wanted, ...]:
    """The files that tell the allowed set; which they are follows from the mounts."""
    wanted = []
    for mount, folders in _cpuset_folders(facts):
        names = V2_FILES if mount.version == 2 else V1_FILES
        wanted += [Wanted(folder, names) for folder in folders]
    return tuple(wanted)


def _cpuset_folders(facts: FileFacts) -> list[tuple[CgroupMount, list[str]]]:
    """Folders from the process's own group upwards, for each hierarchy that may hold the cpuset controller."""
    found = []
    for mount in cgroup_mounts(facts):
        if mount.version == 1 and "cpuset" not in mount.controllers:
            continue
        inside = cgroup_path(facts, mount)
        if isinstance(inside, Unknown):
            continue
        parts = inside.split("/") if inside else []
        folders = ["/".join((mount.path, *parts[:depth])) for depth in range(len(parts), -1, -1)]
        found.append((mount, folders))
    return found


def understand_allowed(
    facts: FileFacts, findings: Findings, cpus: tuple[int, ...], nodes: tuple[int, ...]
) -> tuple[Fact[tuple[int, ...]], Fact[tuple[int, ...]]]:
    """(allowed CPUs, allowed memory nodes): what the cpuset grants and the affinity leaves of it."""
    granted: list[set[int]] = []
    granted_nodes: list[set[int]] = []
    for mount, folders in _cpuset_folders(facts):
        for folder in folders:
            cpus_granted, nodes_granted = _granted(facts, mount, folder)
            if cpus_granted:
                granted.append(set(cpus_granted))
                granted_nodes.append(set(nodes_granted or nodes))
                break
    status = facts.text("proc/self/status")
    if not isinstance(status, Unknown):
        for key, into in (("Cpus_allowed_list", granted), ("Mems_allowed_list", granted_nodes)):
            match = re.search(rf"^{key}:\s*([0-9,-]+)$", status, re.MULTILINE)
            if match:
                with contextlib.suppress(ValueError):
                    into.append(set(parse_cpu_list(match[1])))
    if not granted:
        unknown = findings.missing("allowed CPUs", "/proc/self/status", "neither a cpuset nor an affinity is shown")
        return unknown, unknown
    return _common(set(cpus), granted), _common(set(nodes), granted_nodes)


def _granted(facts: FileFacts, mount: CgroupMount, folder: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    pairs = (V2_FILES,) if mount.version == 2 else (V1_FILES[:2], V1_FILES[2:])
    for cpu_name, node_name in pairs:
        cpus = known_or(facts.cpus(f"{folder}/{cpu_name}"), ())
        if cpus:
            return cpus, known_or(facts.cpus(f"{folder}/{node_name}"), ())
    return (), ()


def _common(all_of: set[int], granted: list[set[int]]) -> tuple[int, ...]:
    for grant in granted:
        all_of = all_of & grant
    return tuple(sorted(all_of))
