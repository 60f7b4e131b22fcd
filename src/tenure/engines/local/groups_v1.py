"""Confinement by cgroup v1: one group a controller (cpuset, cpu, memory, pids, freezer) at each hierarchy's root.

Source: the kernel's Documentation/admin-guide/cgroup-v1. Groups stand beside, not inside, the caller's own group (as
the cgroupfs drivers of container runtimes place them), so that a run does not end with the session that asked for it.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from typing import Any

from tenure.engines.local import procfs

CONTROLLERS = ("cpuset", "cpu", "cpuacct", "memory", "pids", "freezer")
PERIOD_US = 100_000


def mounts(mount_table: str = "/proc/self/mounts") -> dict[str, str]:
    """Where each v1 controller is mounted."""
    found: dict[str, str] = {}
    with open(mount_table, encoding="utf-8") as file:
        for line in file:
            _, point, kind, options, *_ = line.split(" ")
            if kind == "cgroup":
                for option in options.split(","):
                    if option in CONTROLLERS:
                        found.setdefault(option, point)
    return found


def write(path: str, value: str) -> None:
    """Write one of the kernel's control files."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode())
    finally:
        os.close(descriptor)


def read(path: str) -> str:
    """Read one of the kernel's control files."""
    with open(path, encoding="ascii") as file:
        return file.read().strip()


class GroupsV1:
    """The groups of one run: NAME of its parent is the engine's, `leaf` the run's id and a suffix."""

    mechanism = "cgroup-v1"

    def __init__(self, parent: str, leaf: str, mounted: dict[str, str] | None = None) -> None:
        points = mounts() if mounted is None else mounted
        self.paths = {name: f"{points[name]}/{parent}/{leaf}" for name in CONTROLLERS if name in points}
        self.not_enforced = [
            f"{what}: the {name} controller is not mounted"
            for name, what in (("memory", "memory limit"), ("cpu", "CPU quota"), ("pids", "number of processes"))
            if name not in points
        ]

    @property
    def directories(self) -> list[str]:
        """Each group's folder once, also where several controllers share a mount."""
        return sorted(set(self.paths.values()))

    def create(self, allocation: dict[str, Any]) -> None:
        """Make the groups with their limits set, before anything is inside. An existing group is taken as it is."""
        for directory in self.directories:
            self._make(directory)
        if "freezer" in self.paths:
            _try_write(f"{self.paths['freezer']}/freezer.state", "THAWED")  # whoever froze it may have died in kill()
        self.apply(allocation)

    def _make(self, directory: str) -> None:
        parent = os.path.dirname(directory)
        for _ in range(20):  # another run's end may remove the shared parent between our two steps
            try:
                os.makedirs(parent, exist_ok=True)
                self._open_cpuset(parent)
                os.makedirs(directory, exist_ok=True)
            except FileNotFoundError:
                continue
            return
        raise OSError(errno.EAGAIN, "the groups' parent kept vanishing", parent)

    @staticmethod
    def _open_cpuset(parent: str) -> None:
        """A new v1 cpuset is empty and takes nothing; its parent lends all that it has."""
        for name in ("cpuset.cpus", "cpuset.mems"):
            path = f"{parent}/{name}"
            if os.path.exists(path) and not read(path):
                write(path, read(f"{os.path.dirname(parent)}/{name}"))

    def apply(self, allocation: dict[str, Any]) -> None:
        """Set what the group may use. Lists that are empty lend all that the parent has."""
        cpuset = self.paths["cpuset"]
        _try_write(f"{cpuset}/cpuset.memory_migrate", "1")  # pages follow when the nodes change
        for name, wanted in (("cpuset.cpus", allocation["cpus"]), ("cpuset.mems", allocation["memory_nodes"])):
            text = procfs.format_list(wanted) or read(f"{os.path.dirname(cpuset)}/{name}")
            write(f"{cpuset}/{name}", text)
        if "cpu" in self.paths:
            quota = allocation["cpu_quota_milli"]
            write(f"{self.paths['cpu']}/cpu.cfs_period_us", str(PERIOD_US))
            write(f"{self.paths['cpu']}/cpu.cfs_quota_us", str(-1 if quota is None else quota * PERIOD_US // 1000))
        if "memory" in self.paths:
            self._limit_memory(allocation["memory_bytes"])
        if "pids" in self.paths:
            write(f"{self.paths['pids']}/pids.max", str(allocation["processes_max"]))

    def _limit_memory(self, limit: int | None) -> None:
        """Limit memory, and memory with swap to the same. The latter may never be below the former, so the order of
        the two writes depends on the direction."""
        memory = self.paths["memory"]
        names = ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]
        value = str(-1 if limit is None else limit)
        old = int(read(f"{memory}/{names[0]}"))
        if limit is None or limit > old:
            names.reverse()
        for name in names:
            if os.path.exists(f"{memory}/{name}"):
                write(f"{memory}/{name}", value)

    def join(self) -> None:
        """Move the calling process inside. Called by a child between fork and exec."""
        for directory in self.directories:
            write(f"{directory}/cgroup.procs", "0")

    def members(self) -> list[int]:
        """Processes inside any of the groups."""
        found: set[int] = set()
        for directory in self.directories:
            try:
                found.update(int(line) for line in read(f"{directory}/cgroup.procs").split())
            except OSError as error:
                # A group that is removed while it is read answers "no such device".
                if error.errno not in (errno.ENOENT, errno.ENODEV):
                    raise
        return sorted(found)

    def kill(self) -> None:
        """SIGKILL everything inside: frozen first, so that nothing forks away meanwhile."""
        frozen = self.paths.get("freezer")
        if frozen is not None:
            _try_write(f"{frozen}/freezer.state", "FROZEN")
        for pid in self.members():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if frozen is not None:
            _try_write(f"{frozen}/freezer.state", "THAWED")

    def remove(self, patience_s: float = 5.0) -> bool:
        """Remove the empty groups, and the engine's parent once it is empty. False where something stayed inside."""
        deadline = time.monotonic() + patience_s
        left = [directory for directory in self.directories if not remove_group(directory)]
        while left and time.monotonic() < deadline:
            time.sleep(0.01)  # the kernel lets go of a group a moment after its last process was reaped
            left = [directory for directory in left if not remove_group(directory)]
        for directory in self.directories:
            remove_directory(os.path.dirname(directory))
        return not left

    def out_of_memory_kills(self) -> int:
        """How many processes the kernel killed here for memory."""
        try:
            text = read(f"{self.paths['memory']}/memory.oom_control")
        except (KeyError, OSError):
            return 0
        return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("oom_kill "))


def remove_directory(path: str) -> bool:
    """Remove an empty group. True where it is gone, also where it never was."""
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def remove_group(path: str) -> bool:
    """Remove a run's group and the empty ones that its work made inside. True where nothing of it is left."""
    if remove_directory(path):
        return True
    for inside, _, _ in os.walk(path, topdown=False):
        remove_directory(inside)
    return not os.path.isdir(path)


def _try_write(path: str, value: str) -> None:
    try:
        write(path, value)
    except OSError:
        return
