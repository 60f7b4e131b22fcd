"""Active: the run is watched, not driven. What the engine reports becomes conditions."""

import asyncio

from tenure.controllers.contract.commissioning import run_status
from tenure.controllers.contract.judging import Standing, as_status, judge_windows
from tenure.controllers.contract.marks import set_phase
from tenure.controllers.contract.readback import compare
from tenure.controllers.contract.run import spec_of_contract
from tenure.controllers.events import record
from tenure.controllers.kernel import Wait
from tenure.controllers.plane import Plane
from tenure.controllers.serving import ServingError
from tenure.controllers.status import condition
from tenure.engines import EngineFailure, Phase, RunNotFound
from tenure.promises import Verdict
from tenure.resources import Condition, Contract

LOOK_MS = 2_000
LOOK_MS_LEAST = 250


async def watch(plane: Plane, contract: Contract) -> Wait | None:
    """Look at the run; bring a lost one back where that is honest; end a contract whose work is done."""
    hold = contract.spec.hold
    try:
        state = await asyncio.to_thread(plane.engine.state, hold.id)
    except RunNotFound:
        return await _lost(plane, contract, "the engine knows no run of this contract")
    if state.phase is Phase.LOST:
        return await _resume(plane, contract, state.message)
    if state.phase is Phase.ENDED:
        reason = "EndedByTerm" if contract.spec.body.inference is None and state.work.last_exit else "Lost"
        said = condition("Ready", False, reason, state.message or f"the run ended: {state.reason}", plane.clock)
        await set_phase(plane, contract, "Ending", said, run=run_status(state), ended_because=reason)
        return Wait(1)
    facts = compare(
        await asyncio.to_thread(plane.engine.read_back, hold.id),
        hold.claims[0],
        await plane.topology(contract.spec.machine),
    )
    wrong = next((fact for fact in facts if not fact.agrees), None)
    run = run_status(state).model_copy(update={"read_back": facts})
    if wrong is not None:
        message = f"{wrong.what}: the contract holds {wrong.expected}, the kernel says {wrong.found}"
        said = condition("Ready", False, "ReadBackDiffers", message, plane.clock)
    else:
        said = condition("Ready", True, "Active", "signed and running", plane.clock)
    standing = await asyncio.to_thread(judge_windows, plane, contract)
    more: dict[str, object] = {}
    if standing is not None:
        more = as_status(standing)
        if wrong is None:
            said = _ready(plane, standing)
    await set_phase(plane, contract, "Active", said, run=run, **more)
    return Wait(max(1, min(_look_ms(contract), int(contract.spec.term.end) - plane.clock.now_ms())))


def _look_ms(contract: Contract) -> int:
    """Twice a window, so that a breach is seen within one."""
    windows = [promise.window.ms for promise in contract.spec.promises.statistical]
    return min([LOOK_MS, *(max(LOOK_MS_LEAST, ms // 2) for ms in windows)])


def _ready(plane: Plane, standing: Standing) -> Condition:
    """Ready needs a kept window that is not older than a window."""
    if standing.ready:
        return condition("Ready", True, "Kept", "the newest window was kept", plane.clock)
    newest = standing.newest[-1] if standing.newest else None
    if newest is None:
        return condition("Ready", None, "Unverifiable", "no window is over yet", plane.clock)
    text = f"{newest.promise}: {newest.reason}" + (f", {newest.detail}" if newest.detail else "")
    if newest.verdict is Verdict.BREACHED:
        return condition("Ready", False, "Breached", text, plane.clock)
    return condition("Ready", None, "Unverifiable", text, plane.clock)


async def _resume(plane: Plane, contract: Contract, why: str) -> Wait | None:
    """After a reboot the run is started anew on the same hold; that is said, not hidden."""
    try:
        await asyncio.to_thread(plane.engine.start, await spec_of_contract(plane, contract))
    except (EngineFailure, ServingError) as error:
        return await _lost(plane, contract, f"{why}; it could not be started again: {error}")
    await record(plane.client, contract, "RebootResumed", why, plane.clock, warning=True)
    return Wait(LOOK_MS)


async def _lost(plane: Plane, contract: Contract, why: str) -> Wait | None:
    said = condition("Ready", False, "Lost", why, plane.clock)
    updated = await set_phase(plane, contract, "Ending", said, ended_because="Lost")
    await record(plane.client, updated, "Lost", why, plane.clock, warning=True)
    return Wait(1)
