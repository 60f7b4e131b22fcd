"""What the kernel knows of a process tree: the facts beside a window that can give a breach its cause.

Reads /proc and the cgroup's cpu.stat under a root that tests may replace. A fact that cannot be read is None, never 0.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tenure.measurement.procfs import MAJOR_FAULTS, PARENT, RESIDENT_PAGES, Processes, read_processes, read_text

TICK_NS = 1_000_000_000 // (os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100)
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """One thread and the CPUs that it may run on, as the kernel has it."""

    process: int
    thread: int
    name: str
    allowed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """A process tree at one instant. Counters run since the start of each process."""

    monotonic_ns: int
    processes: tuple[int, ...]
    threads: tuple[ThreadFacts, ...]
    cpu_ns: int
    waited_ns: int | None
    """Time in which its threads were ready to run and did not get a CPU."""
    resident_bytes: int
    major_faults: int
    throttled_ns: int | None
    """Time in which its cgroup was held back by a quota."""
    stolen_ns: int | None
    """Time that the hypervisor took from the CPUs it may use."""

    def stray(self, cpus: Iterable[int]) -> tuple[ThreadFacts, ...]:
        """Threads that may run elsewhere than on these CPUs."""
        allowed = set(cpus)
        return tuple(thread for thread in self.threads if not set(thread.allowed) <= allowed)


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that took time from the workload in a window; `share` is of one CPU's time in it."""

    code: str
    """`Stray`, `WaitedForCpu`, `Throttled`, `Stolen`, `MajorFaults` or `Restarted`."""
    share: float
    detail: str


def tree_of(pid: int, processes: Processes) -> list[int]:
    """The process and all its descendants among these; empty when it is gone. Pure."""
    children: dict[int, list[int]] = {}
    for child, stat in processes.items():
        children.setdefault(stat.field(PARENT), []).append(child)
    found = [pid] if pid in processes else []
    for process in found:
        found += children.get(process, ())
    return found


def read_facts(
    pid: int, monotonic_ns: int, root: Path = Path("/"), *, processes: Processes | None = None
) -> KernelFacts | None:
    """Facts of a process tree; None when its root process is gone. `processes`: a pass that was just made."""
    there = read_processes(root) if processes is None else processes
    tree = tree_of(pid, there)
    if not tree:
        return None
    cpu = rss = faults = 0
    waited: int | None = None
    threads: list[ThreadFacts] = []
    for process in tree:
        stat = there[process]
        cpu += stat.cpu_ticks * TICK_NS
        faults += stat.field(MAJOR_FAULTS)
        rss += stat.field(RESIDENT_PAGES) * PAGE_BYTES
        tasks = f"{root}/proc/{process}/task"
        for thread in _threads(tasks):
            threads.append(_thread_facts(process, thread, f"{tasks}/{thread}"))
            delay = _words(f"{tasks}/{thread}/schedstat")
            if delay is not None and len(delay) > 1:
                waited = (waited or 0) + int(delay[1])
    cpus = {cpu for thread in threads for cpu in thread.allowed}
    return KernelFacts(
        monotonic_ns=monotonic_ns,
        processes=tuple(tree),
        threads=tuple(threads),
        cpu_ns=cpu,
        waited_ns=waited,
        resident_bytes=rss,
        major_faults=faults,
        throttled_ns=_throttled(pid, root),
        stolen_ns=_stolen(cpus, root),
    )


def causes(before: KernelFacts, after: KernelFacts, cpus: Iterable[int]) -> list[Cause]:
    """What took time between two readings of the same tree, the largest share first; shares under 1 % are left out."""
    span_ns = max(1, after.monotonic_ns - before.monotonic_ns)
    found: list[Cause] = []
    if stray := after.stray(cpus):
        found.append(Cause("Stray", 1.0, f"{len(stray)} threads may run outside their cores, first {stray[0].name}"))
    if before.processes[:1] != after.processes[:1]:
        return [*found, Cause("Restarted", 1.0, "the process is another one")]
    for code, name, word in (
        ("WaitedForCpu", "waited_ns", "its threads were ready and had no CPU"),
        ("Throttled", "throttled_ns", "its quota held it back"),
        ("Stolen", "stolen_ns", "the hypervisor took the CPU away"),
    ):
        first, last = getattr(before, name), getattr(after, name)
        if first is None or last is None:
            continue
        share = max(0, last - first) / span_ns
        if share >= 0.01:
            found.append(Cause(code, share, f"{word} for {share:.0%} of the time"))
    if (faults := after.major_faults - before.major_faults) > 0:
        # A page from disk costs about 0.1 ms at best; enough for a ranking.
        found.append(Cause("MajorFaults", faults * 100_000 / span_ns, f"{faults} pages came from disk"))
    return sorted(found, key=lambda cause: cause.share, reverse=True)


def parse_cpu_list(text: str) -> tuple[int, ...]:
    """Kernel list format, for instance `0-1,4`."""
    cpus: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        cpus += range(int(first), int(last or first) + 1)
    return tuple(cpus)


def _words(path: str) -> list[str] | None:
    text = read_text(path)
    return None if text is None else text.split()


def _threads(folder: str) -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(folder))
    except OSError:
        return []


def _thread_facts(process: int, thread: int, folder: str) -> ThreadFacts:
    name, allowed = "?", ()
    for line in (read_text(f"{folder}/status") or "").splitlines():  # nothing: the thread ended meanwhile
        key, _, value = line.partition(":")
        if key == "Name":
            name = value.strip()
        elif key == "Cpus_allowed_list":
            allowed = parse_cpu_list(value)  # type: ignore[assignment]
    return ThreadFacts(process, thread, name, allowed)


def _throttled(pid: int, root: Path) -> int | None:
    """Throttled time of the process's cgroup, version 2 (microseconds) or 1 (nanoseconds)."""
    for line in (read_text(f"{root}/proc/{pid}/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        relative = path.lstrip("/")
        mounts = ["sys/fs/cgroup", "sys/fs/cgroup/unified"] if not controllers else []
        if "cpu" in controllers.split(","):
            mounts = [f"sys/fs/cgroup/{controllers}", "sys/fs/cgroup/cpu"]
        for mount in mounts:
            words = _words(f"{root}/{mount}/{relative}/cpu.stat")
            pairs = dict(zip(words[::2], words[1::2], strict=False)) if words else {}
            if "throttled_usec" in pairs:
                return int(pairs["throttled_usec"]) * 1000
            if "throttled_time" in pairs:
                return int(pairs["throttled_time"])
    return None


def _stolen(cpus: set[int], root: Path) -> int | None:
    text = read_text(f"{root}/proc/stat")
    if text is None:
        return None
    stolen: int | None = None
    for line in text.splitlines():
        name, *figures = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cpus and len(figures) > 7:
            stolen = (stolen or 0) + int(figures[7]) * TICK_NS
    return stolen
