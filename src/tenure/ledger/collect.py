"""Collecting what was proposed and never committed.

A Proposed object planned at generation g that is not in the batch of g+1 can never count. It may be deleted by anyone
who sees a later generation with all marks of the last batch written; earlier, whoever proposed it may yet commit it.
"""

from collections.abc import Sequence

from tenure.client import AsyncClient, Conflict, NotFound
from tenure.client.finalizers import drop_finalizer
from tenure.ledger.records import PROPOSED
from tenure.resources import LEDGER_FINALIZER, Contract, Offer
from tenure.resources.kinds.site import LedgerStatus


async def collect_never_committed(
    client: AsyncClient, offers: Sequence[Offer], contracts: Sequence[Contract], ledger: LedgerStatus
) -> int:
    """Delete every Proposed object that an earlier generation planned and no batch named; returns how many.

    The lists must have been read after the marks of `ledger.last_batch` were completed.
    """
    named = {operation.uid for operation in ledger.last_batch}
    everything: list[Offer | Contract] = [*offers, *contracts]
    stale = [
        o for o in everything if is_proposed(o) and o.spec.planned_generation < ledger.generation and o.uid not in named
    ]
    for obj in stale:
        await discard(client, obj)
    return len(stale)


def is_proposed(obj: Offer | Contract) -> bool:
    """Whether it bears no mark of a commit yet. What follows from that only the ledger knows."""
    return obj.status is None or obj.status.phase == PROPOSED


async def discard(client: AsyncClient, obj: Offer | Contract) -> None:
    """Delete an object that can never count, finalizer and all, if it is still as it was read."""
    try:
        version = obj.metadata.resource_version
        await client.delete(type(obj), obj.name, namespace=obj.namespace, uid=obj.uid, resource_version=version)
        await drop_ledger_finalizer(client, obj)
    except (NotFound, Conflict):
        return  # gone, or changed by somebody: whoever reads the ledger next looks at it again


async def drop_ledger_finalizer(client: AsyncClient, obj: Offer | Contract) -> None:
    """Remove our finalizer from an object that is being deleted; done when it is gone already."""
    await drop_finalizer(client, obj, LEDGER_FINALIZER)
