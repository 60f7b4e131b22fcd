"""Runs whose own record cannot be read: cut off by a full disk under an older version, or overwritten.

What such a run was given is not guessed: its ports, moved end and moved cores stood in that record alone. A supervisor
that still lives knows them and writes the record anew; without one the run can only be ended. Its processes are found
from the kernel either way.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from tenure.engines.failures import EngineFailure, EngineUnreachable, StopFailed
from tenure.engines.local import procfs
from tenure.engines.local.asking import ask, not_recorded
from tenure.engines.local.examine import clean, examine, members_anywhere
from tenure.engines.local.folder import RecordDamaged, RunFolder, read_json, try_lock, write_json
from tenure.engines.local.record import first_state
from tenure.engines.runstate import RunState

GRACE_MS = 10_000  # where the spec that says it cannot be read either
KILL_MARGIN_MS = 20_000
LEAVING_MS = 3_000
"""A supervisor that was killed, or a child that it had just forked, may hold the lock so much longer."""
LOOK_S = 0.02


def mend(folder: RunFolder, group: str) -> RunState:
    """Have a living supervisor write the record anew; otherwise nothing changes."""
    with suppress(EngineFailure):
        ask(folder, {"op": "record"})
    return examine(folder, group)


def end_damaged(folder: RunFolder, group: str, grace_ms: int | None) -> RunState:
    """End the run whatever its record says: by its supervisor where that lives, and what is left without it. Returns
    its state once the record can be read, and is final."""
    grace_ms = GRACE_MS if grace_ms is None else grace_ms
    patience_ms, told = grace_ms + KILL_MARGIN_MS, True
    try:
        ask(folder, {"op": "stop", "grace_ms": grace_ms})
    except EngineUnreachable:  # dead, dying, or it hangs
        patience_ms, told = LEAVING_MS, False
        _kill_supervisor(folder)
    # Its lock says that there is none any more, and that none comes meanwhile. The record may never say so.
    lock = _lock_once_free(folder, patience_ms)
    if lock is None and told:
        return examine(folder, group)
    if lock is None:
        raise StopFailed(f"run {folder.run_id}: its record cannot be read and its supervisor does not answer")
    try:
        if not (state := examine(folder, group)).final:
            state = _end_alone(folder, group, grace_ms)
    finally:
        os.close(lock)
    return state


def _kill_supervisor(folder: RunFolder) -> None:
    """The process that the record names, if it is that very one; nobody else is taken for it."""
    with suppress(RecordDamaged):
        state = read_json(folder.state)
        descriptor = None if state is None else procfs.open_process(state["supervisor"], procfs.boot_id())
        if descriptor is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            os.close(descriptor)


def _lock_once_free(folder: RunFolder, patience_ms: int) -> int | None:
    deadline = time.monotonic() + patience_ms / 1000
    while (lock := try_lock(folder.lock)) is None and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    return lock


def _end_alone(folder: RunFolder, group: str, grace_ms: int) -> RunState:
    try:
        _end_processes(group, folder.run_id, grace_ms)
        _close_record(folder)
    except OSError as error:
        raise not_recorded(error) from error
    return examine(folder, group)


def _end_processes(group: str, run_id: str, grace_ms: int) -> None:
    deadline = time.monotonic() + grace_ms / 1000
    for pid in members_anywhere(group, run_id):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    while members_anywhere(group, run_id) and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    clean(group, run_id)


def _close_record(folder: RunFolder) -> None:
    """The damaged files are kept beside, for whoever wants to know what happened to them."""
    damaged = [path for path in (folder.spec, folder.state) if _is_damaged(path)]
    for path in damaged:
        os.replace(path, f"{path}.damaged")
    spec = read_json(folder.spec)
    if spec is None:
        return  # nothing says what it was: its folder is a claim, which can be forgotten
    message = f"its record {folder.state} could not be read and was set aside as state.json.damaged"
    state = first_state(spec | {"ports": {}}, procfs.boot_id())
    ended_ms = time.time_ns() // 1_000_000
    end = {"phase": "Ended", "reason": "RecordDamaged", "message": message, "ended_ms": ended_ms}
    write_json(folder.state, {**state, **end})


def _is_damaged(path: str) -> bool:
    try:
        read_json(path)
    except RecordDamaged:
        return True
    return False
