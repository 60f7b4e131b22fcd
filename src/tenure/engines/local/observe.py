"""What can be enforced on this machine and by what, tried rather than assumed."""

from __future__ import annotations

import importlib.metadata
import os
import time

from tenure.engines.runstate import Ability, Observation


def abilities(mechanism: str, controllers: set[str], refused: list[str]) -> tuple[Ability, ...]:
    """One row for each thing a contract may want enforced. Arguments as `launch.granted_to_supervisors` gives them."""
    why = "; ".join(refused)
    rows = [Ability("pinning", True, "cpuset" if "cpuset" in controllers else "sched_setaffinity", why)]
    for name, controller in (
        ("memory-limit", "memory"),
        ("memory-nodes", "cpuset"),
        ("cpu-quota", "cpu"),
        ("process-limit", "pids"),
    ):
        granted = controller in controllers
        missing = why or f"the {controller} controller is not there"
        rows.append(Ability(name, granted, f"{mechanism} {controller}" if granted else "", "" if granted else missing))
    caps = _power_cap()
    rows.append(Ability("power-cap", False, "", caps))
    rows.append(Ability("network-rate", False, "", "the local engine shapes no traffic; runs share the loopback"))
    return tuple(rows)


def _power_cap() -> str:
    if os.path.isdir("/sys/class/powercap/intel-rapl"):
        return "RAPL is there, but caps whole packages, not runs"
    return "this machine has no power capping interface (no RAPL)"


def unreachable(why: str) -> Observation:
    """What is said on a system where nothing can be run."""
    names = ("pinning", "memory-limit", "memory-nodes", "cpu-quota", "process-limit", "power-cap", "network-rate")
    return Observation(
        engine="local",
        version=importlib.metadata.version("tenure"),
        reachable=False,
        at_ms=time.time_ns() // 1_000_000,
        mechanism="none",
        abilities=tuple(Ability(name, False, "", why) for name in names),
        runs=0,
    )
