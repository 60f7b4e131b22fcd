"""Read-back: what the kernel says a run has got, each fact with the file it came from. Nothing comes from intent, apart
from which groups to look into, and the processes' own membership is compared with that."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from tenure.engines.local import confine, procfs
from tenure.engines.local.folder import RunFolder
from tenure.engines.local.groups_v1 import GroupsV1, read
from tenure.engines.local.groups_v2 import GroupsV2
from tenure.engines.runstate import ReadBack, Reading, ThreadReading

V1_UNLIMITED = 1 << 62
V1_FACTS = {
    "cpu_ns": ("cpuacct", "cpuacct.usage", ""),
    "throttled_periods": ("cpu", "cpu.stat", "nr_throttled"),
    "throttled_ns": ("cpu", "cpu.stat", "throttled_time"),
    "major_faults": ("memory", "memory.stat", "pgmajfault"),
    "memory_peak_bytes": ("memory", "memory.max_usage_in_bytes", ""),
    "memory_limit_hits": ("memory", "memory.failcnt", ""),
    "out_of_memory_kills": ("memory", "memory.oom_control", "oom_kill"),
}
V2_FACTS = {
    "throttled_periods": ("cpu.stat", "nr_throttled"),
    "throttled_us": ("cpu.stat", "throttled_usec"),
    "cpu_us": ("cpu.stat", "usage_usec"),
    "major_faults": ("memory.stat", "pgmajfault"),
    "memory_peak_bytes": ("memory.peak", ""),
    "out_of_memory_kills": ("memory.events", "oom_kill"),
}


def read_back(folder: RunFolder, group: str, state: dict[str, Any]) -> ReadBack:
    """Read the run's threads, memberships and group files now."""
    groups = confine.groups(state["mechanism"], group, folder.run_id, "work", state["base"])
    members = groups.members()
    if isinstance(groups, GroupsV1):
        held = _group_v1(groups)
    elif isinstance(groups, GroupsV2):
        held = group_v2(groups)
    else:
        held = dict.fromkeys(
            ("group_cpus", "group_memory_nodes", "memory_limit_bytes", "memory_usage_bytes", "quota_milli"),
            Reading(None, "", "no control group is granted here"),
        )
    facts = _facts(groups)
    facts["cpu_ticks"] = _sum(members, lambda fields: int(fields[11]) + int(fields[12]), "/proc/PID/stat")
    return ReadBack(
        run_id=folder.run_id,
        at_ms=time.time_ns() // 1_000_000,
        mechanism=groups.mechanism,
        threads=tuple(thread for pid in members for thread in _threads(pid)),
        membership={pid: _membership(pid) for pid in members},
        resident_bytes=_resident(members),
        facts=facts,
        **held,
    )


def reading(path: str, parse: Callable[[str], int | tuple[int, ...] | str | None]) -> Reading:
    """One kernel file, understood by `parse`; why not, where it cannot be read."""
    try:
        return Reading(parse(read(path)), path)
    except (OSError, ValueError) as error:
        return Reading(None, path, f"not readable: {error}")


def _cpus(text: str) -> tuple[int, ...]:
    return tuple(procfs.parse_list(text))


def _group_v1(groups: GroupsV1) -> dict[str, Reading]:
    def at(controller: str, name: str, parse: Callable[[str], int | tuple[int, ...] | str | None]) -> Reading:
        if controller not in groups.paths:
            return Reading(None, "", f"the {controller} controller is not mounted")
        return reading(f"{groups.paths[controller]}/{name}", parse)

    def quota(text: str) -> int | str:
        period = int(read(f"{groups.paths['cpu']}/cpu.cfs_period_us"))
        return "unlimited" if int(text) < 0 else int(text) * 1000 // period

    def limit(text: str) -> int | str:
        return "unlimited" if int(text) >= V1_UNLIMITED else int(text)

    return {
        "group_cpus": at("cpuset", "cpuset.effective_cpus", _cpus),
        "group_memory_nodes": at("cpuset", "cpuset.effective_mems", _cpus),
        "memory_limit_bytes": at("memory", "memory.limit_in_bytes", limit),
        "memory_usage_bytes": at("memory", "memory.usage_in_bytes", int),
        "quota_milli": at("cpu", "cpu.cfs_quota_us", quota),
    }


def group_v2(groups: GroupsV2) -> dict[str, Reading]:
    """What the group says of its limits. A limit whose controller it was not given has no source."""

    def limit(text: str) -> int | str:
        return "unlimited" if text == "max" else int(text)

    def quota(text: str) -> int | str:
        most, period = text.split()
        return "unlimited" if most == "max" else int(most) * 1000 // int(period)

    def cpuset(name: str) -> Reading:
        controllers = reading(f"{groups.path}/cgroup.controllers", str).value
        if isinstance(controllers, str) and "cpuset" not in controllers.split():
            return Reading(None, "", "the cpuset controller was not delegated")
        return reading(f"{groups.path}/{name}", _cpus)

    return {
        "group_cpus": cpuset("cpuset.cpus.effective"),
        "group_memory_nodes": cpuset("cpuset.mems.effective"),
        "memory_limit_bytes": reading(f"{groups.path}/memory.max", limit),
        "memory_usage_bytes": reading(f"{groups.path}/memory.current", int),
        "quota_milli": reading(f"{groups.path}/cpu.max", quota),
    }


def _facts(groups: confine.Groups) -> dict[str, Reading]:
    def pick(key: str) -> Callable[[str], int]:
        def parse(text: str) -> int:
            if not key:
                return int(text)
            return next(int(line.split()[1]) for line in text.splitlines() if line.split()[0] == key)

        return parse

    found: dict[str, Reading] = {}
    if isinstance(groups, GroupsV1):
        for name, (controller, file, key) in V1_FACTS.items():
            if controller in groups.paths:
                found[name] = _fact(f"{groups.paths[controller]}/{file}", pick(key))
    elif isinstance(groups, GroupsV2):
        for name, (file, key) in V2_FACTS.items():
            found[name] = _fact(f"{groups.path}/{file}", pick(key))
    return found


def _fact(path: str, parse: Callable[[str], int]) -> Reading:
    try:
        return reading(path, parse)
    except StopIteration:
        return Reading(None, path, "this kernel does not count it")


def _threads(pid: int) -> list[ThreadReading]:
    found: list[ThreadReading] = []
    for thread in procfs.thread_ids(pid):
        status, stat = f"/proc/{pid}/task/{thread}/status", f"/proc/{pid}/task/{thread}/stat"
        values = _status(status)
        if not values:
            continue  # it ended meanwhile
        found.append(
            ThreadReading(
                pid=pid,
                thread_id=thread,
                command=values.get("Name", ""),
                cpus_allowed=Reading(_cpus(values["Cpus_allowed_list"]), status),
                memory_nodes_allowed=Reading(_cpus(values["Mems_allowed_list"]), status),
                last_cpu=reading(stat, lambda text: int(text[text.rindex(")") + 2 :].split()[36])),
            )
        )
    return found


def _status(path: str) -> Mapping[str, str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            pairs = (line.split(":", 1) for line in file)
            return {name: value.strip() for name, value in pairs}
    except (FileNotFoundError, ProcessLookupError):
        return {}


def _membership(pid: int) -> tuple[Reading, ...]:
    """The process's own word on the groups it is in, one a hierarchy."""
    path = f"/proc/{pid}/cgroup"
    try:
        with open(path, encoding="utf-8") as file:
            return tuple(Reading(line.strip(), path) for line in file)
    except OSError as error:
        return (Reading(None, path, f"not readable: {error}"),)


def _resident(members: list[int]) -> Reading:
    """Sum of the processes' resident sizes, shared pages counted for each."""
    page = os.sysconf("SC_PAGE_SIZE")
    total = 0
    for pid in members:
        try:
            total += int(read(f"/proc/{pid}/statm").split()[1]) * page
        except OSError:
            continue
    return Reading(total, "/proc/PID/statm")


def _sum(members: list[int], value: Callable[[list[str]], int], source: str) -> Reading:
    fields = [procfs.stat_fields(pid) for pid in members]
    return Reading(sum(value(found) for found in fields if found is not None), source)
