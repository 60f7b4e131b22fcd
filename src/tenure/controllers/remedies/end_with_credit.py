"""Rung: end with credit. The last one, and only where its user asked for an end rather than a broken promise."""

from tenure.controllers.contract.marks import set_phase
from tenure.controllers.events import record
from tenure.controllers.plane import Plane
from tenure.controllers.remedies.ladder import After, Outcome, Reasoned
from tenure.controllers.remedies.situation import Situation
from tenure.controllers.status import condition
from tenure.resources import Contract


class EndWithCredit:
    """Costs the work itself; the credit of the schedule is due, and fresh offers are made."""

    name = "end-with-credit"
    cost = "the work stops; the credit of the schedule is due, and fresh offers are made"
    heavy = True
    waits = False

    def helps(self, situation: Situation) -> Reasoned | None:
        """The error budget is used up and its user permits the end. Rungs above were tried first, or do not apply."""
        if not (situation.spent and situation.may_end):
            return None
        return Reasoned("the error budget is used up, nothing helped, and spec.remedies asks for an end then")

    def success(self, after: After) -> Outcome:  # noqa: ARG002 - one shape for all
        """By nothing that could follow: the end of the contract ends it."""
        return "InProgress"

    async def act(self, plane: Plane, contract: Contract, situation: Situation) -> str:  # noqa: ARG002 - one shape for all
        """Let it end. What is owed up to now is judged and settled on its way out."""
        said = condition("Ready", False, "EndedWithCredit", "nothing helped", plane.clock)
        updated = await set_phase(plane, contract, "Ending", said, ended_because="EndedWithCredit")
        message = "nothing helped; its windows are judged to the end, and the credit of its schedule is settled"
        await record(plane.client, updated, "EndedWithCredit", message, plane.clock, warning=True)
        return "it ends"
