"""What a plan stands on beside capacity: objects that it was made from, which have to be there when it is committed.

A commit is one swap of one object and cannot look at others in the same instant. So both sides take two steps, in
opposite order. Whoever plans reads the ledger, then sees that nothing it stands on is being deleted, then swaps.
Whoever lets a deleted object go sees its deletion, then moves the generation (`Allocator.settle`), then counts who
stands on it. Either the plan's swap comes before that move and is counted, or its generation has passed: it is planned
anew, finds the deletion, and is refused.
"""

import asyncio
from collections.abc import Iterable, Mapping

from tenure.client import AsyncClient, NotFound
from tenure.ledger.decision import DecisionFunction, nothing
from tenure.resources import ApiObject

GONE = "ReferenceNotFound"
"""The reason of what is not committed since something that it stands on goes: to be gathered anew."""


async def find_gone(client: AsyncClient, stood_on: Iterable[ApiObject]) -> dict[str, str]:
    """Which of these objects, as read earlier, are deleted by now or being deleted: what to say of each, by its uid."""
    once = {obj.uid: obj for obj in stood_on}
    # All at once: whoever waits for its turn waits for this too.
    said = await asyncio.gather(*(_what_became_of(client, obj) for obj in once.values()))
    return {uid: why for uid, why in zip(once, said, strict=True) if why is not None}


async def _what_became_of(client: AsyncClient, obj: ApiObject) -> str | None:
    """Nothing, where it is there and is not being deleted."""
    try:
        now = await client.get(type(obj), obj.name, namespace=obj.namespace)
    except NotFound:
        return f"{obj.kind} {obj.name} was deleted"
    if now.uid != obj.uid:
        return f"{obj.kind} {obj.name} was deleted, and another has its name"
    return f"{obj.kind} {obj.name} is being deleted" if now.metadata.deletion_timestamp is not None else None


def unless_gone(decide: DecisionFunction, stands_on: Iterable[ApiObject], gone: Mapping[str, str]) -> DecisionFunction:
    """The decision itself, or to commit nothing where something that it stands on is gone."""
    why = next((gone[obj.uid] for obj in stands_on if obj.uid in gone), None)
    if why is None:
        return decide
    return lambda view, fleet, now_ms: nothing(GONE, why)  # noqa: ARG005 - the shape of a decision
