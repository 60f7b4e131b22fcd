"""What a supervisor does when it is asked, over its control socket."""

from __future__ import annotations

import time
from typing import Any

from tenure.engines.local import clearing, procfs
from tenure.engines.local.life import Life
from tenure.engines.local.record import allocation_of


def obey(life: Life, request: dict[str, Any]) -> dict[str, Any]:
    """One request of the control socket. The effect is durable, and real, before the answer."""
    operation = request.get("op")
    if operation == "ping":
        return {"ok": True}
    if operation == "stop":
        return _stop(life, request.get("grace_ms"))
    if operation == "record":  # the one on disk was damaged, or is behind
        life.save()
        return {"ok": True}
    if life.ending is not None:
        return {"ok": False, "code": "RunConflict", "message": "the run is ending"}
    if operation == "restart":
        return _restart_now(life, request.get("grace_ms"))
    if operation == "end":
        life.save(end_ms=request["end_ms"])
        life.term.end_ms = request["end_ms"]
        return {"ok": True}
    if operation in ("move", "limits"):
        return _reallocate(life, {name: value for name, value in request.items() if name != "op"})
    if operation == "clear":
        return _clear(life, request["processes"], set(request["elsewhere"]))
    return {"ok": False, "code": "EngineFailure", "message": f"no operation {operation!r}"}


def _stop(life: Life, grace_ms: int | None) -> dict[str, Any]:
    """Recorded first: a stop that is refused leaves a run that restarts, moves and ends with its term as before."""
    if life.ending is None:
        life.save(phase="Stopping", reason="Stopped", message="it was stopped")
        life.ending = "Stopped"
    life.finish(life.ending, life.state["message"], grace_ms)
    if life.owed_ns is not None:
        life.save()  # it ends for another reason, and whoever asks shall know that this is not on record
    return {"ok": True}


def _restart_now(life: Life, grace_ms: int | None) -> dict[str, Any]:
    life.work.streak = 0
    if life.work.pid is None:
        life.work.due_ns = time.monotonic_ns()
    else:
        life.work.restart_at_once = True
        life.end_command(life.work, life.spec["stop_grace_ms"] if grace_ms is None else grace_ms)
    return {"ok": True}


def _reallocate(life: Life, changes: dict[str, Any]) -> dict[str, Any]:
    """Change what the run may use: recorded first, so that a crash between leaves what the next one applies."""
    before = {name: life.state[name] for name in changes}
    life.save(**changes)
    life.give_back_what_it_left()
    try:
        life.work_groups.apply(allocation_of(life.state, life.spec))
        if life.state["cpus"]:
            procfs.pin_threads(life.work_groups.members(), life.state["cpus"])
    except OSError as error:
        life.note(**before)
        return {"ok": False, "code": "AbilityMissing", "message": f"the kernel refused: {error.strerror}"}
    return {"ok": True}


def _clear(life: Life, processes: list[dict[str, int]], elsewhere: set[int]) -> dict[str, Any]:
    """Keep others away from the run's CPUs until its end: recorded first, so that it is given back whatever happens."""
    contracted = set(life.state["cpus"])
    fresh = clearing.survey(processes, contracted, life.boot)
    life.save(cleared=clearing.merged(life.state.get("cleared", []), fresh))
    return {"ok": True, "moved": clearing.take(fresh, contracted, elsewhere)}
