"""The end: processes first, capacity after. The hold is released only once nothing of the run is left."""

import asyncio
from contextlib import suppress

from tenure.client import NotFound
from tenure.controllers.contract.causing import with_causes
from tenure.controllers.contract.commissioning import BY_ITSELF, drop_measurements
from tenure.controllers.contract.credit import COUNTED_BY, credit_of, state_credit
from tenure.controllers.contract.deadline import completion_condition, counts_of
from tenure.controllers.contract.hard import hard_at_end, overall
from tenure.controllers.contract.judging import as_status, judge_windows, windows_shown
from tenure.controllers.contract.marks import set_phase
from tenure.controllers.contract.retention import mark_ended
from tenure.controllers.contract.run import KEYS_FOLDER
from tenure.controllers.contract.signed import say_what_was_signed
from tenure.controllers.contract.stating import state, stated
from tenure.controllers.events import record
from tenure.controllers.kernel import Wait
from tenure.controllers.plane import Plane
from tenure.controllers.remedies.taking import at_the_end, conclude
from tenure.controllers.remedies.unwritten import as_stated, undo_unwritten
from tenure.controllers.serving import STOP_GRACE_MS
from tenure.controllers.status import condition, update_status
from tenure.engines import RunNotFound, RunNotRecorded, RunState, RunUnreadable, StopFailed
from tenure.ledger import release
from tenure.ledger.collect import discard
from tenure.measurement import part_windows
from tenure.quantities import format_instant, parse_instant
from tenure.resources import Condition, Contract, Workload
from tenure.resources.kinds.workload import WorkloadStatus

NEVER_COMMITTED_MS = 5_000
STOP_AGAIN_MS = 1_000
EARLY_GRACE_MS = 10_000
PASSES_MAX = 200
_HELD_BY = {
    RunNotRecorded.code: "its end cannot be recorded",
    RunUnreadable.code: "its record cannot be read",
    StopFailed.code: "processes are still there",
}
BY_ITS_USER = ("EndedByUser", "EndedByDeletion")


def why_over(contract: Contract, now_ms: int) -> str | None:
    """The reason for which it ends now: its term, or its deletion; None while it goes on."""
    if contract.metadata.deletion_timestamp is not None:
        return "EndedByDeletion"
    if now_ms >= int(contract.spec.term.end):
        return "EndedByTerm"
    return None


async def was_done_before(plane: Plane, contract: Contract) -> bool:
    """Whether its work had ended by itself before its term did, while nobody was there to see it."""
    with suppress(RunNotFound):
        state = await asyncio.to_thread(plane.engine.state, contract.spec.hold.id)
        return state.reason in BY_ITSELF
    return False


async def end(
    plane: Plane, contract: Contract, because: str | None, message: str = "the run is being stopped"
) -> Wait | None:
    """Stop the run, see that it is gone, release the hold. Each step can be repeated."""
    status = contract.status
    begun = status is not None and status.phase == "Ending"
    # Why it began to end is why it ends, whatever has become true since.
    reason = (status.ended_because if status and begun else None) or because or "EndedByUser"
    body = {"because": reason, "at": format_instant(plane.clock.now_ms())}
    await asyncio.to_thread(state, plane, contract, "ending", "ending", body)
    told = await asyncio.to_thread(stated, plane, contract, "ending", "ending")
    reason = str(told.body["because"]) if told is not None else reason  # stated before a crash, it stands
    if reason in BY_ITS_USER:
        await _tell_the_workload(plane, contract)
    if status is None or not begun or status.ended_because != reason:
        waiting = condition("Ready", False, reason, message, plane.clock)
        contract = await set_phase(plane, contract, "Ending", waiting, ended_because=reason)
        await record(plane.client, contract, reason, message, plane.clock)
    drop_measurements(plane, contract.uid)
    try:
        await asyncio.to_thread(plane.engine.stop, contract.spec.hold.id, grace_ms(contract, plane.clock.now_ms()))
    except RunNotFound:
        pass  # it was never started, or is long gone
    except (RunNotRecorded, RunUnreadable, StopFailed) as error:
        said = condition("Released", False, "WaitingForRelease", f"{_HELD_BY[error.code]}: {error}", plane.clock)
        await set_phase(plane, contract, "Ending", said)
        return Wait(STOP_AGAIN_MS)
    contract = await say_what_was_signed(plane, contract)
    judged = await _judge_the_rest(plane, contract)
    if judged is None:
        return Wait(1)
    contract = judged
    await _settle(plane, contract, reason)
    uid = contract.uid
    await plane.allocator.decide(
        lambda view, fleet, now_ms: release(  # noqa: ARG005 - the shape of a decision
            [r for r in view.live() if r.uid == uid], "Ended", reason
        )
    )
    return Wait(1)


def grace_ms(contract: Contract, now_ms: int) -> int | None:
    """How long its work may take to end: a command that is stopped early may still write a checkpoint. At the end of
    its term, and for a server, it is what its engine was told."""
    if contract.spec.body.inference is not None:
        return None
    return min(EARLY_GRACE_MS, max(0, int(contract.spec.term.end) - now_ms) + STOP_GRACE_MS)


async def _judge_the_rest(plane: Plane, contract: Contract) -> Contract | None:
    """Every window up to the end is judged before it is over: also those that passed while nobody was there. None
    where that is too much for one look."""
    if plane.simulated or contract.status is None:
        return contract
    until_ms = await _ended_ms(plane, contract)
    because = contract.status.ended_because
    said = await _judge_deadline(plane, contract, until_ms)
    in_time = [said] if said is not None else []
    completion = counts_of(in_time)
    for _ in range(PASSES_MAX):
        standing = await asyncio.to_thread(judge_windows, plane, contract, until_ms)
        if standing is None:
            if contract.status.signature is None:
                return contract  # it never came to be: nothing was promised
            hard = overall([], await hard_at_end(plane, contract), because)
            credit = await state_credit(plane, contract, credit_of(contract.spec.price, [], hard, completion))
            verdict = str(overall(completion, hard))
            return await set_phase(plane, contract, "Ending", *in_time, verdict=verdict, credit=credit)
        if not standing.fresh:
            hard = await hard_at_end(plane, contract)
            fallen = overall([], hard, because)  # an end before the term, by its provider, breaks a hard promise too
            due = credit_of(contract.spec.price, standing.accounts, fallen, completion)
            credit = await state_credit(plane, contract, due)
            statistical = [*(account.verdict for _, account in standing.accounts), *completion]
            more = as_status(standing) | {"verdict": str(overall(statistical, hard, because))}
            more["windows"] = await with_causes(plane, contract, windows_shown(standing), {})
            return await set_phase(plane, contract, "Ending", *in_time, **more, credit=credit)
    return None


async def _judge_deadline(plane: Plane, contract: Contract, until_ms: int) -> Condition | None:
    """Whether its work was done in time, as its supervisor recorded it before it forgets."""
    run: RunState | None = None
    with suppress(RunNotFound):
        run = await asyncio.to_thread(plane.engine.state, contract.spec.hold.id)
    because = contract.status.ended_because if contract.status else None
    return await completion_condition(plane, contract, run, until_ms, because or "EndedByTerm")


async def _ended_ms(plane: Plane, contract: Contract) -> int:
    """When it ended (Unix ms): as stated, and never after its term."""
    ending = await asyncio.to_thread(stated, plane, contract, "ending", "ending")
    at_ms = parse_instant(str(ending.body["at"])) if ending else plane.clock.now_ms()
    return min(int(contract.spec.term.end), at_ms)


def _not_counted(contract: Contract, ended_ms: int) -> list[dict[str, str]]:
    """The parts of its life that no verdict speaks of: windows are aligned to the clock, and only whole ones count."""
    signature = contract.status.signature if contract.status else None
    statistical = contract.spec.promises.statistical
    if signature is None or not statistical:
        return []
    parts = part_windows(int(signature.signed_at), ended_ms, statistical[0].window.ms)
    return [
        {"start": format_instant(part.start_ms), "end": format_instant(part.end_ms), "because": "NoWholeWindow"}
        for part in parts
    ]


async def _settle(plane: Plane, contract: Contract, reason: str) -> None:
    """State what the contract came to, once every window is judged: attainment, and the credit that is due."""
    if contract.status is None:
        return
    await undo_unwritten(plane, contract, contract.status.remedies)
    before = await asyncio.to_thread(as_stated, plane, contract, contract.status.remedies)
    steps = at_the_end(before, reason, plane.clock.now_ms())
    await conclude(plane, contract, before, steps)
    contract = await set_phase(plane, contract, "Ending", remedies=steps)
    assert contract.status is not None, "it was written just now"
    credit = contract.status.credit
    body = {
        "because": reason,
        "stage": "settled",
        "credit": credit.to_json() if credit is not None else None,
        "accounting": [account.to_json() for account in contract.status.accounting],
        "notCounted": _not_counted(contract, await _ended_ms(plane, contract)),
    }
    if contract.status.signature is not None and not plane.simulated:
        body["countedBy"] = COUNTED_BY  # of others nothing was judged, so that nothing follows from verdicts
    await asyncio.to_thread(state, plane, contract, "ending", "settled", body)


async def _tell_the_workload(plane: Plane, contract: Contract) -> None:
    """Its user ended it, so the need that it answered is not answered again until it is edited."""
    need = contract.spec.workload
    try:
        workload = await plane.client.get(Workload, need.name, namespace=contract.namespace)
    except NotFound:
        return
    if workload.uid == need.uid:
        await update_status(
            plane.client,
            workload,
            lambda status: status.model_copy(update={"ended": need.need}),
            WorkloadStatus(),
        )


async def clean(plane: Plane, contract: Contract) -> None:
    """What an ended contract leaves: its run's record is forgotten, its logs and journal stay with the evidence."""
    with suppress(RunNotFound):
        state = await asyncio.to_thread(plane.engine.state, contract.spec.hold.id)
        if not state.final:
            await asyncio.to_thread(plane.engine.stop, contract.spec.hold.id)
    await mark_ended(plane, contract)
    plane.periods.forget(contract.uid)
    (plane.home / KEYS_FOLDER / f"{contract.uid}.json").unlink(missing_ok=True)
    released = condition("Ready", False, "Ended", "", plane.clock)
    with suppress(NotFound):
        await set_phase(plane, contract, "Ended", released)


async def when_never_committed(plane: Plane, contract: Contract) -> Wait | None:
    """A Proposed contract: its mark is late, or it was never committed. The ledger knows; then it goes.

    Another allocator may be about to commit it: it is given the time for that, then it has to propose anew.
    """
    memory = await plane.allocator.look()
    planned = contract.spec.planned_generation
    age_ms = plane.clock.now_ms() - int(contract.metadata.creation_timestamp or 0)
    left = contract.metadata.deletion_timestamp is not None or age_ms >= NEVER_COMMITTED_MS
    if contract.uid not in memory.view.records and left:
        memory = await plane.allocator.settle(planned)
    if contract.uid not in memory.view.records and planned < memory.generation:
        await discard(plane.client, contract)
    return Wait(NEVER_COMMITTED_MS)
