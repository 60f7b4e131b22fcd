"""What a crash left between the log and the status: steps stated as begun that were never taken, and outcomes stated
and not shown. The log is never taken back, so it is told; the status follows the log.

A step is stated, then written into the status, then taken. One that is stated and in no status was not taken: it is
undone by saying so, and the ladder looks anew. An outcome that was stated is the outcome, whatever later windows say.
"""

import asyncio
from collections.abc import Sequence

from tenure.controllers.contract.stating import state, stated
from tenure.controllers.plane import Plane
from tenure.evidence import contract_source
from tenure.quantities import Instant
from tenure.resources import Contract
from tenure.resources.kinds.standing import RemedyStep

NOT_TAKEN = "NotTaken"


def key_of(step: RemedyStep) -> str:
    """Names a step among the contract's remedies."""
    return f"{int(step.started_at)}/{step.rung}"


def as_stated(plane: Plane, contract: Contract, steps: Sequence[RemedyStep]) -> list[RemedyStep]:
    """The steps, with the outcome that was stated of those that the status still shows in progress. Reads the log."""
    return [_as_stated(plane, contract, step) if step.outcome == "InProgress" else step for step in steps]


def _as_stated(plane: Plane, contract: Contract, step: RemedyStep) -> RemedyStep:
    told = stated(plane, contract, "remedy", f"{key_of(step)}/judged")
    if told is None:
        return step
    finished = Instant(int(step.started_at) + int(told.body["tookMs"]))
    return step.model_copy(update={"outcome": told.body["outcome"], "finished_at": finished})


async def undo_unwritten(plane: Plane, contract: Contract, steps: Sequence[RemedyStep]) -> list[str]:
    """State of each step that the log has and the status has not that it was not taken; returns their keys.

    Looks back to the newest remedy that both know, or to the beginning. Raises NotWrittenError.
    """
    return await asyncio.to_thread(_undo_unwritten, plane, contract, steps)


def _undo_unwritten(plane: Plane, contract: Contract, steps: Sequence[RemedyStep]) -> list[str]:
    prefix = f"{contract_source(contract.uid)}/remedy/"
    known = {key_of(step) for step in steps}
    judged: set[str] = set()
    undone = []
    for place, name in plane.log.newest_first(contract_source(contract.uid)):
        if not name.startswith(prefix):
            continue
        key, _, stage = name.removeprefix(prefix).rpartition("/")
        if key in known:
            break
        if stage == "judged":
            judged.add(key)
        elif key not in judged:
            begun = plane.log.statement(place)
            body = {
                "rung": begun.body["rung"],
                "cause": begun.body["cause"],
                "stage": "judged",
                "outcome": NOT_TAKEN,
                "tookMs": plane.clock.now_ms() - begun.at_ms,
                "why": "the control plane ended between stating the step and taking it",
            }
            state(plane, contract, "remedy", f"{key}/judged", body)
            undone.append(key)
    return undone
