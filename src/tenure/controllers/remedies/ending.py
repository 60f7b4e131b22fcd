"""The last rung: end with credit. The promise is broken for its period, and a renegotiation was offered and lapsed."""

from tenure.controllers.plane import Plane
from tenure.controllers.remedies.ladder import Reasoned
from tenure.controllers.remedies.situation import Situation
from tenure.resources import Contract


class EndWithCredit:
    """Costs the service; the price comes back by the declared schedule."""

    name = "end-with-credit"
    cost = "the service ends; credit by the schedule"

    def helps(self, situation: Situation) -> Reasoned | None:
        """Broken, and the offer to renegotiate was not taken."""
        if situation.period_breached and situation.renegotiated:
            return Reasoned("the error budget is used up and the renegotiation offered was not taken")
        return None

    async def act(self, plane: Plane, contract: Contract, situation: Situation) -> str:  # noqa: ARG002 - one shape for all
        """The contract's own reconciler ends it; here it is only decided."""
        return "the contract ends"
