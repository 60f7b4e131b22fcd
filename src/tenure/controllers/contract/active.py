"""Active: the run is watched, not driven. What engine, kernel and windows say becomes conditions and remedies."""

import asyncio
from collections.abc import Mapping, Sequence

from tenure.client import Conflict, NotFound, Unreachable
from tenure.controllers.contract.causing import state_causes, with_causes
from tenure.controllers.contract.commissioning import active_message, run_status
from tenure.controllers.contract.credit import credit_of, state_credit
from tenure.controllers.contract.deadline import completion_condition, counts_of
from tenure.controllers.contract.ending import end
from tenure.controllers.contract.happenings import (
    resumption,
    state_adoption,
    state_restarts,
    state_resumption,
)
from tenure.controllers.contract.hard import hard_condition, hard_of_status, overall
from tenure.controllers.contract.judging import NOTHING_JUDGED, Standing, as_status, judge_windows, windows_shown
from tenure.controllers.contract.marks import set_phase
from tenure.controllers.contract.notice import give_notice, until_next
from tenure.controllers.contract.progress import AT_RISK, ProgressBook
from tenure.controllers.contract.readback import NOBODY, compare, seen
from tenure.controllers.contract.readiness import UNSEEN, observed, ready_condition, ready_when_read, window_ms
from tenure.controllers.contract.reserve import claim_now, reserve_after
from tenure.controllers.events import record
from tenure.controllers.kernel import Wait
from tenure.controllers.plane import Plane
from tenure.controllers.probing import LOOK_MS, look_ms
from tenure.controllers.remedies.reading import judged_by_reading
from tenure.controllers.remedies.taking import WAITING, act, begin, conclude, give_back, judged, kept_of
from tenure.controllers.remedies.unwritten import as_stated, undo_unwritten
from tenure.controllers.remedies.watching import Looks
from tenure.controllers.status import condition
from tenure.engines import (
    EndReason,
    EngineFailure,
    EngineUnreachable,
    Phase,
    RunNotFound,
    RunNotRecorded,
    RunState,
    RunUnreadable,
)
from tenure.evidence import NotWrittenError
from tenure.promises import Verdict
from tenure.resources import Contract, Offer, condition_of
from tenure.resources.kinds.standing import ReadBackFact, RemedyStep


async def watch(plane: Plane, looks: Looks, book: ProgressBook, contract: Contract) -> Wait | None:
    """Look at the run; bring a lost one back where that is honest; end a contract whose work is done."""
    hold = contract.spec.hold
    seen_ms = plane.clock.now_ms()  # before it is looked at: what ends after this was still running then
    try:
        state = await asyncio.to_thread(plane.engine.state, hold.id)
    except RunNotFound:
        return await _lost(plane, contract, "the engine knows no run of this contract")
    if state.phase in (Phase.UNSUPERVISED, Phase.UNREADABLE):
        await asyncio.to_thread(plane.engine.adopt)
    if state.phase is Phase.UNREADABLE:
        return await _cannot_say(plane, contract, "RunUnreadable", state.message)
    if state.phase is Phase.LOST:
        looks.met.add(contract.uid)  # it did not go on: what is begun again from here on is no adoption
        return await _resume(plane, contract, state)
    if state.phase is Phase.ENDED:
        reason = why_ended(contract, state)
        if reason == "Completed":
            contract = await follow_progress(plane, book, contract, state)
        contract = await set_phase(plane, contract, "Active", run=run_status(state))
        return await end(plane, contract, reason, state.message or f"the run ended: {state.reason}")
    try:
        if contract.uid not in looks.met:
            await state_adoption(plane, contract, state)
            looks.met.add(contract.uid)
        await state_restarts(plane, contract, state)
    except NotWrittenError as error:
        return await _cannot_say(plane, contract, "Unverifiable", f"evidence cannot be written: {error}")
    read = await asyncio.to_thread(plane.engine.read_back, hold.id)
    facts = compare(read, claim_now(contract), await plane.topology(contract.spec.machine))
    if any(fact.found == NOBODY for fact in facts):
        facts = []  # the work has just ended, or is about to be started again: there is nobody to read
    await _say(plane, looks, contract, state, facts, seen_ms)
    await follow_progress(plane, book, contract, state)
    await give_notice(plane, contract)
    return Wait(max(1, min(_pace_ms(contract), until_next(contract, plane.clock.now_ms()))))


async def follow_progress(plane: Plane, book: ProgressBook, contract: Contract, state: RunState) -> Contract:
    """Write down how far the work is; news of a deadline at risk is an event."""
    progress, said = await book.look(plane, contract, state)
    if progress is None and said is None:
        return contract
    before = condition_of(contract.status.conditions, AT_RISK) if contract.status else None
    more = {"progress": progress} if progress is not None else {}
    updated = await set_phase(plane, contract, "Active", *([said] if said else []), **more)
    # A forecast wavers about its deadline; the condition follows it, and news is only that it came to be at risk.
    if said is not None and said.status == "True" and (before is None or before.status != "True"):
        await record(plane.client, updated, said.reason, said.message, plane.clock, warning=True)
    return updated


ENDED: Mapping[EndReason | None, str] = {
    EndReason.COMPLETED: "Completed",
    EndReason.FAILED: "WorkFailed",
    EndReason.RESTARTS_EXHAUSTED: "WorkFailed",
}


def why_ended(contract: Contract, state: RunState) -> str:
    """Why a run that is over is over: its term, or the work itself; a server that stops serving is lost."""
    if state.reason is EndReason.TERM_OVER:
        return "EndedByTerm"
    return ENDED.get(state.reason, "Lost") if contract.spec.body.inference is None else "Lost"


def _pace_ms(contract: Contract) -> int:
    return look_ms(promise.window.ms for promise in contract.spec.promises.statistical)


async def _say(
    plane: Plane, looks: Looks, contract: Contract, state: RunState, facts: Sequence[ReadBackFact], seen_ms: int
) -> None:
    """Judge what is due, remedy what is broken, and write both down."""
    run = run_status(state).model_copy(update={"read_back": list(facts)})
    read, facts = facts, seen(facts)
    wrong = next((fact for fact in facts if not fact.agrees), None)
    more: dict[str, object] = {}
    evidence_ms: int | None = None
    try:
        standing = await asyncio.to_thread(judge_windows, plane, contract)
        hard = await hard_condition(plane, contract, read)
        done = await completion_condition(plane, contract, state, seen_ms)
        in_time = [done] if done is not None else []
        broken = Verdict.BREACHED if hard.status == "False" else Verdict.KEPT
        accounts = standing.accounts if standing is not None else ()
        due = credit_of(contract.spec.price, accounts, broken, counts_of(in_time))
        more = {"credit": await state_credit(plane, contract, due)}
        if standing is not None:
            more |= as_status(standing)
            steps = await _remedy(plane, looks, contract, state, facts, standing)
            more |= {"remedies": steps, "reserve": reserve_after(contract, steps)}
            causes = await state_causes(plane, looks, contract, standing)
            more["windows"] = await with_causes(plane, contract, windows_shown(standing), causes)
            said, evidence_ms = ready_condition(standing, plane.clock), standing.evidence_ms
        elif done is not None and done.status == "False":
            said = condition("Ready", False, "Breached", done.message, plane.clock)
        elif plane.simulated:
            said = condition("Ready", True, "Active", active_message(plane), plane.clock)
        else:
            said = ready_when_read(contract, state.phase, facts, active_message(plane), plane.clock)
            evidence_ms = plane.clock.now_ms() if facts else None
            if wrong is not None or (contract.status and contract.status.remedies):
                more["remedies"] = await _remedy(plane, looks, contract, state, facts, NOTHING_JUDGED)
        contract = await set_phase(plane, contract, "Active", hard, *in_time)
        verdicts = [*(account.verdict for _, account in accounts), *counts_of(in_time)]
        # What was read once and cannot be read now is not vouched for meanwhile; what was broken stays broken.
        unseen = [Verdict.UNVERIFIABLE] if said.reason in UNSEEN else []
        more["verdict"] = str(overall([*verdicts, *unseen], hard_of_status(contract)))
    except NotWrittenError as error:
        said = condition("Ready", None, "Unverifiable", f"evidence cannot be written: {error}", plane.clock)
        more = {"verdict": "Unverifiable"}
    except (Conflict, NotFound, Unreachable):
        raise  # the ordinary course of compare-and-swap, or a host that restarts: nothing is wrong with the evidence
    except Exception as error:
        why = f"it could not be judged: {error or type(error).__name__}"
        said = condition("Ready", None, "Unverifiable", why, plane.clock)
        await set_phase(plane, contract, "Active", said, verdict="Unverifiable")
        raise
    if wrong is not None:
        message = f"{wrong.what}: the contract holds {wrong.expected}, the kernel says {wrong.found}"
        said = condition("Ready", False, "ReadBackDiffers", message, plane.clock)
    more |= observed(contract, said, evidence_ms, plane.began_ms)
    await set_phase(plane, contract, "Active", said, run=run, **more)
    if "remedies" in more:
        looks.told.add(contract.uid)


async def _remedy(
    plane: Plane,
    looks: Looks,
    contract: Contract,
    state: RunState,
    facts: Sequence[ReadBackFact],
    standing: Standing,
) -> list[RemedyStep]:
    """Judge the step in progress; take the next where the budget burns or the kernel disagrees."""
    before = contract.status.remedies if contract.status else []
    if contract.uid not in looks.told:  # a control plane that died, or a status that could not be written
        await undo_unwritten(plane, contract, before)
        shown, before = before, await asyncio.to_thread(as_stated, plane, contract, before)
        await give_back(plane, contract, shown, before)
    looks.told.discard(contract.uid)  # until what is stated from here on is in the status too
    situation = await looks.situation(plane, contract, state, facts, standing)
    steps = judged(before, standing, plane.clock.now_ms(), await _replacing(plane, contract, before))
    if standing is NOTHING_JUDGED:
        steps = judged_by_reading(steps, facts, plane.clock.now_ms())
    await conclude(plane, contract, before, steps)
    begun = next((step for step in steps if step.outcome == "InProgress" and not step.did), None)
    if begun is not None:
        done = await act(plane, contract, situation, begun)  # begun before a crash
        steps = [done if step is begun else step for step in steps]
    elif standing.remedy_due or situation.differing or situation.healthy is False:
        step = await begin(plane, contract, situation, steps, window_ms(contract))
        if step is not None:
            begun_with = kept_of([*steps, step])
            reserve = reserve_after(contract, begun_with)
            contract = await set_phase(plane, contract, "Active", remedies=begun_with, reserve=reserve)
            steps = [*steps, await act(plane, contract, situation, step)]
    return kept_of(steps)


async def _replacing(plane: Plane, contract: Contract, steps: Sequence[RemedyStep]) -> list[Offer]:
    """The offers that would take its place; looked for only while a step waits for one."""
    if not any(step.outcome == "InProgress" and step.rung in WAITING for step in steps):
        return []
    label = f"tenure.dev/workload={contract.spec.workload.name}"
    found = await plane.client.list(Offer, namespace=contract.namespace, label_selector=label)
    return [offer for offer in found.items if offer.spec.replaces == contract.name]


async def _resume(plane: Plane, contract: Contract, state: RunState) -> Wait | None:
    """A run that was lost is started anew on the same hold, from its own record: what it would be asked today may
    differ. That, and whether it was a reboot, is stated first and said, not hidden."""
    why = state.message
    try:
        await state_resumption(plane, contract, state)
    except NotWrittenError as error:
        return await _cannot_say(plane, contract, "Unverifiable", f"{why}; not started again: {error}")
    try:
        await asyncio.to_thread(plane.engine.resume, contract.spec.hold.id)
    except (EngineUnreachable, RunNotRecorded, RunUnreadable) as error:
        return await _cannot_say(plane, contract, error.code, f"{why}; it could not be started again yet: {error}")
    except EngineFailure as error:
        return await _lost(plane, contract, f"{why}; it could not be started again: {error}")
    await record(
        plane.client,
        contract,
        resumption(state),
        why,
        plane.clock,
        warning=True,
    )
    return Wait(LOOK_MS)


async def _cannot_say(plane: Plane, contract: Contract, reason: str, why: str) -> Wait:
    """Its run is not known to be gone, and nothing can be said of it now."""
    said = condition("Ready", None, reason, why, plane.clock)
    await set_phase(plane, contract, "Active", said, verdict="Unverifiable")
    return Wait(LOOK_MS)


async def _lost(plane: Plane, contract: Contract, why: str) -> Wait | None:
    said = condition("Ready", False, "Lost", why, plane.clock)
    updated = await set_phase(plane, contract, "Ending", said, ended_because="Lost")
    await record(plane.client, updated, "Lost", why, plane.clock, warning=True)
    return Wait(1)
