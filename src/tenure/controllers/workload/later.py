"""A later deadline for work that will miss its own, by its forecast: it goes on from its checkpoint under new terms."""

from tenure.controllers.answering.gather import Missing, gather
from tenure.controllers.answering.need import need_of
from tenure.controllers.plane import Plane
from tenure.controllers.workload.changes import Terms
from tenure.quantities import Instant
from tenure.resources import Contract
from tenure.resources.kinds.objectives import Completion
from tenure.resources.kinds.standing import Progress
from tenure.resources.kinds.workload import WorkloadSpec

MOVE_SHARE = 10
"""A tenth of the time still to go, for stopping, starting and what was done since the last checkpoint."""
SECOND_MS = 1_000


async def find(plane: Plane, contract: Contract) -> Terms | str:
    """The terms with a deadline that the late end of the forecast keeps, or why there are none."""
    now_ms = plane.clock.now_ms()
    by_ms = deadline_kept(contract.status.progress if contract.status else None, now_ms)
    if by_ms is None:
        return "nothing forecasts when the work will be done"
    body = due_by(contract.spec.body, by_ms)
    known = await gather(plane, body, need_of(body, now_ms), contract.namespace, trial_made=True)
    if isinstance(known, Missing):
        return known.message
    return Terms(contract, known, max(by_ms, int(contract.spec.term.end)), by_ms)


def due_by(body: WorkloadSpec, by_ms: int) -> WorkloadSpec:
    """The need with this deadline in place of its own, which may be over by now and would then be refused. Pure."""
    if body.objectives is None:
        return body
    objectives = body.objectives.model_copy(update={"completion": Completion(by=Instant(by_ms))})
    return body.model_copy(update={"objectives": objectives})


def deadline_kept(progress: Progress | None, now_ms: int) -> int | None:
    """The deadline to offer, Unix milliseconds: the late end of the forecast and room for the move. Pure."""
    if progress is None or progress.late is None:
        return None
    late_ms = max(int(progress.late), now_ms + SECOND_MS)
    with_room = late_ms + (late_ms - now_ms) // MOVE_SHARE + SECOND_MS
    return -(-with_room // SECOND_MS) * SECOND_MS
