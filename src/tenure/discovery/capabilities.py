"""What can be enforced on this machine, and by which mechanism, or why not.

Tried, not assumed: root may be refused what its permissions say, and a controller may sit in another hierarchy. The
only trace of a trial is a control group that lives for an instant.
"""

from __future__ import annotations

import re
import shutil

from tenure.discovery.allowed import CgroupMount, cgroup_mounts, cgroup_path
from tenure.discovery.probe import Outcome, network_rate_outcome, try_v1, try_v2
from tenure.discovery.reading import FileFacts, Wanted
from tenure.topology import Capability, ObservedMachine, Unknown, format_cpu_list, listed

CONTROLLER_OF = {"cpuset": "cpuset", "cpuQuota": "cpu", "memoryLimit": "memory"}
RECORDED = "a recorded tree cannot be tried; scan on the machine itself"
POWERCAP = "sys/class/powercap"


def power_wanted(facts: FileFacts) -> tuple[Wanted, ...]:
    """The limits of power zones, and what systemd delegates to this user; which they are follows from what was read."""
    wanted = [
        Wanted(f"{POWERCAP}/{zone}", ("constraint_0_power_limit_uw",))
        for zone in facts.names(POWERCAP)
        if zone.count(":") == 1
    ]
    for mount in cgroup_mounts(facts):
        if mount.version == 2:
            wanted.append(Wanted(mount.path, ("cgroup.controllers",)))
            own = cgroup_path(facts, mount, "")
            if not isinstance(own, Unknown) and own:
                wanted.append(Wanted(f"{mount.path}/{own}", ("cgroup.controllers",)))
            delegated = _delegated_folder(facts, mount)
            if delegated:
                wanted.append(Wanted(delegated, ("cgroup.controllers",)))
    return tuple(wanted)


def capabilities_of(facts: FileFacts, machine: ObservedMachine, *, probe: bool) -> tuple[Capability, ...]:
    """One row each for cpuset, CPU quota, memory limit, network rate and power cap. `probe` allows to try."""
    if not facts.is_live:
        return tuple(Capability(what, False, "", RECORDED) for what in (*CONTROLLER_OF, "networkRate", "powerCap"))
    rows = [_group_capability(facts, machine, what, probe=probe) for what in CONTROLLER_OF]
    return (*rows, _network_rate(probe=probe), _power_cap(facts, machine))


def _group_capability(facts: FileFacts, machine: ObservedMachine, what: str, *, probe: bool) -> Capability:
    controller = CONTROLLER_OF[what]
    reasons = []
    for mechanism, outcome in (
        (f"cgroup v2 {controller}", _in_v2(facts, controller, machine, probe=probe)),
        (f"cgroup v1 {controller}", _in_v1(facts, controller, machine, probe=probe)),
        (f"cgroup v2 {controller} through systemd", _through_systemd(facts, controller)),
    ):
        if outcome.worked:
            return Capability(what, True, mechanism, outcome.reason)
        reasons.append(outcome.reason)
    if what == "cpuset":
        weaker = "a process can undo it; control groups are not granted: " + "; ".join(dict.fromkeys(reasons))
        return Capability(what, True, "CPU affinity", weaker)
    return Capability(what, False, "", "; ".join(dict.fromkeys(reasons)))


def _in_v2(facts: FileFacts, controller: str, machine: ObservedMachine, *, probe: bool) -> Outcome:
    mount = next((m for m in cgroup_mounts(facts) if m.version == 2), None)
    if mount is None:
        return Outcome(False, "cgroup v2 is not mounted")
    offered = facts.text(f"{mount.path}/cgroup.controllers")
    if isinstance(offered, Unknown) or controller not in offered.split():
        return Outcome(False, f"cgroup v2 does not offer {controller} here")
    own = cgroup_path(facts, mount, "")
    folders = [f"/{mount.path}"]
    if not isinstance(own, Unknown) and own:
        folders.append(f"/{mount.path}/{own}")
    return try_v2(folders, controller, _limits(machine)) if probe else Outcome(False, "not tried")


def _in_v1(facts: FileFacts, controller: str, machine: ObservedMachine, *, probe: bool) -> Outcome:
    mount = next((m for m in cgroup_mounts(facts) if m.version == 1 and controller in m.controllers), None)
    if mount is None:
        return Outcome(False, f"cgroup v1 does not offer {controller} here")
    own = cgroup_path(facts, mount, controller)
    folders = [f"/{mount.path}"]
    if not isinstance(own, Unknown) and own:
        folders.append(f"/{mount.path}/{own}")
    return try_v1(folders, controller, _limits(machine)) if probe else Outcome(False, "not tried")


def _limits(machine: ObservedMachine) -> dict[str, str]:
    """Values that confine nothing: every CPU and node that is allowed, ample memory."""
    cpus, nodes = listed(machine.allowed_cpus), listed(machine.allowed_memory_nodes)
    return {"cpus": format_cpu_list(cpus), "mems": format_cpu_list(nodes) or "0"}


def _delegated_folder(facts: FileFacts, mount: CgroupMount) -> str:
    """The group that systemd hands to this user, where it runs one; empty otherwise."""
    status = facts.text("proc/self/status")
    match = None if isinstance(status, Unknown) else re.search(r"^Uid:\s+\d+\s+(\d+)", status, re.MULTILINE)
    if match is None or match[1] == "0":
        return ""
    return f"{mount.path}/user.slice/user-{match[1]}.slice/user@{match[1]}.service"


def _through_systemd(facts: FileFacts, controller: str) -> Outcome:
    for mount in cgroup_mounts(facts):
        folder = _delegated_folder(facts, mount) if mount.version == 2 else ""
        delegated = facts.text(f"{folder}/cgroup.controllers") if folder else Unknown("no user session of systemd")
        if isinstance(delegated, Unknown):
            continue
        if controller not in delegated.split():
            return Outcome(False, f"systemd does not delegate {controller} to this user")
        if shutil.which("systemd-run") is None:
            return Outcome(False, "systemd delegates, but systemd-run is not installed")
        return Outcome(True, "in a scope made by systemd-run --user --scope -p Delegate=yes")
    return Outcome(False, "no user session of systemd delegates control groups")


def _network_rate(*, probe: bool) -> Capability:
    outcome = network_rate_outcome() if probe else Outcome(False, "not tried")
    return Capability(
        "networkRate", outcome.worked, "HTB queueing discipline" if outcome.worked else "", outcome.reason
    )


def _power_cap(facts: FileFacts, machine: ObservedMachine) -> Capability:
    found = []
    for zone in facts.names(POWERCAP):
        limit = facts.text(f"{POWERCAP}/{zone}/constraint_0_power_limit_uw")
        if zone.count(":") == 1 and not isinstance(limit, Unknown):
            found.append("RAPL (whole packages)")
    if any(not isinstance(gpu.power_max_mw, Unknown) for gpu in listed(machine.topology.gpus)):
        found.append("NVIDIA power limit (each GPU)")
    if found:
        return Capability("powerCap", True, ", ".join(dict.fromkeys(found)), "setting it needs root")
    if machine.virtual:
        return Capability("powerCap", False, "", "a virtual machine; its host passes no power interface on")
    return Capability("powerCap", False, "", "no RAPL and no GPU with a power limit is shown")
