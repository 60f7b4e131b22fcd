"""A promised completion over a contract's life: judged once, by what the supervisor recorded; stated, then said."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenure.controllers.contract.stating import state as put
from tenure.controllers.contract.stating import stated
from tenure.controllers.events import record
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition
from tenure.engines import EndReason, RunState
from tenure.evidence import Statement
from tenure.promises import DeadlineReason, Verdict, Work, WorkSeen, judge_deadline
from tenure.quantities import format_instant, parse_instant
from tenure.resources import Condition, Contract, condition_of

COMPLETED_IN_TIME = "CompletedInTime"
PREDICATE, KEY = "completion", "deadline"
WITHDRAWN = ("EndedByUser", "EndedByDeletion", "Renegotiated")
"""Ends by the work's own user: what was not due by then is owed no more."""
RECORDED_MS_MAX = 2_000
"""A supervisor records an end at once; on a busy machine that may take so long."""
_BY_ITSELF: Mapping[EndReason | None, Work] = {
    EndReason.COMPLETED: Work.COMPLETED,
    EndReason.FAILED: Work.FAILED,
    EndReason.RESTARTS_EXHAUSTED: Work.FAILED,
}
_UNRECORDED = (EndReason.RECORD_DAMAGED, EndReason.NEVER_STARTED)
"""What is left of a run whose record, or what it was to run, could not be read: as much as is known of one that is
gone. A contract is signed over a run that was started."""
_TRUE = {Verdict.KEPT: True, Verdict.BREACHED: False, Verdict.UNVERIFIABLE: None}


def seen_of(state: RunState | None, seen_ms: int, because: str | None = None) -> WorkSeen:
    """The work as its supervisor has it. `because` is why its contract ends, None while it goes on. Pure."""
    if state is not None and state.reason in _UNRECORDED:
        state = None
    own = _BY_ITSELF.get(state.reason) if state is not None else None
    if state is not None and own is not None:
        last = state.work.last_exit
        if last is not None and not last.known:
            # A second supervisor had taken it over, whose child it was not: it is over, and nobody saw how.
            return WorkSeen(Work.UNKNOWN, seen_ms)
        # Its own end: what it left behind may have taken longer to go.
        return WorkSeen(own, seen_ms, last.at_ms if last is not None else state.ended_ms)
    if state is None and because is not None and because not in WITHDRAWN:
        return WorkSeen(Work.UNKNOWN, seen_ms)
    if because is None:
        return WorkSeen(Work.RUNNING, seen_ms)
    return WorkSeen(Work.WITHDRAWN if because in WITHDRAWN else Work.BROKEN_OFF, seen_ms)


async def completion_condition(
    plane: Plane, contract: Contract, state: RunState | None, seen_ms: int, because: str | None = None
) -> Condition | None:
    """Whether it was done in time; None where that is not promised or not settled yet.

    Raises NotWrittenError: what cannot be stated is not said.
    """
    by = contract.spec.promises.complete_by
    if by is None or plane.simulated or contract.status is None or contract.status.signature is None:
        return None
    told = await asyncio.to_thread(stated, plane, contract, PREDICATE, KEY)
    if told is None:
        seen = seen_of(state, seen_ms, because)
        if seen.how is Work.RUNNING and seen_ms <= int(by) + RECORDED_MS_MAX:
            return None  # it may have ended in time, and its supervisor be about to write that down
        body = completion_body(int(by), seen)
        if body is None:
            return None
        await asyncio.to_thread(put, plane, contract, PREDICATE, KEY, body)
        told_body: Mapping[str, Any] = body
    else:
        told_body = told.body  # said before a crash, or before the work went on: it stands
    said = _condition(plane, told_body)
    before = condition_of(contract.status.conditions, COMPLETED_IN_TIME)
    if before is None and said.reason != DeadlineReason.CUT_BY_END:
        bad = said.status != "True"
        await record(plane.client, contract, said.reason, said.message, plane.clock, warning=bad)
    return said


def completion_body(by_ms: int, seen: WorkSeen) -> dict[str, Any] | None:
    """What the statement of a deadline says; None while there is nothing to say. A stranger computes the same. Pure."""
    found = judge_deadline(by_ms, seen)
    if found is None:
        return None
    return {
        "by": format_instant(by_ms),
        **seen.as_record(),
        "verdict": str(found.verdict),
        "reason": str(found.reason),
    }


@dataclass(frozen=True, slots=True)
class Completion:
    """A promised completion as its contract's statements tell it; `verdict` is None while it is not due."""

    by_ms: int
    verdict: Verdict | None
    reason: str
    said: str

    @property
    def counts(self) -> list[Verdict]:
        """What it adds to the contract's verdict."""
        return [] if self.verdict is None or self.reason == DeadlineReason.CUT_BY_END else [self.verdict]


def completion_of_statements(
    terms: Mapping[str, Any], statements: Sequence[Statement], now_ms: int | None = None
) -> Completion | None:
    """What signed terms and statements say of a deadline; None where none was promised. Pure.

    One that is over by `now_ms`, or whose contract is, and that nobody judged, is unverifiable.
    """
    by_ms = due_ms(terms)
    if by_ms is None:
        return None
    told = next((s.body for s in statements if s.predicate == PREDICATE), None)
    if told is not None:
        return Completion(by_ms, Verdict(told["verdict"]), str(told["reason"]), _stood(told))
    settled = any(s.predicate == "ending" and s.body.get("stage") == "settled" for s in statements)
    if settled or (now_ms is not None and now_ms > by_ms):
        return Completion(by_ms, Verdict.UNVERIFIABLE, "NotSettled", "no verdict was stated")
    return Completion(by_ms, None, "NotDue", "judged once the work is done, or then")


def counts_of(conditions: Sequence[Condition]) -> list[Verdict]:
    """What a promised completion adds to the contract's verdict: nothing while it is not due, nor where its user ended
    it first. Pure."""
    found = condition_of(list(conditions), COMPLETED_IN_TIME)
    if found is None or found.reason == DeadlineReason.CUT_BY_END:
        return []
    return [{"True": Verdict.KEPT, "False": Verdict.BREACHED}.get(found.status, Verdict.UNVERIFIABLE)]


def _condition(plane: Plane, body: Mapping[str, Any]) -> Condition:
    verdict, reason = Verdict(body["verdict"]), str(body["reason"])
    message = f"due by {body['by']}, " + _stood(body)
    return condition(COMPLETED_IN_TIME, _TRUE[verdict], reason, message, plane.clock)


def _stood(body: Mapping[str, Any]) -> str:
    match Work(body["work"]), body["ended"]:
        case Work.COMPLETED, None:
            return f"seen to be done at {body['seen']}; nobody recorded when it was"
        case Work.COMPLETED, ended:
            return f"done at {ended}"
        case Work.FAILED, ended:
            return f"failed at {ended or body['seen']}, and is not started again"
        case Work.RUNNING, _:
            return f"not done at {body['seen']}"
        case Work.UNKNOWN, _:
            return f"over when it was looked at, at {body['seen']}; nobody saw how it ended"
        case Work.WITHDRAWN, _:
            return f"ended by its user at {body['seen']}"
    return f"not done when its contract ended at {body['seen']}"


def due_ms(terms: Mapping[str, Any]) -> int | None:
    """By when signed terms promise completion (Unix ms); None where they do not. Pure."""
    by = terms.get("promises", {}).get("completeBy")
    return None if by is None else parse_instant(str(by))
