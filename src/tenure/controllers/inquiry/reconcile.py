"""One question at a time: answered once, and anew when edited; deleted when its time to live since creation is over."""

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
CREATION_MS = 1_000


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
        left_ms = expires_ms(inquiry) - now_ms
        if left_ms <= 0:
            await plane.client.delete(Inquiry, inquiry.name, namespace=inquiry.namespace, uid=inquiry.uid)
            return None
        if _is_answered(inquiry):
            return Wait(left_ms)
        need = need_of(inquiry.spec.workload, now_ms)
        known = await gather(plane, inquiry.spec.workload, need, inquiry.namespace)
        if isinstance(known, Missing):
            await self._say_missing(inquiry, known)
            return Wait(min(LOOK_AGAIN_MS, left_ms))
        memory = await plane.allocator.look()
        said = answer(known, memory.fleet, calendar_of(memory.view, now_ms), f"inquiry-{inquiry.uid}", now_ms)
        await self._say(inquiry, said.answer)
        return Wait(left_ms)

    async def _say(self, inquiry: Inquiry, said: Answer) -> None:
        def change(status: InquiryStatus) -> InquiryStatus:
            found = condition("ReferencesFound", True, "ReferencesFound", "", self._plane.clock)
            return status.model_copy(
                update={
                    "phase": "Answered",
                    "answer": said,
                    "expires_at": Instant(expires_ms(inquiry)),
                    "observed_generation": inquiry.metadata.generation,
                    "conditions": set_conditions(status.conditions, found),
                }
            )

        await update_status(self._plane.client, inquiry, change, InquiryStatus())

    async def _say_missing(self, inquiry: Inquiry, missing: Missing) -> None:
        def change(status: InquiryStatus) -> InquiryStatus:
            said = condition("ReferencesFound", False, missing.reason, missing.message, self._plane.clock)
            return status.model_copy(
                update={
                    "phase": "Asked",
                    "answer": None,  # one to an earlier question is none to this
                    "observed_generation": inquiry.metadata.generation,
                    "conditions": set_conditions(status.conditions, said),
                }
            )

        await update_status(self._plane.client, inquiry, change, InquiryStatus())


def expires_ms(inquiry: Inquiry) -> int:
    """When its time is over, answered or not. Unix milliseconds.

    Hosts write the whole second of a creation, so that second is counted as not begun: a short life is never cut.
    """
    return int(inquiry.metadata.creation_timestamp or 0) + CREATION_MS + inquiry.spec.time_to_live.ms


def _is_answered(inquiry: Inquiry) -> bool:
    """Whether the answer is to the question as it is now; an edited one is answered anew."""
    status = inquiry.status
    return (
        status is not None and status.phase == "Answered" and status.observed_generation == inquiry.metadata.generation
    )
