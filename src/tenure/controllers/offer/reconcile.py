"""An Offer's way out: expiry, withdrawal, deletion. Its way in is the ledger's."""

from tenure.client import AsyncClient, NotFound
from tenure.controllers.events import record
from tenure.controllers.kernel import Key, Wait
from tenure.controllers.workload.occupied import STOP_MARGIN_MS
from tenure.ledger import Allocator, release
from tenure.ledger.collect import drop_ledger_finalizer
from tenure.quantities import Clock
from tenure.resources import Offer

FINAL_KEPT_MS = 60_000
"""An offer that is over stays readable for so long, so that whoever accepts late is told why."""


class OfferReconciler:
    """One offer at a time."""

    def __init__(self, client: AsyncClient, allocator: Allocator, clock: Clock) -> None:
        self._client = client
        self._allocator = allocator
        self._clock = clock

    async def reconcile(self, key: Key) -> Wait | None:
        """Expire it when its time has come; release it when it is being deleted; forget it when it is long over."""
        try:
            offer = await self._client.get(Offer, key.name, namespace=key.namespace)
        except NotFound:
            return None
        phase = offer.status.phase if offer.status else "Proposed"
        if offer.metadata.deletion_timestamp is not None:
            await self._release(offer, "Withdrawn", "Withdrawn")
            await drop_ledger_finalizer(self._client, offer)
            return None
        if phase == "Held":
            # What a trial runs ends when its time has passed: its hold lasts until that is gone.
            margin_ms = STOP_MARGIN_MS if offer.spec.purpose == "Trial" else 0
            left = int(offer.spec.expires_at) + margin_ms - self._clock.now_ms()
            if left > 0:
                return Wait(left)
            await self._release(offer, "Expired", "Expired")
            await record(self._client, offer, "Expired", "its time passed before it was accepted", self._clock)
            return Wait(FINAL_KEPT_MS)
        if phase in ("Expired", "Withdrawn", "Accepted"):
            over_since = (
                max((int(c.last_transition_time) for c in offer.status.conditions), default=0) if offer.status else 0
            )
            left = over_since + FINAL_KEPT_MS - self._clock.now_ms()
            if left > 0:
                return Wait(left)
            await self._client.delete(Offer, offer.name, namespace=offer.namespace, uid=offer.uid)
        return None

    async def _release(self, offer: Offer, to_phase: str, reason: str) -> None:
        """Commit the release; a hold that is not live any more needs none."""
        await self._allocator.decide(
            lambda view, fleet, now_ms: release(  # noqa: ARG005 - the shape of a decision
                [r for r in view.live() if r.uid == offer.uid], to_phase, reason
            )
        )
