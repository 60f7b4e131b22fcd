"""Confinement by CPU affinity alone, where the system grants no control groups.

Threads are pinned with sched_setaffinity(2) and inherit it; a process could widen its own mask, which read-back would
show. Memory, NUMA nodes and CPU time are not limited: RLIMIT_AS counts address space, not memory, and would break
programs that map files, so it is not passed off as a memory limit.
The tree is found by its mark in the environment, its session, and by descent; orphans come to the supervisor, which
is their subreaper (prctl(2)).
"""

from __future__ import annotations

import os
import signal
from typing import Any

from tenure.engines.local import procfs

PR_SET_CHILD_SUBREAPER = 36


class Affinity:
    """One run's work or sidecars, told apart by `mark`, an entry of their environment."""

    mechanism = "affinity"
    directories: list[str] = []

    def __init__(self, mark: str) -> None:
        self.mark = mark.encode()
        self.not_enforced = [
            "memory limit: no control group is granted here",
            "memory nodes: no control group is granted here",
            "CPU quota: no control group is granted here",
            "pinning: a process may widen its own affinity (read-back shows it)",
        ]
        self._cpus: list[int] = []

    def create(self, allocation: dict[str, Any]) -> None:
        """Remember the CPUs and become the subreaper of what will be started."""
        import ctypes  # costs a megabyte, so only where it is needed

        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._cpus = allocation["cpus"]
        _signal_all(set(self.members()), signal.SIGCONT)  # whoever stopped them may have died in kill()

    def apply(self, allocation: dict[str, Any]) -> None:
        """Remember the CPUs for what is started from now on; live threads are pinned by whoever moves the run."""
        self._cpus = allocation["cpus"]

    def join(self) -> None:
        """Nothing to join: the child pins itself."""

    def members(self) -> list[int]:
        """Processes that carry the mark, and their descendants."""
        parents: dict[int, int] = {}
        sessions: dict[int, int] = {}
        marked: set[int] = set()
        for pid in procfs.pids():
            fields = procfs.stat_fields(pid)
            if fields is None or fields[0] in "ZX" or pid == os.getpid():
                continue
            parents[pid], sessions[pid] = int(fields[1]), int(fields[3])
            if procfs.environment_has(pid, self.mark):
                marked.add(pid)
        marked_sessions = {sessions[pid] for pid in marked if sessions[pid] in marked}
        found = {pid for pid in parents if pid in marked or sessions[pid] in marked_sessions}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return sorted(found)

    def kill(self) -> None:
        """SIGKILL the tree: stopped first, again until it grows no more, so that nothing forks away meanwhile."""
        stopped: set[int] = set()
        for _ in range(50):
            fresh = set(self.members()) - stopped
            if not fresh:
                break
            _signal_all(fresh, signal.SIGSTOP)
            stopped |= fresh
        _signal_all(stopped, signal.SIGKILL)

    def remove(self, patience_s: float = 5.0) -> bool:
        """Nothing to remove; whether everything is gone."""
        del patience_s
        return not self.members()

    def out_of_memory_kills(self) -> int:
        """Not told apart without a control group."""
        return 0


def _signal_all(processes: set[int], number: int) -> None:
    for pid in processes:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
