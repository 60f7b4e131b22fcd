"""Clearing a run's CPUs of processes that have no claim to them, and giving back what was taken. Supervisors import it.

What a thread could use is recorded before it is taken, so whoever comes after a crash can give it back. Giving back
adds the CPUs again and removes none, because several runs may have taken from the same process. Threads and children
that came later inherited the smaller set; they are found by their process, their descent and their session, which
outlives the process that led it. What led no session and is dead, or was left for a session of its own, is not found.
Process 1 is never moved: all that the system starts from then on would inherit it, and nobody could tell it apart.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from tenure.engines.local import procfs

INIT = 1


def survey(processes: Iterable[dict[str, int]], contracted: set[int], boot: str) -> list[dict[str, Any]]:
    """A record of each process that may use `contracted`: who it is, and the CPUs of each of its threads."""
    found = []
    for wanted in processes:
        pid = wanted["pid"]
        if pid == INIT or procfs.start_ticks(pid) != wanted["start_ticks"]:
            continue
        masks = {thread: _allowed(thread) for thread in procfs.thread_ids(pid)}
        threads = {str(thread): sorted(mask) for thread, mask in masks.items() if mask & contracted}
        if threads:
            taken = sorted(contracted & set().union(*masks.values()))
            found.append({**wanted, "boot_id": boot, "taken": taken, "threads": threads})
    return found


def merged(known: list[dict[str, Any]], fresh: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Both; where a process was cleared before, what each of its threads had first is what it gets back."""
    by_process = {(one["pid"], one["start_ticks"]): one for one in known}
    for one in fresh:
        key = (one["pid"], one["start_ticks"])
        old = by_process.get(key)
        if old is not None:
            one = {
                **one,
                "taken": sorted({*old["taken"], *one["taken"]}),
                "threads": {**one["threads"], **old["threads"]},
            }
        by_process[key] = one
    return list(by_process.values())


def take(records: list[dict[str, Any]], contracted: set[int], elsewhere: set[int]) -> list[int]:
    """Take `contracted` from every thread in the records. A thread left with nothing goes `elsewhere`.

    Returns the processes that were moved; one that belongs to somebody else, or is gone, is not among them.
    """
    moved = []
    for record in records:
        done = [
            _allow(int(thread), (set(mask) - contracted) or elsewhere) for thread, mask in record["threads"].items()
        ]
        if any(done):
            moved.append(record["pid"])
    return moved


def give_back(records: list[dict[str, Any]], boot: str) -> list[int]:
    """Let the processes use again what was taken from them, and what they have started since. Can be repeated."""
    if not records:
        return []
    family = _Family.now()
    given = []
    for record in records:
        left = family.of(record["pid"], record["start_ticks"]) if record["boot_id"] == boot else []
        taken, first = set(record["taken"]), record["threads"]
        alone = set(first.get(str(record["pid"]), ()))  # what its main thread had: later threads come from it
        for pid in left:
            for thread in procfs.thread_ids(pid):
                had = set(first[str(thread)]) if str(thread) in first else alone
                now = _allowed(thread)
                if now and had and not now & taken:
                    # Had it nothing but what was taken, it stood elsewhere as a guest.
                    _allow(thread, had if had <= taken else now | (had & taken))
        if left:
            given.append(record["pid"])
    return given


class _Family:
    """Parents, sessions and start times of every process now."""

    def __init__(self, rows: dict[int, tuple[int, int, int]]) -> None:
        self._rows = rows

    @classmethod
    def now(cls) -> _Family:
        rows = {}
        for pid in procfs.pids():
            fields = procfs.stat_fields(pid)
            if fields is not None:
                rows[pid] = (int(fields[1]), int(fields[3]), int(fields[19]))
        return cls(rows)

    def of(self, pid: int, since_ticks: int) -> list[int]:
        """It, who descends from it, and who runs in the session that it leads or led and is younger.

        A number is given to no new process while it names a session; where another process has it by now, nobody is
        left of that session.
        """
        if pid in self._rows and self._rows[pid][2] != since_ticks:
            return []
        reached = {one for one, (_, session, ticks) in self._rows.items() if session == pid and ticks >= since_ticks}
        reached |= {pid} & self._rows.keys()
        while more := {one for one, (parent, _, _) in self._rows.items() if parent in reached} - reached:
            reached |= more
        return sorted(reached)


def _allowed(thread: int) -> set[int]:
    try:
        return os.sched_getaffinity(thread)
    except OSError:
        return set()


def _allow(thread: int, cpus: set[int]) -> bool:
    try:
        os.sched_setaffinity(thread, cpus)
    except OSError:  # gone, or somebody else's
        return False
    return True
