"""A later deadline for work that will miss its own, by its forecast: it goes on from its checkpoint under new terms."""

from tenure.controllers.answering.gather import Missing, gather
from tenure.controllers.answering.need import need_of
from tenure.controllers.plane import Plane
from tenure.controllers.workload.changes import Terms
from tenure.resources import Contract
from tenure.resources.kinds.contract import Progress

MOVE_SHARE = 10
"""A tenth of the time still to go, for stopping, starting and what was done since the last checkpoint."""
SECOND_MS = 1_000


async def find(plane: Plane, contract: Contract) -> Terms | str:
    """The terms with a deadline that the late end of the forecast keeps, or why there are none."""
    now_ms = plane.clock.now_ms()
    by_ms = deadline_kept(contract.status.progress if contract.status else None, now_ms)
    if by_ms is None:
        return "nothing forecasts when the work will be done"
    known = await gather(plane, contract.spec.body, need_of(contract.spec.body, now_ms), trial_made=True)
    if isinstance(known, Missing):
        return known.message
    return Terms(contract, known, max(by_ms, int(contract.spec.term.end)), by_ms)


def deadline_kept(progress: Progress | None, now_ms: int) -> int | None:
    """The deadline to offer, Unix milliseconds: the late end of the forecast and room for the move. Pure."""
    if progress is None or progress.late is None:
        return None
    late_ms = max(int(progress.late), now_ms + SECOND_MS)
    with_room = late_ms + (late_ms - now_ms) // MOVE_SHARE + SECOND_MS
    return -(-with_room // SECOND_MS) * SECOND_MS
