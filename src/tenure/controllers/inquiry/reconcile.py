"""One question at a time: answered once, kept for its time to live, deleted."""

from tenure.client import NotFound
from tenure.controllers.answering.answer import answer
from tenure.controllers.answering.gather import Missing, gather
from tenure.controllers.answering.need import need_of
from tenure.controllers.kernel import Key, Wait
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.controllers.workload.occupied import calendar_of
from tenure.quantities import Instant
from tenure.resources import Inquiry
from tenure.resources.kinds.answer import Answer
from tenure.resources.kinds.workload import InquiryStatus

LOOK_AGAIN_MS = 2_000


class InquiryReconciler:
    """Answers quotes that hold nothing."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    async def reconcile(self, key: Key) -> Wait | None:
        """Answer it, or delete it when its time is over."""
        plane = self._plane
        try:
            inquiry = await plane.client.get(Inquiry, key.name, namespace=key.namespace)
        except NotFound:
            return None
        now_ms = plane.clock.now_ms()
        if inquiry.status is not None and inquiry.status.phase == "Answered":
            left = int(inquiry.status.expires_at or 0) - now_ms
            if left > 0:
                return Wait(left)
            await plane.client.delete(Inquiry, inquiry.name, namespace=inquiry.namespace, uid=inquiry.uid)
            return None
        need = need_of(inquiry.spec.workload, now_ms)
        known = await gather(plane, inquiry.spec.workload, need)
        if isinstance(known, Missing):
            await self._say_missing(inquiry, known)
            return Wait(LOOK_AGAIN_MS)
        memory = await plane.allocator.look()
        said = answer(known, memory.fleet, calendar_of(memory.view, now_ms), f"inquiry-{inquiry.uid}", now_ms)
        await self._say(inquiry, said.answer, now_ms)
        return Wait(inquiry.spec.time_to_live.ms)

    async def _say(self, inquiry: Inquiry, said: Answer, now_ms: int) -> None:
        def change(status: InquiryStatus) -> InquiryStatus:
            found = condition("ReferencesFound", True, "ReferencesFound", "", self._plane.clock)
            return status.model_copy(
                update={
                    "phase": "Answered",
                    "answer": said,
                    "expires_at": Instant(now_ms + inquiry.spec.time_to_live.ms),
                    "observed_generation": inquiry.metadata.generation,
                    "conditions": set_conditions(status.conditions, found),
                }
            )

        await update_status(self._plane.client, inquiry, change, InquiryStatus())

    async def _say_missing(self, inquiry: Inquiry, missing: Missing) -> None:
        def change(status: InquiryStatus) -> InquiryStatus:
            said = condition("ReferencesFound", False, missing.reason, missing.message, self._plane.clock)
            return status.model_copy(update={"conditions": set_conditions(status.conditions, said)})

        await update_status(self._plane.client, inquiry, change, InquiryStatus())
