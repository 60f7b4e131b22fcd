"""Ending a run from outside: by its supervisor, or by a new one where that is gone."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from dataclasses import asdict

from tenure.engines.failures import EngineUnreachable, RunUnreadable, StopFailed
from tenure.engines.local import clearing, procfs
from tenure.engines.local.asking import ask, not_recorded
from tenure.engines.local.damaged import end_damaged
from tenure.engines.local.examine import clean, examine
from tenure.engines.local.folder import RecordDamaged, RunFolder, read_json, write_json
from tenure.engines.local.launch import launch
from tenure.engines.runstate import EndReason, Phase, ProcessId, RunState

KILL_MARGIN_S = 20.0
ROUNDS_MAX = 3  # a supervisor that is asked may die before it has done it; the next one is asked then


def stop(folder: RunFolder, group: str, grace_ms: int | None) -> RunState:
    """See Engine.stop."""
    state = examine(folder, group)
    for _ in range(ROUNDS_MAX):
        if state.phase is Phase.UNREADABLE:
            state = end_damaged(folder, group, grace_ms)
        if state.phase is Phase.UNSUPERVISED and os.path.exists(folder.spec):
            launch(folder)
            state = examine(folder, group)
        if state.phase is Phase.ENDED:
            return state
        if state.phase is Phase.LOST or not os.path.exists(folder.spec):
            return _close_record(folder, group, state)
        # Who took over and could not record it (a full disk) is asked; the number on record is a dead one's.
        supervisor = None if state.phase is Phase.UNSUPERVISED else state.supervisor
        state = _ask_to_stop(folder, group, supervisor, grace_ms)
        if state.phase not in (Phase.ENDED, Phase.LOST, Phase.UNSUPERVISED):
            break
    if state.phase is Phase.ENDED:
        return state
    raise StopFailed(f"run {folder.run_id}: {state.message or 'its processes are still there'}")


def _ask_to_stop(folder: RunFolder, group: str, supervisor: ProcessId | None, grace_ms: int | None) -> RunState:
    """Ask, and wait until whoever was asked is gone. One that hangs is killed: then the next one does it."""
    gone = None if supervisor is None else procfs.open_process(asdict(supervisor), procfs.boot_id())
    try:
        try:
            ask(folder, {"op": "stop", "grace_ms": grace_ms})
        except EngineUnreachable:
            if gone is not None:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(gone, signal.SIGKILL)
        if gone is not None:
            _wait_readable(gone, grace_of(folder, grace_ms) / 1000 + KILL_MARGIN_S)
    finally:
        if gone is not None:
            os.close(gone)
    return examine(folder, group)


def grace_of(folder: RunFolder, grace_ms: int | None) -> int:
    """How long the work may take to end: as asked, else as its spec says."""
    if grace_ms is not None:
        return grace_ms
    try:
        spec = read_json(folder.spec)
    except RecordDamaged:
        spec = None
    return 0 if spec is None else int(spec["stop_grace_ms"])


def _close_record(folder: RunFolder, group: str, state: RunState) -> RunState:
    """Of a run that lost its supervisor and its processes, the record is closed. One that says how it ended stands."""
    clean(group, folder.run_id)
    try:
        record = read_json(folder.state)
        if record is not None and record["phase"] != "Ended":
            clearing.give_back(record.get("cleared", []), procfs.boot_id())
            reason = EndReason.STOPPED if state.reason is None else state.reason
            message = state.message
            if reason is EndReason.NEVER_STARTED:  # it was, or there were no record: what it was to run is gone
                reason, message = EndReason.RECORD_DAMAGED, f"{folder.spec} is gone, or was set aside as damaged"
            ended_ms = time.time_ns() // 10**6
            record.update(phase="Ended", reason=str(reason), message=message, ended_ms=ended_ms, cleared=[])
            write_json(folder.state, record)
    except RecordDamaged as error:
        raise RunUnreadable(str(error), field=error.path) from error
    except OSError as error:
        raise not_recorded(error) from error
    return examine(folder, group)


def _wait_readable(descriptor: int, timeout_s: float) -> None:
    """Wait for a process to end."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    waiting.poll(timeout_s * 1000)
