"""Between the typed values of `tenure.engines` and the plain records of run folders."""

from __future__ import annotations

import base64
from typing import Any

from tenure.engines.runspec import MAIN, Restart, RunSpec
from tenure.engines.runstate import CommandState, Confinement, EndReason, ExitState, Phase, ProcessId, RunState

SPEC_FORMAT = 1


def spec_record(spec: RunSpec, group: str, work_dir: str) -> dict[str, Any]:
    """A RunSpec as spec.json holds it. `group` is the engine's own name among control groups."""
    where = spec.working_dir or work_dir

    def command(name: str, argv: tuple[str, ...], env: dict[str, str], restart: Restart) -> dict[str, Any]:
        return {
            "name": name,
            "argv": list(argv),
            "env": env,
            "working_dir": where,
            "restart": {
                "policy": str(restart.policy),
                "backoff_ms": restart.backoff_ms,
                "backoff_ms_max": restart.backoff_ms_max,
                "restarts_max": restart.restarts_max,
                "settled_ms": restart.settled_ms,
            },
        }

    health = spec.health
    return {
        "format": SPEC_FORMAT,
        "run_id": spec.run_id,
        "namespace": spec.namespace,
        "name": spec.name,
        "group": group,
        "work": command(MAIN, spec.argv, dict(spec.env), spec.restart),
        "sidecars": [command(side.name, side.argv, dict(side.env), side.restart) for side in spec.sidecars],
        "files": {
            path: {"content": base64.b64encode(file.content).decode(), "mode": file.mode}
            for path, file in sorted(spec.files.items())
        },
        "ports": dict(spec.ports),
        "cpus": list(spec.cpus),
        "system_cpus": list(spec.system_cpus),
        "memory_nodes": list(spec.memory_nodes),
        "memory_bytes": spec.memory_bytes,
        "cpu_quota_milli": spec.cpu_quota_milli,
        "processes_max": spec.processes_max,
        "end_ms": spec.end_ms,
        "stop_grace_ms": spec.stop_grace_ms,
        "logs": {"file_bytes_max": spec.log_limits.file_bytes_max, "files_max": spec.log_limits.files_max},
        "health": None
        if health is None
        else {
            "port": health.port,
            "path": health.path,
            "interval_ms": health.interval_ms,
            "starting_interval_ms": health.starting_interval_ms,
            "timeout_ms": health.timeout_ms,
            "failures_max": health.failures_max,
        },
        "enforcement": spec.enforcement,
    }


def process(record: dict[str, Any] | None) -> ProcessId | None:
    """A recorded process identity."""
    return None if record is None else ProcessId(record["pid"], record["start_ticks"], record["boot_id"])


def _command_state(name: str, record: dict[str, Any]) -> CommandState:
    last = record["last_exit"]
    return CommandState(
        name=name,
        process=process(record["process"]),
        restarts=record["restarts"],
        started_ms=record["started_ms"],
        last_exit=None if last is None else ExitState(**last),
        given_up=record["given_up"],
    )


def run_state(
    spec: dict[str, Any],
    state: dict[str, Any],
    *,
    phase: Phase,
    reason: EndReason | None,
    message: str,
    processes: tuple[ProcessId, ...],
) -> RunState:
    """A run from its records, with the phase that the kernel confirmed."""
    work, *sidecars = (_command_state(name, record) for name, record in state["commands"].items())
    final = phase in (Phase.ENDED, Phase.LOST)
    confinement = None
    if state["mechanism"] is not None:
        groups = () if final else tuple(state["groups"])
        confinement = Confinement(state["mechanism"], groups, tuple(state["not_enforced"]))
    return RunState(
        run_id=spec["run_id"],
        namespace=spec["namespace"],
        name=spec["name"],
        phase=phase,
        reason=reason,
        message=message,
        work=work,
        sidecars=tuple(sidecars),
        supervisor=None if final else process(state["supervisor"]),
        ports=state["ports"],
        healthy=None if final else state["healthy"],
        healthy_since_ms=state["healthy_since_ms"],
        first_healthy_ms=state["first_healthy_ms"],
        claimed_ms=state["claimed_ms"],
        ended_ms=state["ended_ms"],
        end_ms=state["end_ms"],
        cpus=tuple(state["cpus"]),
        memory_bytes=state["memory_bytes"],
        confinement=confinement,
        takeovers=state["takeovers"],
        reboots=state["reboots"],
        clock_step_ms=state["clock_step_ms"],
        processes=processes,
    )


def unknown_run(run_id: str, processes: tuple[ProcessId, ...], message: str, phase: Phase) -> RunState:
    """A run of which only processes, or only a claim, is left."""
    return RunState(
        run_id=run_id,
        namespace="",
        name="",
        phase=phase,
        reason=EndReason.NEVER_STARTED if phase is Phase.LOST else None,
        message=message,
        work=CommandState(MAIN, None, 0, None, None),
        sidecars=(),
        supervisor=None,
        ports={},
        healthy=None,
        healthy_since_ms=None,
        first_healthy_ms=None,
        claimed_ms=None,
        ended_ms=None,
        end_ms=None,
        cpus=(),
        memory_bytes=None,
        confinement=None,
        processes=processes,
    )
