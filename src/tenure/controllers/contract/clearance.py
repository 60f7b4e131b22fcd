"""Clearance: before work starts, what ran before on the same cores and devices is gone, however slow it was to stop.

Placement keeps a margin for stopping; where it was too short, the hold before outlives its end and the start waits.
"""

import asyncio

from tenure.controllers.plane import Plane
from tenure.controllers.trialling.leaving import left_of
from tenure.engines import RunNotFound
from tenure.ledger import Record, View
from tenure.resources import Contract
from tenure.resources.kinds.allocation import Hold


async def in_the_way(plane: Plane, contract: Contract) -> Record | None:
    """What is past its end and still holds some of what this one is to start on; None when it may start."""
    if contract.status is not None and contract.status.run is not None:
        return None  # it was started already
    view = (await plane.allocator.look()).view
    mine = view.records.get(contract.uid)  # where this host is known by another name now, it is held under that
    hold = mine.hold if mine is not None else contract.spec.hold
    for record in overdue_on(hold, contract.uid, view, plane.clock.now_ms()):
        if await asyncio.to_thread(_runs, plane, record):
            return record
    return None


def overdue_on(hold: Hold, uid: str, view: View, now_ms: int) -> list[Record]:
    """The other live contracts and trials that are past their end and have a core or device of `hold`. Pure."""
    wanted = _named(hold)
    return [
        record
        for record in view.live()
        if (record.kind == "Contract" or record.trial)
        and record.uid != uid
        and int(record.hold.end) <= now_ms
        and not wanted.isdisjoint(_named(record.hold))
    ]


def _runs(plane: Plane, record: Record) -> bool:
    """Whether anything of it is still there: books that are closed late keep nobody waiting."""
    if record.trial:
        return bool(left_of(plane.engine, record.hold.id))
    try:
        state = plane.engine.state(record.hold.id)
    except RunNotFound:
        return False
    return not state.final or bool(state.processes)


def _named(hold: Hold) -> set[tuple[str, int | str]]:
    """Every core and device of a hold, by its machine."""
    cores = {(claim.machine, core) for claim in hold.claims for core in claim.cores}
    return cores | {(claim.machine, device.id) for claim in hold.claims for device in claim.devices}
