"""What happened to a contract's run, stated: verdicts on the windows around it rest on that.

A run that was lost is begun again only once it is stated; restarts by its supervisor, which asks nobody, are stated
when they are seen. So is that nobody watched for a while.
"""

import asyncio
from typing import Any

from tenure.controllers.contract.stating import newest_stated_ms, state
from tenure.controllers.events import record
from tenure.controllers.plane import Plane
from tenure.engines import EndReason, RunState
from tenure.engines.runstate import CommandState
from tenure.quantities import format_instant
from tenure.resources import Contract

NOTICE = "notice"
ADOPTED = "Adopted"


def resumption(run: RunState) -> str:
    """The reason under which a lost run is begun again."""
    return "RebootResumed" if run.reason is EndReason.REBOOT else "RunResumed"


async def state_resumption(plane: Plane, contract: Contract, run: RunState) -> None:
    """State that a lost run is begun again; once for each loss. Raises NotWrittenError: then it must not be."""
    lost = run.supervisor
    which = f"{lost.boot_id}/{lost.pid}/{lost.start_ticks}" if lost else f"{run.reboots}/{run.takeovers}/{run.ended_ms}"
    body = {"what": resumption(run), "run": run.run_id, "because": run.message, "reboots": run.reboots}
    await asyncio.to_thread(state, plane, contract, NOTICE, f"resumed/{which}", body)


async def state_restarts(plane: Plane, contract: Contract, run: RunState) -> None:
    """State what the run went through by itself since the last look: commands restarted, supervisors replaced.

    Raises NotWrittenError.
    """
    for command in (run.work, *run.sidecars):
        # A restart counts from when it is planned; until it is there, what started is the one that ended.
        if command.restarts and command.process is not None and command.started_ms is not None:
            key = f"restarted/{command.name}/{command.started_ms}"
            await asyncio.to_thread(state, plane, contract, NOTICE, key, _restarted(run, command, command.started_ms))
    if run.takeovers:
        body = {"what": "SupervisorReplaced", "run": run.run_id, "takeovers": run.takeovers}
        await asyncio.to_thread(state, plane, contract, NOTICE, f"supervised/{run.takeovers}", body)


async def state_adoption(plane: Plane, contract: Contract, run: RunState) -> None:
    """State, and say, that this control plane watches a run that went on without one; once for each start of one.

    Since when nobody had watched is by what the one before left: its newest statement of this contract, or what it
    wrote of its newest evidence. What this one has stated meanwhile says nothing of that. Raises NotWrittenError.
    """
    signature = contract.status.signature if contract.status else None
    began_ms = plane.began_ms
    if plane.simulated or contract.status is None or signature is None or int(signature.signed_at) >= began_ms:
        return
    known = [
        signature.signed_at,
        await asyncio.to_thread(newest_stated_ms, plane, contract, began_ms),
        contract.status.observed_at,
    ]
    # A clock that was set back since leaves some of a time to come.
    last = format_instant(max(int(at) for at in known if at is not None and int(at) < began_ms))
    began = format_instant(began_ms)
    body = {"what": ADOPTED, "run": run.run_id, "began": began, "lastWatched": last}
    await asyncio.to_thread(state, plane, contract, NOTICE, f"adopted/{began_ms}", body)
    message = f"its run went on; nobody watched it between {last} and {began}"
    await record(plane.client, contract, ADOPTED, message, plane.clock)


def _restarted(run: RunState, command: CommandState, started_ms: int) -> dict[str, Any]:
    last = command.last_exit
    ended = None if last is None else {"at": format_instant(last.at_ms), "code": last.code, "signal": last.signal}
    return {
        "what": "CommandRestarted",
        "run": run.run_id,
        "command": command.name,
        "restarts": command.restarts,
        "started": format_instant(started_ms),
        "ended": ended,
    }
