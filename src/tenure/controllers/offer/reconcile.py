"""An Offer's way out: expiry, withdrawal, deletion. Its way in is the ledger's."""

from tenure.client import AsyncClient, NotFound, Unreadable
from tenure.controllers.events import record
from tenure.controllers.kernel import Key, Wait
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.controllers.trialling.unread import let_go_unread
from tenure.controllers.workload.occupied import STOP_MARGIN_MS
from tenure.controllers.workload.trial import Trials
from tenure.engines import EngineFailure
from tenure.ledger import Allocator, release
from tenure.ledger.collect import drop_ledger_finalizer
from tenure.quantities import Clock
from tenure.resources import Offer
from tenure.resources.kinds.contract import OfferStatus

FINAL_KEPT_MS = 60_000
"""An offer that is over stays readable for so long, so that whoever accepts late is told why."""
LOOK_AT_TRIAL_MS = 5_000
STOP_AGAIN_MS = 1_000


class OfferReconciler:
    """One offer at a time."""

    def __init__(self, client: AsyncClient, allocator: Allocator, clock: Clock, trials: Trials) -> None:
        self._client = client
        self._allocator = allocator
        self._clock = clock
        self._trials = trials

    async def reconcile(self, key: Key) -> Wait | None:
        """Expire it when its time has come; release it when it is being deleted; forget it when it is long over."""
        try:
            offer = await self._client.get(Offer, key.name, namespace=key.namespace)
        except NotFound:
            await self._trials.end_without_offer(key.namespace, key.name)
            return None
        except Unreadable as unread:
            await let_go_unread(self._client, self._trials.plane.engine, Offer, unread)
            return None
        phase = offer.status.phase if offer.status else "Proposed"
        if offer.metadata.deletion_timestamp is not None:
            if not await self._nothing_runs(offer):
                return Wait(STOP_AGAIN_MS)
            if phase in ("Proposed", "Held"):
                await self._release(offer, "Withdrawn", "Withdrawn")
            await drop_ledger_finalizer(self._client, offer)
            return None
        if phase == "Held":
            return await self._held(offer)
        if phase in ("Expired", "Withdrawn", "Accepted"):
            over_since = (
                max((int(c.last_transition_time) for c in offer.status.conditions), default=0) if offer.status else 0
            )
            left = over_since + FINAL_KEPT_MS - self._clock.now_ms()
            if left > 0:
                return Wait(left)
            await self._client.delete(Offer, offer.name, namespace=offer.namespace, uid=offer.uid)
        return None

    async def _held(self, offer: Offer) -> Wait:
        trial = offer.spec.purpose == "Trial"
        # What a trial runs ends when its time has passed: its hold lasts until that is gone.
        left = int(offer.spec.expires_at) + (STOP_MARGIN_MS if trial else 0) - self._clock.now_ms()
        if left > 0 and not trial:
            return Wait(left)
        if left > 0 and self._trials.knows(offer):
            return Wait(min(left, LOOK_AT_TRIAL_MS))
        if not await self._nothing_runs(offer):
            return Wait(STOP_AGAIN_MS)
        if left > 0:  # whoever began it is dead
            await self._release(offer, "Withdrawn", "Withdrawn")
            return Wait(FINAL_KEPT_MS)
        await self._release(offer, "Expired", "Expired")
        await record(self._client, offer, "Expired", "its time passed before it was accepted", self._clock)
        return Wait(FINAL_KEPT_MS)

    async def _nothing_runs(self, offer: Offer) -> bool:
        """End what is measured under a trial's hold; whether it is gone. Under other offers nothing runs."""
        if offer.spec.purpose != "Trial":
            return True
        try:
            return await self._trials.end(offer)
        except EngineFailure as error:
            why = condition("Released", False, "WaitingForRelease", str(error), self._clock)
            await update_status(
                self._client,
                offer,
                lambda status: status.model_copy(update={"conditions": set_conditions(status.conditions, why)}),
                OfferStatus(),
            )
            return False

    async def _release(self, offer: Offer, to_phase: str, reason: str) -> None:
        """Commit the release; a hold that is not live any more needs none."""
        await self._allocator.decide(
            lambda view, fleet, now_ms: release(  # noqa: ARG005 - the shape of a decision
                [r for r in view.live() if r.uid == offer.uid], to_phase, reason
            )
        )
