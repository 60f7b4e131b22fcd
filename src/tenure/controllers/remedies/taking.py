"""Taking a step: stated first, then done, then judged by the windows that follow. All of it survives a crash.

The step is in the contract's status before it is done. Every act can be repeated, so a control plane that died in the
middle does it again or finds it done; it is never taken twice as two steps.
"""

import asyncio
from collections.abc import Sequence

from tenure.controllers.contract.judging import Standing
from tenure.controllers.contract.stating import state
from tenure.controllers.events import record
from tenure.controllers.plane import Plane
from tenure.controllers.remedies.capacity import AddCapacity
from tenure.controllers.remedies.end_with_credit import EndWithCredit
from tenure.controllers.remedies.ladder import Outcome, Rung, next_rung, outcome_of
from tenure.controllers.remedies.limits import RestoreLimits
from tenure.controllers.remedies.renegotiate import Renegotiate, answer_to
from tenure.controllers.remedies.repin import Repin
from tenure.controllers.remedies.restart import Restart
from tenure.controllers.remedies.situation import Situation
from tenure.promises import Verdict
from tenure.quantities import Instant
from tenure.resources import Contract, Offer
from tenure.resources.kinds.contract import RemedyStep

ADDING = AddCapacity()
LADDER: tuple[Rung, ...] = (Repin(), RestoreLimits(), ADDING, Restart(), Renegotiate(), EndWithCredit())
"""By what they cost the user, the least first."""
WAITING = frozenset(rung.name for rung in LADDER if rung.waits)
STEPS_KEPT = 10
SETTLING_MS = 5_000
"""What had queued up before the step is served first; windows that begin within this are not its doing."""


def judged(
    steps: Sequence[RemedyStep], standing: Standing, now_ms: int, offers: Sequence[Offer] = ()
) -> list[RemedyStep]:
    """The steps with the open ones judged: by the windows that began after it, or by what its user did with the offer.

    `offers` are those that would replace the contract.
    """
    return [_judged_now(step, standing, now_ms, offers) if step.outcome == "InProgress" else step for step in steps]


def _judged_now(step: RemedyStep, standing: Standing, now_ms: int, offers: Sequence[Offer]) -> RemedyStep:
    if step.rung not in WAITING:
        return _judge(step, standing, now_ms)
    outcome = answer_to(step, offers, now_ms)
    return step if outcome == "InProgress" else _closed(step, outcome, now_ms)


def _closed(step: RemedyStep, outcome: Outcome, at_ms: int) -> RemedyStep:
    return step.model_copy(update={"outcome": outcome, "finished_at": Instant(at_ms)})


def at_the_end(steps: Sequence[RemedyStep], because: str, now_ms: int) -> list[RemedyStep]:
    """The steps of a contract that is over: what was not judged by now ended with it."""
    outcome: Outcome = "Accepted" if because == "Renegotiated" else "Ended"
    return [
        _closed(step, outcome if step.rung in WAITING else "Ended", now_ms) if step.outcome == "InProgress" else step
        for step in steps
    ]


def _judge(step: RemedyStep, standing: Standing, now_ms: int) -> RemedyStep:
    after = [v for v in standing.recent if v.window.start_ms >= int(step.started_at) + SETTLING_MS]
    ends = sorted({v.window.end_ms for v in after})
    failed = {v.window.end_ms for v in after if v.uses_budget}
    kept = [
        end
        for end in ends
        if end not in failed and any(v.verdict is Verdict.KEPT for v in after if v.window.end_ms == end)
    ]
    outcome = outcome_of(len(kept), len(failed))
    if outcome == "InProgress":
        return step
    return _closed(step, outcome, ends[-1] if ends else now_ms)


async def begin(
    plane: Plane, contract: Contract, situation: Situation, steps: Sequence[RemedyStep], window_ms: int
) -> RemedyStep | None:
    """The next step, stated and in progress; None when no rung helps now."""
    now_ms = plane.clock.now_ms()
    chosen = next_rung(LADDER, situation, steps, now_ms, window_ms)
    if chosen is None:
        return None
    rung, reasoned = chosen
    step = RemedyStep(rung=rung.name, cause=reasoned.cause, cost=rung.cost, started_at=Instant(now_ms))
    body = {"rung": rung.name, "cause": reasoned.cause, "cost": rung.cost, "stage": "begins"}
    await asyncio.to_thread(state, plane, contract, "remedy", f"{now_ms}/{rung.name}/begins", body)
    return step


async def act(plane: Plane, contract: Contract, situation: Situation, step: RemedyStep) -> RemedyStep:
    """Do it. May be called again after a crash: every act can be repeated."""
    rung = next(rung for rung in LADDER if rung.name == step.rung)
    did = await rung.act(plane, contract, situation)
    await record(plane.client, contract, "Remedied", f"{rung.name}: {step.cause}; {did}", plane.clock, warning=True)
    return step.model_copy(update={"did": did})


async def conclude(plane: Plane, contract: Contract, before: Sequence[RemedyStep], after: Sequence[RemedyStep]) -> None:
    """State the outcome of steps that were judged just now. A reserve that did not help is held back again."""
    for old, new in zip(before, after, strict=True):
        if old.outcome == "InProgress" and new.outcome != "InProgress":
            if new.rung == ADDING.name and new.outcome == "DidNotHelp":
                await ADDING.undo(plane, contract)
            took_ms = int(new.finished_at or 0) - int(new.started_at)
            body = {"rung": new.rung, "cause": new.cause, "stage": "judged", "outcome": new.outcome, "tookMs": took_ms}
            await asyncio.to_thread(state, plane, contract, "remedy", f"{int(new.started_at)}/{new.rung}/judged", body)
            await record(plane.client, contract, "Remedied", f"{new.rung}: {new.outcome}", plane.clock)
