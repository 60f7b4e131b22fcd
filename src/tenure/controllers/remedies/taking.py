"""Taking a step: stated first, then done, then judged by the windows that follow. All of it survives a crash.

The step is in the contract's status before it is done. Every act can be repeated, so a control plane that died in the
middle does it again or finds it done; it is never taken twice as two steps.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from tenure.controllers.contract.judging import Standing
from tenure.controllers.contract.stating import state
from tenure.controllers.events import record
from tenure.controllers.plane import Plane
from tenure.controllers.remedies.capacity import AddCapacity
from tenure.controllers.remedies.end_with_credit import EndWithCredit
from tenure.controllers.remedies.ladder import After, Outcome, Rung, next_rung
from tenure.controllers.remedies.limits import RestoreLimits
from tenure.controllers.remedies.renegotiate import Renegotiate
from tenure.controllers.remedies.repin import Repin
from tenure.controllers.remedies.restart import Restart
from tenure.controllers.remedies.situation import Situation
from tenure.promises import Verdict
from tenure.quantities import Instant
from tenure.resources import Contract, Offer
from tenure.resources.kinds.standing import RemedyStep

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
    return [_judged_now(step, standing, now_ms, offers) if is_open(step) else step for step in steps]


def is_open(step: RemedyStep) -> bool:
    """Whether it was taken and is to be judged. One that stands in the status and was not done yet neither helped nor
    failed to, whatever windows say."""
    return step.outcome == "InProgress" and bool(step.did)


def rung_of(step: RemedyStep) -> Rung:
    """The rung that a step is one of."""
    return next(rung for rung in LADDER if rung.name == step.rung)


def kept_of(steps: Sequence[RemedyStep]) -> list[RemedyStep]:
    """The newest few steps, and those that something still rests on: the open ones, and the newest of each rung."""
    newest = {step.rung: place for place, step in enumerate(steps)}
    first = len(steps) - STEPS_KEPT
    return [
        step
        for place, step in enumerate(steps)
        if place >= first or step.outcome == "InProgress" or newest[step.rung] == place
    ]


def _closed(step: RemedyStep, outcome: Outcome, at_ms: int) -> RemedyStep:
    return step.model_copy(update={"outcome": outcome, "finished_at": Instant(at_ms)})


def at_the_end(steps: Sequence[RemedyStep], because: str, now_ms: int) -> list[RemedyStep]:
    """The steps of a contract that is over: what was not judged by now ended with it."""
    outcome: Outcome = "Accepted" if because == "Renegotiated" else "Ended"
    return [
        _closed(step, outcome if step.rung in WAITING else "Ended", now_ms) if step.outcome == "InProgress" else step
        for step in steps
    ]


def _judged_now(step: RemedyStep, standing: Standing, now_ms: int, offers: Sequence[Offer]) -> RemedyStep:
    acted_ms = int(step.acted_at or step.started_at)
    after = [v for v in standing.recent if v.window.start_ms >= acted_ms + SETTLING_MS]
    ends = sorted({v.window.end_ms for v in after})
    failed = {v.window.end_ms for v in after if v.uses_budget}
    kept = [
        end
        for end in ends
        if end not in failed and any(v.verdict is Verdict.KEPT for v in after if v.window.end_ms == end)
    ]
    rung = rung_of(step)
    outcome = rung.success(After(step, len(kept), len(failed), offers, now_ms))
    if outcome == "InProgress":
        return step
    return _closed(step, outcome, ends[-1] if ends and not rung.waits else now_ms)


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
    body = {"rung": rung.name, "cause": reasoned.cause, "cost": rung.cost, "stage": "begins", **seen_body(situation)}
    await asyncio.to_thread(state, plane, contract, "remedy", f"{now_ms}/{rung.name}/begins", body)
    return step


async def act(plane: Plane, contract: Contract, situation: Situation, step: RemedyStep) -> RemedyStep:
    """Do it. May be called again after a crash: every act can be repeated."""
    rung = rung_of(step)
    did = await rung.act(plane, contract, situation)
    await record(plane.client, contract, "Remedied", f"{rung.name}: {step.cause}; {did}", plane.clock, warning=True)
    return step.model_copy(update={"did": did, "acted_at": Instant(plane.clock.now_ms())})


def seen_body(situation: Situation) -> dict[str, Any]:
    """What the kernel said when the step was chosen, for its statement."""
    return {
        "causes": [{"code": c.code, "share": round(c.share, 4), "detail": c.detail} for c in situation.causes],
        "intruders": [
            {"pid": one.pid, "name": one.name, "cpuShare": round(one.cpu_share, 4)} for one in situation.intruders
        ],
    }


async def give_back(
    plane: Plane, contract: Contract, before: Sequence[RemedyStep], after: Sequence[RemedyStep]
) -> None:
    """Take back the reserve of a step that is now known not to have helped. Can be repeated."""
    for old, new in zip(before, after, strict=True):
        if old.outcome == "InProgress" and new.rung == ADDING.name and new.outcome == "DidNotHelp":
            await ADDING.undo(plane, contract)


async def conclude(plane: Plane, contract: Contract, before: Sequence[RemedyStep], after: Sequence[RemedyStep]) -> None:
    """State the outcome of steps that were judged just now, then act on it: a reserve that did not help is held back
    again. A crash in between leaves a statement, which the next look follows."""
    for old, new in zip(before, after, strict=True):
        if old.outcome == "InProgress" and new.outcome != "InProgress":
            took_ms = int(new.finished_at or 0) - int(new.started_at)
            body = {"rung": new.rung, "cause": new.cause, "stage": "judged", "outcome": new.outcome, "tookMs": took_ms}
            await asyncio.to_thread(state, plane, contract, "remedy", f"{int(new.started_at)}/{new.rung}/judged", body)
            await give_back(plane, contract, [old], [new])
            await record(plane.client, contract, "Remedied", f"{new.rung}: {new.outcome}", plane.clock)
