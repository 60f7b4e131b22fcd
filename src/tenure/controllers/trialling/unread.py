"""A contract or an offer that cannot be read: it can be deleted, and what runs under its hold ends before it goes."""

import asyncio

from tenure.client import AsyncClient, Unreadable
from tenure.client.finalizers import drop_finalizer_unread
from tenure.controllers.trialling.leaving import end_runs
from tenure.engines import Engine
from tenure.resources import LEDGER_FINALIZER, Contract, Offer


async def let_go_unread(client: AsyncClient, engine: Engine, model: type[Contract | Offer], unread: Unreadable) -> None:
    """End its runs and let it go where it is being deleted; otherwise it is passed over.

    While it is there nothing is committed, as nobody knows what it holds. No statement is made of its end: its promises
    cannot be read. Raises EngineFailure while something of it still runs, and Unreadable where its hold has no name.
    """
    if not unread.is_going or LEDGER_FINALIZER not in (unread.metadata.get("finalizers") or ()):
        return
    spec = unread.content.get("spec")
    hold = spec.get("hold") if isinstance(spec, dict) else None
    hold_id = hold.get("id") if isinstance(hold, dict) else None
    if not isinstance(hold_id, str):
        raise unread
    await asyncio.to_thread(end_runs, engine, hold_id)
    await drop_finalizer_unread(client, model, unread, LEDGER_FINALIZER)
