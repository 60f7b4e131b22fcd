"""Confinement by cgroup v2, in a subtree that this process owns: root's own, or one delegated by systemd.

Source: the kernel's Documentation/admin-guide/cgroup-v2.rst. A scope made by `systemd-run --user --scope -p
Delegate=yes` is such a subtree; the supervisor lives in it and moves itself to a leaf of its own, because a group with
processes may not hand controllers to its children.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from tenure.engines.local import procfs
from tenure.engines.local.groups_v1 import PERIOD_US, read, remove_directory, remove_group, write

CONTROLLERS = ("cpuset", "cpu", "memory", "pids")
NEEDED = "memory"  # cpuset is often not delegated on desktops; pinning is then by affinity


def mount_point(mount_table: str = "/proc/self/mounts") -> str | None:
    """Where the v2 hierarchy is mounted, or None."""
    with open(mount_table, encoding="utf-8") as file:
        for line in file:
            _, point, kind, *_ = line.split(" ")
            if kind == "cgroup2":
                return point
    return None


def own_group(point: str, membership: str = "/proc/self/cgroup") -> str:
    """The v2 group that this process is in."""
    with open(membership, encoding="utf-8") as file:
        for line in file:
            if line.startswith("0::"):
                return point + line.strip()[3:].rstrip("/")
    return point


def owned_base(point: str, group: str, parent: str, own_pid: int) -> tuple[str | None, set[str], str]:
    """The folder under which groups can be made and the controllers they will have; or None and why not.

    Root on a plain v2 system makes its own folder at the top. Anyone else needs a delegated group that holds no
    process but this one: a group with processes may not hand controllers down ("no internal processes").
    """
    available = set(read(f"{point}/cgroup.controllers").split())
    if NEEDED not in available:
        return None, set(), f"cgroup v2 does not offer {NEEDED} here (cgroup v1 may hold it)"
    if os.access(point, os.W_OK) and os.access(f"{point}/cgroup.subtree_control", os.W_OK):
        return f"{point}/{parent}", available, ""
    inside = set(read(f"{group}/cgroup.controllers").split())
    if not (os.access(group, os.W_OK) and os.access(f"{group}/cgroup.procs", os.W_OK)) or NEEDED not in inside:
        return None, set(), f"this user owns no cgroup v2 subtree with {NEEDED}"
    others = set(read(f"{group}/cgroup.procs").split()) - {str(own_pid)}
    if others and NEEDED not in read(f"{group}/cgroup.subtree_control").split():
        return None, set(), "this process shares its cgroup v2 group with others"
    return group, inside, ""


class GroupsV2:
    """The group of one run's work or sidecars, a child of `base`."""

    mechanism = "cgroup-v2"

    def __init__(self, base: str, leaf: str) -> None:
        self.base = base
        self.path = f"{base}/{leaf}"
        self.not_enforced: list[str] = []

    @property
    def directories(self) -> list[str]:
        """The one folder."""
        return [self.path]

    def create(self, allocation: dict[str, Any]) -> None:
        """Make the group with its limits set, before anything is inside. An existing one is taken as it is."""
        os.makedirs(self.base, exist_ok=True)
        self._leave_base()
        if NEEDED not in read(f"{self.base}/cgroup.controllers").split():
            self._hand_down(os.path.dirname(self.base))  # only root's own folder: a delegated one has what it has
        self._hand_down(self.base)
        os.makedirs(self.path, exist_ok=True)
        self.not_enforced = self._missing()
        self.apply(allocation)

    def _leave_base(self) -> None:
        """Move this process out of a delegated base into a leaf, so that the base may hand controllers down."""
        own = str(os.getpid())
        if own in read(f"{self.base}/cgroup.procs").split():
            os.makedirs(f"{self.base}/supervisor", exist_ok=True)
            write(f"{self.base}/supervisor/cgroup.procs", own)

    @staticmethod
    def _hand_down(directory: str) -> None:
        control = f"{directory}/cgroup.subtree_control"
        if not os.access(control, os.W_OK):
            return
        offered = read(f"{directory}/cgroup.controllers").split()
        enabled = read(control).split()
        for name in CONTROLLERS:
            if name in offered and name not in enabled:
                write(control, f"+{name}")

    def _missing(self) -> list[str]:
        present = read(f"{self.path}/cgroup.controllers").split()
        words = {
            "cpuset": "pinning beyond affinity, and memory nodes",
            "cpu": "CPU quota",
            "pids": "number of processes",
        }
        return [
            f"{what}: the {name} controller was not delegated" for name, what in words.items() if name not in present
        ]

    def apply(self, allocation: dict[str, Any]) -> None:
        """Set what the group may use. Empty lists lend all that the parent has."""
        quota = allocation["cpu_quota_milli"]
        limit = allocation["memory_bytes"]
        values = {
            "cpuset.cpus": procfs.format_list(allocation["cpus"]),
            "cpuset.mems": procfs.format_list(allocation["memory_nodes"]),
            "cpu.max": f"{'max' if quota is None else quota * PERIOD_US // 1000} {PERIOD_US}",
            "memory.max": "max" if limit is None else str(limit),
            "memory.swap.max": "max" if limit is None else "0",
            "pids.max": str(allocation["processes_max"]),
        }
        for name, value in values.items():
            if os.path.exists(f"{self.path}/{name}"):
                write(f"{self.path}/{name}", value or "\n")

    def join(self) -> None:
        """Move the calling process inside. Called by a child between fork and exec."""
        write(f"{self.path}/cgroup.procs", "0")

    def members(self) -> list[int]:
        """Processes inside."""
        try:
            return [int(line) for line in read(f"{self.path}/cgroup.procs").split()]
        except FileNotFoundError:
            return []

    def kill(self) -> None:
        """SIGKILL everything inside at once (cgroup.kill, Linux 5.14), or one by one before that."""
        try:
            write(f"{self.path}/cgroup.kill", "1")
        except OSError:
            for pid in self.members():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    def remove(self, patience_s: float = 5.0) -> bool:
        """Remove the empty group. False where something stayed inside."""
        deadline = time.monotonic() + patience_s
        gone = remove_group(self.path)
        while not gone and time.monotonic() < deadline:
            time.sleep(0.01)  # the kernel lets go of a group a moment after its last process was reaped
            gone = remove_group(self.path)
        remove_directory(self.base)
        return gone

    def out_of_memory_kills(self) -> int:
        """How many processes the kernel killed here for memory."""
        try:
            text = read(f"{self.path}/memory.events")
        except OSError:
            return 0
        return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("oom_kill "))
