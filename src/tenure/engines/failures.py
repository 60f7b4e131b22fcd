"""What may go wrong at an engine, as types with stable codes. Every one says what to do next."""

from __future__ import annotations


class EngineFailure(Exception):  # noqa: N818 - an engine refuses as often as it errs
    """Anything an engine refuses or fails to do. `code` is stable; `field` names the offending part of the input."""

    code = "EngineFailure"
    next_step = "`tenure doctor`"

    def __init__(self, message: str, *, field: str = "", next_step: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        if next_step is not None:
            self.next_step = next_step

    def __str__(self) -> str:
        where = f" (at {self.field})" if self.field else ""
        return f"{self.code}: {self.message}{where}; next: {self.next_step}"


class InvalidRunSpec(EngineFailure):
    """The run asked for contradicts itself or the machine; nothing was started."""

    code = "InvalidRunSpec"
    next_step = "correct the field named"


class RunConflict(EngineFailure):
    """A run of this id exists with another spec. Nothing was changed."""

    code = "RunConflict"
    next_step = "use a new run id, or stop and forget the old run"


class RunNotFound(EngineFailure):
    """No run of this id is known here."""

    code = "RunNotFound"
    next_step = "see what runs: `tenure ledger check`"


class StartFailed(EngineFailure):
    """The run was claimed but its command could not be started; its state says so too and nothing is left running."""

    code = "StartFailed"
    next_step = "see `tenure logs`"


class StopFailed(EngineFailure):
    """Processes of the run were still there when the time to stop was over. Its capacity must not be given away."""

    code = "StopFailed"
    next_step = "repeat; look for processes in state D with `tenure describe`"


class AbilityMissing(EngineFailure):
    """The system does not grant what was asked (for instance a memory limit without cgroups)."""

    code = "AbilityMissing"
    next_step = "`tenure doctor` lists what can be enforced here"


class RunNotRecorded(EngineFailure):
    """What was asked of a run cannot be made durable, so it was not done: its disk is full, or can only be read."""

    code = "RunNotRecorded"
    next_step = "make the disk of TENURE_HOME writable, then repeat; the run itself goes on"


class RunUnreadable(EngineFailure):
    """The run's own record is damaged. What runs of it is known from the kernel; what it was given is not guessed."""

    code = "RunUnreadable"
    next_step = "put the file back from a backup, or end the run with `tenure end CONTRACT`"


class EngineUnreachable(EngineFailure):
    """The engine, or a run's supervisor, does not answer. What runs is unknown; it is not known to be gone."""

    code = "Unreachable"
