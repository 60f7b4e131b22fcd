"""What can be enforced on this machine and by what, tried rather than assumed."""

from __future__ import annotations

import os

from tenure.engines.runstate import Ability


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
