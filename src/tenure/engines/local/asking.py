"""Asking a run's supervisor, with its refusals as the engine's failures."""

from __future__ import annotations

from typing import Any

from tenure.engines.failures import AbilityMissing, EngineFailure, EngineUnreachable, RunConflict, RunNotRecorded
from tenure.engines.local import control
from tenure.engines.local.folder import RunFolder

REFUSALS: tuple[type[EngineFailure], ...] = (RunConflict, AbilityMissing, RunNotRecorded)


def ask(folder: RunFolder, request: dict[str, Any]) -> dict[str, Any]:
    """What it answers. Raises EngineUnreachable where nobody does, and whatever it refuses with."""
    try:
        answer = control.ask(folder, request)
    except OSError as error:
        raise EngineUnreachable(f"the supervisor of run {folder.run_id} does not answer: {error}") from error
    if not answer["ok"]:
        kind = next((kind for kind in REFUSALS if kind.code == answer["code"]), EngineFailure)
        raise kind(answer["message"], field=answer.get("field") or folder.path)
    return answer


def not_recorded(error: OSError, next_step: str | None = None) -> RunNotRecorded:
    """A disk that refused what the engine itself had to write."""
    message = f"the run's record cannot be written: {error.strerror or error}"
    return RunNotRecorded(message, field=str(error.filename or ""), next_step=next_step)
