"""Machines that are none any more are retired by a commit: a state that is written beside the ledger would be undone.

Whoever reads the ledger next completes the marks of its last batch, which may have made one of them Ready.
"""

from collections.abc import Sequence

from tenure.controllers.plane import Plane
from tenure.ledger import Decision, Record, View
from tenure.ledger.decision import capacity
from tenure.placement import Fleet
from tenure.resources import Machine

AT_ONCE_MAX = 500
"""Machines a commit: a fleet may lose thousands at once, and a commit is kept in its Site."""


async def retire_others(plane: Plane) -> None:
    """What an older version registered under a name that this host had between: it is this machine once more.

    What was offered there is withdrawn; what is under contract counts on this machine until it ends.
    """
    others = [machine for machine in await _not_retired(plane, {plane.machine}) if machine.status is not None]
    await _retire(plane, others, "SameMachine", withdraws=True)


async def retire_gone(plane: Plane, there: set[str]) -> None:
    """What the file of a fleet does not have any more. The commit that announces the fleet withdraws what it offered.

    That one is the last: a machine that the file has again later is not retired by a batch that is read once more.
    """
    await _retire(plane, await _not_retired(plane, there), "Removed")


async def _not_retired(plane: Plane, kept: set[str]) -> list[Machine]:
    """The site's machines other than those kept. What cannot be read is for sale nowhere."""
    return [
        machine
        for machine in (await plane.client.list(Machine)).readable
        if machine.spec.site == plane.site
        and machine.name not in kept
        and (machine.status is None or machine.status.state != "Retired")
    ]


async def _retire(plane: Plane, machines: Sequence[Machine], reason: str, *, withdraws: bool = False) -> None:
    for first in range(0, len(machines), AT_ONCE_MAX):
        some = machines[first : first + AT_ONCE_MAX]

        def decide(view: View, fleet: Fleet, now_ms: int, some: Sequence[Machine] = some) -> Decision:  # noqa: ARG001
            withdrawn = _offered_on(view, some) if withdraws else []
            one, *more = some
            operations = [op for m in more for op in capacity(m.name, m.uid, "Retired", reason).operations]
            of_one = capacity(one.name, one.uid, "Retired", reason, withdrawn=withdrawn)
            return Decision(operations=[*operations, *of_one.operations])

        await plane.allocator.decide(decide)


def _offered_on(view: View, machines: Sequence[Machine]) -> list[Record]:
    """A trial's goes after its processes, as always."""
    names = {machine.name for machine in machines}
    offers = [record for record in view.live() if record.kind == "Offer" and not record.trial]
    return [record for record in offers if any(claim.machine in names for claim in record.hold.claims)]
