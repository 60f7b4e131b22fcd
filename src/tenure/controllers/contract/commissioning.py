"""Commissioning: started on the very allocation, read back from the kernel, measured, and only then signed.

If the kernel disagrees or the measurement contradicts the promise, the contract ends with its figures, unsigned, and
fresh offers follow.
"""

import asyncio
from collections.abc import Mapping

from tenure.controllers.contract.clearance import in_the_way
from tenure.controllers.contract.evidence import remember_commissioning
from tenure.controllers.contract.hard import hard_condition
from tenure.controllers.contract.judge import Kind, commissioning_plans, judge_commissioning
from tenure.controllers.contract.marks import set_phase
from tenure.controllers.contract.readback import NOBODY, compare
from tenure.controllers.contract.readiness import observed, ready_at_activation
from tenure.controllers.contract.reserve import reserve_after
from tenure.controllers.contract.run import endpoint_of, secret_name, spec_of_contract
from tenure.controllers.contract.signed import say_what_was_signed
from tenure.controllers.contract.stating import (
    activated_ms,
    checkpoint_of,
    commissioning_of,
    state_commissioning,
    state_terms,
)
from tenure.controllers.contract.succession import carry_work, predecessor_stands
from tenure.controllers.events import record
from tenure.controllers.kernel import Wait
from tenure.controllers.measuring import MeasurementFailedError, Windows
from tenure.controllers.plane import Plane
from tenure.controllers.serving import MissingReferenceError, ServingError
from tenure.controllers.status import condition
from tenure.controllers.trialling.watching import look_at, pace_ms
from tenure.engines import EndReason, EngineFailure, Phase, RunNotFound, RunState
from tenure.quantities import Instant
from tenure.resources import Contract
from tenure.resources.kinds.standing import Commissioning, RunStatus

LOOK_MS = 200
PREDECESSOR_LOOK_MS = 50
REFERENCE_LOOK_MS = 2_000
BY_ITSELF = (EndReason.COMPLETED, EndReason.FAILED, EndReason.RESTARTS_EXHAUSTED)
HEALTHY_MS_MAX = 30_000


async def commission(plane: Plane, contract: Contract) -> Wait | None:
    """One step of it: wait for the start of the term, start, read back, measure, judge, sign."""
    if await asyncio.to_thread(activated_ms, plane, contract) is not None:
        return await _go_on(plane, contract)
    before_start = int(contract.spec.hold.start) - plane.clock.now_ms()
    if before_start > 0:
        said = condition("Ready", False, "Scheduled", f"it starts at {contract.spec.term.start}", plane.clock)
        await set_phase(plane, contract, "Commissioning", said)
        return Wait(before_start)
    if measuring(plane, contract.uid):
        return await _watched(plane, contract)
    if await predecessor_stands(plane, contract):
        return Wait(PREDECESSOR_LOOK_MS)
    before = await in_the_way(plane, contract)
    if before is not None:
        who = f"trial {before.name}, whose time" if before.trial else f"contract {before.name}, whose term"
        what = f"{who} is over, still has its processes on the same capacity"
        said = condition("Ready", False, "WaitingForRelease", what, plane.clock)
        await set_phase(plane, contract, "Commissioning", said)
        return Wait(LOOK_MS)
    try:
        await carry_work(plane, contract)
    except OSError as error:
        return await _fail(plane, contract, "StartFailed", f"the work before it could not be carried over: {error}")
    try:
        state = await _started(plane, contract)
    except MissingReferenceError as error:
        said = condition("Ready", False, "ReferenceNotFound", str(error), plane.clock)
        await set_phase(plane, contract, "Commissioning", said)
        return Wait(REFERENCE_LOOK_MS)
    except (EngineFailure, ServingError) as error:
        return await _fail(plane, contract, "StartFailed", str(error))
    if state.final and contract.spec.body.inference is None and state.reason in BY_ITSELF:
        return await _activate(plane, contract, state, run_status(state), None)  # quicker than we looked
    if state.reason is EndReason.TERM_OVER:  # its supervisor looked at the clock after us
        return await _fail(plane, contract, "EndedByTerm", "its term was over before it was signed")
    if state.final:
        return await _fail(plane, contract, "StartFailed", state.message or f"the run ended: {state.reason}")
    if state.healthy is False or (_serves(plane, contract) and not state.healthy):
        return await _wait_healthy(plane, contract, state)
    facts = compare(
        await asyncio.to_thread(plane.engine.read_back, contract.spec.hold.id),
        contract.spec.hold.claims[0],
        await plane.topology(contract.spec.machine),
    )
    run = run_status(state).model_copy(update={"read_back": facts})
    if any(fact.found == NOBODY for fact in facts):
        return Wait(LOOK_MS)  # it ended while it was read; the next look says how
    if not all(fact.agrees for fact in facts):
        wrong = next(fact for fact in facts if not fact.agrees)
        message = f"{wrong.what}: the contract holds {wrong.expected}, the kernel says {wrong.found} ({wrong.source})"
        return await _fail(plane, contract, "ReadBackDiffers", message, run=run)
    if not contract.spec.promises.statistical:
        return await _activate(plane, contract, state, run, None)
    return await _measure(plane, contract, state, run)


async def _go_on(plane: Plane, contract: Contract) -> Wait | None:
    """Signed before a crash, or before something failed: every window since then is owed a verdict, and its run is in
    service. Watching judges it, begins it again or loses it; an end from here would be that of a contract that never
    came to be, and measuring anew would add its load to what is promised."""
    try:
        state = await asyncio.to_thread(plane.engine.state, contract.spec.hold.id)
    except RunNotFound:
        await say_what_was_signed(plane, contract, "Active")
        return Wait(1)
    if state.phase is Phase.UNREADABLE:  # where it answers is not known either, and it may be readable again
        await asyncio.to_thread(plane.engine.adopt)
        said = condition("Ready", None, "RunUnreadable", state.message, plane.clock)
        await set_phase(plane, contract, "Commissioning", said)
        return Wait(LOOK_MS)
    measured = await asyncio.to_thread(commissioning_of, plane, contract)
    return await _activate(plane, contract, state, run_status(state), measured)


async def _started(plane: Plane, contract: Contract) -> RunState:
    """Its run, started once. From then on what was recorded is what runs: a Secret may be rotated, or a catalog edited,
    before it is signed."""
    try:
        return await asyncio.to_thread(plane.engine.resume, contract.spec.hold.id)
    except RunNotFound:
        return await asyncio.to_thread(plane.engine.start, await spec_of_contract(plane, contract))


async def _wait_healthy(plane: Plane, contract: Contract, state: RunState) -> Wait | None:
    waited = plane.clock.now_ms() - (state.claimed_ms or plane.clock.now_ms())
    if waited > HEALTHY_MS_MAX:
        return await _fail(plane, contract, "StartFailed", f"not healthy after {HEALTHY_MS_MAX // 1000} s")
    said = condition("Ready", False, "Commissioning", "the model is being loaded", plane.clock)
    await set_phase(plane, contract, "Commissioning", said, run=run_status(state))
    return Wait(LOOK_MS)


async def _measure(plane: Plane, contract: Contract, state: RunState, run: RunStatus) -> Wait | None:
    endpoint = await endpoint_of(plane, contract, state)
    plans = commissioning_plans(contract.spec.promises, contract.spec.shape)
    for number, (kind, plan) in enumerate(plans.items()):
        key = job_key(kind, contract.uid)
        first = key not in plane.measurements.jobs
        job = plane.measurements.start(key, endpoint, plan, plane.clock.now_ms())
        if first and number == 0:
            said = condition("Ready", False, "Commissioning", "measured on its own allocation", plane.clock)
            begun = Commissioning(started_at=Instant(plane.clock.now_ms()))
            await set_phase(plane, contract, "Commissioning", said, run=run, commissioning=begun)
        if not job.done:
            return await _watched(plane, contract)
    try:
        found = {kind: plane.measurements.take(job_key(kind, contract.uid)) for kind in plans}
    except MeasurementFailedError as error:
        drop_measurements(plane, contract.uid)
        return await _fail(plane, contract, "CommissioningFailed", str(error), run=run)
    return await _judge(plane, contract, state, run, found)


def job_key(kind: Kind, uid: str) -> str:
    """Names a commissioning's measurement among those in flight."""
    return f"commission/{uid}/{kind}"


def measuring(plane: Plane, uid: str) -> bool:
    """Whether a measurement is under way. Then it is looked at as in service, and nothing else is done about it."""
    jobs = [plane.measurements.jobs.get(job_key(kind, uid)) for kind in Kind]
    return any(job is not None and not job.done for job in jobs)


async def _watched(plane: Plane, contract: Contract) -> Wait:
    """What is measured is watched as it will be in service and as its trial was: no more, which no trial had to bear,
    and no less, which would call good what is not kept afterwards."""
    await asyncio.to_thread(look_at, plane, contract.spec.hold.id)
    return Wait(pace_ms(promise.window.ms for promise in contract.spec.promises.statistical))


def drop_measurements(plane: Plane, uid: str) -> None:
    """Nobody waits for what is being measured any more."""
    for kind in Kind:
        plane.measurements.drop(job_key(kind, uid))


async def _judge(
    plane: Plane, contract: Contract, state: RunState, run: RunStatus, found: Mapping[Kind, Windows]
) -> Wait | None:
    figures = judge_commissioning(contract.spec.promises, found)
    holds = bool(figures) and all(figure.holds for figure in figures)
    began = contract.status.commissioning if contract.status else None
    now = Instant(plane.clock.now_ms())
    measured = Commissioning(
        started_at=began.started_at if began else now, finished_at=now, holds=holds, figures=figures
    )
    if not holds:
        missed = next((figure for figure in figures if not figure.holds), None)
        message = (
            f"{'.'.join(filter(None, (missed.metric, missed.percentile)))}: {missed.windows_within} of "
            f"{missed.windows} windows within {missed.promised or missed.promised_floor or missed.promised_answered}"
            if missed
            else "no window had a request"
        )
        await asyncio.to_thread(state_commissioning, plane, contract, measured)
        return await _fail(plane, contract, "CommissioningFailed", message, run=run, commissioning=measured)
    if Kind.UNDER_LOAD in found:
        await remember_commissioning(plane, contract, found[Kind.UNDER_LOAD])
    return await _activate(plane, contract, state, run, measured)


async def _activate(
    plane: Plane, contract: Contract, state: RunState, run: RunStatus, measured: Commissioning | None
) -> Wait | None:
    """Sign, then say Active. What is not signed is not Active."""
    if measured is not None:
        await asyncio.to_thread(state_commissioning, plane, contract, measured)
    await asyncio.to_thread(state_terms, plane, contract)
    checkpoint = await asyncio.to_thread(checkpoint_of, plane, contract)
    signature = await asyncio.to_thread(state_terms, plane, contract)  # the same, with the instant of the checkpoint
    endpoint = await endpoint_of(plane, contract, state) if _serves(plane, contract) else None
    message, finished = active_message(plane), measured.finished_at if measured else None
    evidence_ms: int | None = None
    if plane.simulated:
        ready = condition("Ready", True, "Active", message, plane.clock)
    else:
        facts = run.read_back
        ready, evidence_ms = ready_at_activation(contract, finished, state.phase, facts, message, plane.clock)
    more: dict[str, object] = {"commissioning": measured} if measured else {}
    more |= observed(contract, ready, evidence_ms, plane.began_ms)
    if contract.spec.hold.reserve:
        more["reserve"] = reserve_after(contract, [])
    hard = await hard_condition(plane, contract, run.read_back)
    if not contract.spec.promises.statistical and hard.status == "True":
        more["verdict"] = "Kept"  # hard promises alone, and all of them were read back just now
    updated = await set_phase(
        plane,
        contract,
        "Active",
        ready,
        hard,
        run=run,
        signature=signature,
        checkpoint=checkpoint,
        endpoint=endpoint.base_url if endpoint else None,
        credential=secret_name(contract) if endpoint else None,
        **more,
    )
    await record(plane.client, updated, "Active", f"signed with key {signature.key_id[:12]}", plane.clock)
    return Wait(1)


def _serves(plane: Plane, contract: Contract) -> bool:
    """Whether there is an endpoint: never where nothing runs."""
    return contract.spec.body.inference is not None and not plane.simulated


def active_message(plane: Plane) -> str:
    """What Active means here."""
    return "signed; simulated: reserved, nothing runs, nothing is measured" if plane.simulated else "signed and running"


async def _fail(plane: Plane, contract: Contract, reason: str, message: str, **more: object) -> Wait | None:
    """End it with its figures; the hold is released once the run is gone."""
    said = condition("Ready", False, reason, message, plane.clock)
    updated = await set_phase(plane, contract, "Ending", said, ended_because=reason, **more)
    await record(plane.client, updated, reason, message, plane.clock, warning=True)
    return Wait(1)


def run_status(state: RunState) -> RunStatus:
    """The engine's state in the contract's words."""
    return RunStatus(
        id=state.run_id,
        pid=state.work.process.pid if state.work.process else None,
        started_at=Instant(state.work.started_ms) if state.work.started_ms else None,
        state=str(state.phase),
        mechanism=state.confinement.mechanism if state.confinement else None,
        restarts=state.work.restarts,
    )
