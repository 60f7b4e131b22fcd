"""Engines: where work runs.

`base` is the protocol every engine keeps, `runspec` what is asked, `runstate` what is answered, `failures` what may go
wrong; `local` is this machine, `simulated` a fleet that exists only in a file.
Promises: a call can be repeated and takes effect once; what is reported is read from the kernel, not from intent; runs
go on when whoever asked for them is dead; nothing is left behind after an end.
Refuses: to decide what runs where (that is placement and the ledger) or whether a promise was kept (promises).

Names are imported on first use, because a supervisor lives in this package for as long as its workload and must stay
small.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tenure.engines.base import (
        CapsPower,
        ClearsCpus,
        Engine,
        MovesEnds,
        MovesRuns,
        RestartsRuns,
        SetsLimits,
        ShapesNetwork,
    )
    from tenure.engines.failures import (
        AbilityMissing,
        EngineFailure,
        EngineUnreachable,
        InvalidRunSpec,
        RunConflict,
        RunNotFound,
        RunNotRecorded,
        RunUnreadable,
        StartFailed,
        StopFailed,
    )
    from tenure.engines.local.engine import LocalEngine
    from tenure.engines.runspec import File, HealthCheck, LogLimits, Restart, RestartPolicy, RunSpec, Sidecar
    from tenure.engines.runstate import (
        Ability,
        CommandState,
        Confinement,
        EndReason,
        ExitState,
        LogLine,
        Observation,
        Phase,
        ProcessId,
        ReadBack,
        Reading,
        RunState,
        ThreadReading,
    )
    from tenure.engines.simulated import SimulatedEngine

_HOMES = {
    "base": (
        "CapsPower",
        "ClearsCpus",
        "Engine",
        "MovesEnds",
        "MovesRuns",
        "RestartsRuns",
        "SetsLimits",
        "ShapesNetwork",
    ),
    "failures": (
        "AbilityMissing",
        "EngineFailure",
        "EngineUnreachable",
        "InvalidRunSpec",
        "RunConflict",
        "RunNotRecorded",
        "RunNotFound",
        "RunUnreadable",
        "StartFailed",
        "StopFailed",
    ),
    "local.engine": ("LocalEngine",),
    "simulated": ("SimulatedEngine",),
    "runspec": ("File", "HealthCheck", "LogLimits", "Restart", "RestartPolicy", "RunSpec", "Sidecar"),
    "runstate": (
        "Ability",
        "CommandState",
        "Confinement",
        "EndReason",
        "ExitState",
        "LogLine",
        "Observation",
        "Phase",
        "ProcessId",
        "ReadBack",
        "Reading",
        "RunState",
        "ThreadReading",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Ability",
    "AbilityMissing",
    "CapsPower",
    "ClearsCpus",
    "CommandState",
    "Confinement",
    "EndReason",
    "Engine",
    "EngineFailure",
    "EngineUnreachable",
    "ExitState",
    "File",
    "HealthCheck",
    "InvalidRunSpec",
    "LocalEngine",
    "LogLimits",
    "LogLine",
    "MovesEnds",
    "MovesRuns",
    "Observation",
    "Phase",
    "ProcessId",
    "ReadBack",
    "Reading",
    "Restart",
    "RestartPolicy",
    "RestartsRuns",
    "RunConflict",
    "RunNotFound",
    "RunNotRecorded",
    "RunSpec",
    "RunState",
    "RunUnreadable",
    "SetsLimits",
    "ShapesNetwork",
    "Sidecar",
    "SimulatedEngine",
    "StartFailed",
    "StopFailed",
    "ThreadReading",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # late: a supervisor never needs it

    return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
