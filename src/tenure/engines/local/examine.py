"""What a run really is: its records checked against the kernel. Also finds, and cleans, what no record covers."""

from __future__ import annotations

import os
import time

from tenure.engines.failures import RunUnreadable
from tenure.engines.local import confine, groups_v1, groups_v2, procfs
from tenure.engines.local.folder import RecordDamaged, RunFolder, read_json
from tenure.engines.local.groups_v1 import GroupsV1
from tenure.engines.local.groups_v2 import GroupsV2
from tenure.engines.local.translate import run_state, unknown_run
from tenure.engines.runstate import EndReason, Phase, ProcessId, RunState

PARTS = ("work", "side")
MARK = b"TENURE_RUN_MARK="


def examine(folder: RunFolder, group: str) -> RunState:
    """The state of a run by its folder. Reads only."""
    boot = procfs.boot_id()
    try:
        spec, state = read_json(folder.spec), read_json(folder.state)
    except RecordDamaged as error:
        return _unreadable(folder, group, boot, error)
    if spec is None and state is not None and state["phase"] == "Ended":
        spec = {"run_id": folder.run_id, "namespace": "", "name": ""}  # how it ended is known without it
    if spec is None or state is None:
        found = _processes(members_anywhere(group, folder.run_id), boot)
        phase = Phase.UNSUPERVISED if found else Phase.LOST
        return unknown_run(folder.run_id, found, "claimed, never started", phase)
    reason: EndReason | None
    left: tuple[ProcessId, ...] = ()
    if state["phase"] == "Ended":
        phase, reason, message = Phase.ENDED, EndReason(state["reason"]), state["message"]
    elif procfs.is_alive(state["supervisor"], boot):
        phase, message = Phase(state["phase"]), state["message"]
        reason = None if state["reason"] is None else EndReason(state["reason"])
        left = _processes(_members(state, spec["group"], folder.run_id), boot)
    elif state["boot_id"] != boot:
        phase, reason = Phase.LOST, EndReason.REBOOT
        message = "the machine was started anew since"
    else:
        left = _processes(_members(state, spec["group"], folder.run_id), boot)
        phase = Phase.UNSUPERVISED if left else Phase.LOST
        reason, message = EndReason.SUPERVISOR_DIED, "its supervisor is gone"
    return run_state(spec, state, phase=phase, reason=reason, message=message, processes=left)


def _unreadable(folder: RunFolder, group: str, boot: str, error: RecordDamaged) -> RunState:
    found = _processes(members_anywhere(group, folder.run_id), boot)
    failure = RunUnreadable(str(error), field=error.path)
    return unknown_run(folder.run_id, found, str(failure), Phase.UNREADABLE)


def _members(state: dict[str, object], group: str, run_id: str) -> list[int]:
    mechanism, base = state["mechanism"], state["base"]
    if mechanism is None:
        return members_anywhere(group, run_id)
    assert isinstance(mechanism, str)
    assert base is None or isinstance(base, str)
    return sorted({pid for part in PARTS for pid in confine.groups(mechanism, group, run_id, part, base).members()})


def _processes(members: list[int], boot: str) -> tuple[ProcessId, ...]:
    found = ((pid, procfs.start_ticks(pid)) for pid in members)
    return tuple(ProcessId(pid, ticks, boot) for pid, ticks in found if ticks is not None)


def members_anywhere(group: str, run_id: str) -> list[int]:
    """Processes of a run by every mechanism that may have confined it."""
    found = {pid for part in PARTS for groups in _any_groups(group, run_id, part) for pid in groups.members()}
    return sorted(found)


def _any_groups(group: str, run_id: str, part: str) -> list[confine.Groups]:
    """The run's groups under every mechanism, whether they exist or not."""
    candidates: list[confine.Groups] = [GroupsV1(group, f"{run_id}.{part}")]
    point = groups_v2.mount_point()
    if point is not None:
        candidates.append(GroupsV2(f"{point}/{group}", f"{run_id}.{part}"))
    candidates.append(confine.groups("affinity", group, run_id, part, None))
    return candidates


def strays(group: str, recorded: set[str]) -> list[RunState]:
    """Runs of this engine of which processes or groups exist, but no folder."""
    boot = procfs.boot_id()
    found = traces(group) - recorded
    return [
        unknown_run(run_id, _processes(members_anywhere(group, run_id), boot), "its record is gone", Phase.UNSUPERVISED)
        for run_id in sorted(found)
    ]


def traces(group: str) -> set[str]:
    """Runs of this engine that left a control group or a process, whatever any record says."""
    return _grouped_runs(group) | _marked_runs(group)


def _grouped_runs(group: str) -> set[str]:
    points = set(groups_v1.mounts().values()) | ({groups_v2.mount_point()} - {None})
    names: set[str] = set()
    for point in points:
        try:
            names.update(entry.name for entry in os.scandir(f"{point}/{group}") if entry.is_dir())
        except OSError:
            continue
    return {name.rpartition(".")[0] for name in names if name.rpartition(".")[2] in PARTS}


def _marked_runs(group: str) -> set[str]:
    prefix = MARK + group.encode() + b"/"
    runs: set[str] = set()
    for pid in procfs.pids():
        runs.update(
            entry.removeprefix(prefix).decode(errors="replace").rpartition(".")[0]
            for entry in procfs.environment(pid, prefix)
            if entry.startswith(prefix)
        )
    return runs


def clean(group: str, run_id: str, patience_s: float = 10.0) -> bool:
    """Kill and remove whatever is left of a run that is over. True where there was something."""
    found = False
    deadline = time.monotonic() + patience_s
    for part in PARTS:
        for groups in _any_groups(group, run_id, part):
            found |= any(os.path.isdir(directory) for directory in groups.directories)
            while groups.members() and time.monotonic() < deadline:
                found = True
                groups.kill()
                time.sleep(0.005)
            groups.remove()
    return found
