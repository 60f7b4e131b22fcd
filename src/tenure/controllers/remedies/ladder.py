"""Which rung, and when: pure. Rungs are tried by their cost to the user; hysteresis keeps them from flapping."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tenure.controllers.plane import Plane
from tenure.controllers.remedies.situation import Situation
from tenure.resources import Contract, Offer
from tenure.resources.kinds.standing import RemedyStep

SETTLE_WINDOWS = 3
"""How many windows after a step decide whether it helped."""
AGAIN_AFTER_HELPING_WINDOWS = 5
AGAIN_AFTER_FAILING_WINDOWS = 60

Outcome = Literal["Helped", "DidNotHelp", "InProgress", "Accepted", "Ended"]


@dataclass(frozen=True, slots=True)
class Reasoned:
    """Why a rung would help here, in the words of its cause."""

    cause: str


@dataclass(frozen=True, slots=True)
class After:
    """What followed a step that was taken: all that its success may be judged by."""

    step: RemedyStep
    kept: int  # windows that began after it
    failed: int
    offers: Sequence[Offer]  # those that would replace the contract
    now_ms: int


class Rung(Protocol):
    """One step of the ladder. Pure but for `act`, which lives in the same file and is called by `taking`."""

    name: str
    cost: str
    heavy: bool
    """Changes or ends the terms: not while a cheaper rung that would help rests because it helped just now."""
    waits: bool
    """Waits for its user and not for windows; cheaper rungs may be taken meanwhile."""

    def helps(self, situation: Situation) -> Reasoned | None:
        """The condition under which it helps, or None."""
        ...

    async def act(self, plane: Plane, contract: Contract, situation: Situation) -> str:
        """Do it, so that doing it again does no more; returns what was done."""
        ...

    def success(self, after: After) -> Outcome:
        """How its success is judged, by what followed; pure."""
        ...


def next_rung(
    rungs: Sequence[Rung], situation: Situation, taken: Sequence[RemedyStep], now_ms: int, window_ms: int
) -> tuple[Rung, Reasoned] | None:
    """The first rung whose condition holds and that is not resting. None while a step is being judged."""
    waiting = {rung.name for rung in rungs if rung.waits}
    if any(step.outcome == "InProgress" and step.rung not in waiting for step in taken):
        return None
    # Terms are not changed twice at once, nor while a step that helped just now may help again.
    helped = any(step.outcome == "InProgress" for step in taken)
    for rung in rungs:
        reasoned = rung.helps(situation)
        if reasoned is None or (rung.heavy and helped):
            continue
        if not _rests(rung.name, taken, now_ms, window_ms):
            return rung, reasoned
        helped = helped or _last(rung.name, taken).outcome == "Helped"
    return None


def _last(name: str, taken: Sequence[RemedyStep]) -> RemedyStep:
    return next(step for step in reversed(taken) if step.rung == name)


def _rests(name: str, taken: Sequence[RemedyStep], now_ms: int, window_ms: int) -> bool:
    last = next((step for step in reversed(taken) if step.rung == name), None)
    if last is None:
        return False
    if last.finished_at is None:
        return last.outcome == "InProgress"
    windows = AGAIN_AFTER_HELPING_WINDOWS if last.outcome == "Helped" else AGAIN_AFTER_FAILING_WINDOWS
    return now_ms - int(last.finished_at) < windows * window_ms


def by_windows(after: After) -> Outcome:
    """The rule for whatever changes what windows measure."""
    return outcome_of(after.kept, after.failed)


def outcome_of(kept_after: int, failed_after: int) -> Outcome:
    """Judged by the windows that began after the step: helped once two were kept with none failing since."""
    if failed_after >= SETTLE_WINDOWS:
        return "DidNotHelp"
    if kept_after >= 2 and failed_after == 0:
        return "Helped"
    return "Helped" if kept_after >= SETTLE_WINDOWS + failed_after else "InProgress"
