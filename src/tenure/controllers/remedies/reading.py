"""Judging a step where nothing is promised by windows: by what is read back after it. Pure."""

from collections.abc import Sequence

from tenure.quantities import Instant
from tenure.resources.kinds.standing import ReadBackFact, RemedyStep

READ_AGAIN_MS = 5_000
"""After a step the kernel may take a moment, and so may threads that are moved one by one."""


def judged_by_reading(steps: Sequence[RemedyStep], facts: Sequence[ReadBackFact], now_ms: int) -> list[RemedyStep]:
    """The steps with the open ones judged: helped where all agrees again, not where something still differs.

    Where nobody could be read (`facts` is empty) nothing is said yet.
    """

    def judged(step: RemedyStep) -> RemedyStep:
        if step.outcome != "InProgress" or not step.did or not facts:
            return step
        if now_ms - int(step.acted_at or step.started_at) < READ_AGAIN_MS:
            return step
        outcome = "Helped" if all(fact.agrees for fact in facts) else "DidNotHelp"
        return step.model_copy(update={"outcome": outcome, "finished_at": Instant(now_ms)})

    return [judged(step) for step in steps]
