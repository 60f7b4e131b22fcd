"""A Contract's way, one phase a file."""

from tenure.client import NotFound, Unreadable
from tenure.controllers.contract import active, commissioning, ending
from tenure.controllers.contract.progress import ProgressBook
from tenure.controllers.kernel import Key, Wait
from tenure.controllers.plane import Plane
from tenure.controllers.remedies.watching import Looks
from tenure.controllers.trialling.unread import let_go_unread
from tenure.ledger.collect import drop_ledger_finalizer
from tenure.resources import Contract


class ContractReconciler:
    """One contract at a time."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._looks = Looks()
        self._book = ProgressBook()

    async def reconcile(self, key: Key) -> Wait | None:
        """Bring the contract one step further."""
        plane = self._plane
        try:
            contract = await plane.client.get(Contract, key.name, namespace=key.namespace)
        except NotFound:
            return None
        except Unreadable as unread:
            await let_go_unread(plane.client, plane.engine, Contract, unread)
            return None
        phase = contract.status.phase if contract.status else "Proposed"
        if phase == "Ended":
            self._looks.forget(contract.uid)
            self._book.forget(contract.uid)
            await ending.clean(plane, contract)
            if contract.metadata.deletion_timestamp is not None:
                await drop_ledger_finalizer(plane.client, contract)
            return None
        if phase == "Proposed":
            return await ending.when_never_committed(plane, contract)
        because = ending.why_over(contract, plane.clock.now_ms())
        if because == "EndedByTerm" and phase == "Active" and await ending.was_done_before(plane, contract):
            because = None
        if because is not None or phase == "Ending":
            return await ending.end(plane, contract, because)
        if phase == "Commissioning":
            return await commissioning.commission(plane, contract)
        return await active.watch(plane, self._looks, self._book, contract)
