"""The last a supervisor does: nothing of the run is left, and its end is on record. Supervisors import it."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from tenure.engines.local.life import Life
from tenure.engines.local.obey import obey
from tenure.engines.local.recorded import RECORD_AGAIN_NS
from tenure.engines.local.term import wall_ms


def close(life: Life, trouble: str | None = None) -> None:
    """Remove everything that is left and record the end. If told to go by a signal, the run is not over: the next
    supervisor brings it back."""
    while not life.all_gone():
        left = [*life.work_groups.members(), *life.side_groups.members()]
        life.note(phase="Stopping", message=f"processes {left} or their groups could not be removed; trying again")
        time.sleep(1)
    for command in life.commands:
        for output in command.outputs:
            output.drain()
            output.flush()
    comes_back = life.interrupted and life.ending == "SupervisorDied"
    if not comes_back:
        life.give_back()
    if trouble is not None:
        life.note(phase="Ended", reason="StartFailed", message=trouble, ended_ms=wall_ms())
    elif comes_back:
        life.note(phase="Starting", reason=None)
    else:
        life.note(phase="Ended", reason=life.ending, ended_ms=wall_ms())
        _wait_until_recorded(life)
    with suppress(FileNotFoundError):
        os.unlink(life.folder.control)


def _wait_until_recorded(life: Life) -> None:
    """An end that is not on record would be undone by the next supervisor, which starts the command again. So this one
    stays until there is room, and tells whoever asks that there is none."""
    while life.owed_ns is not None:
        for output in life.events.wait(RECORD_AGAIN_NS // 1_000_000, [], lambda request: obey(life, request)):
            output.drain()
        life.note()
