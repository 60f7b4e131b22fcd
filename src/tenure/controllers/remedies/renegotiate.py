"""Rung: renegotiate. What was measured in service says that the promise cannot be kept; an offer that can is made."""

from tenure.controllers.plane import Plane
from tenure.controllers.remedies.ladder import Reasoned
from tenure.controllers.remedies.situation import Situation
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.resources import Contract
from tenure.resources.kinds.contract import ContractStatus

CONDITION = "Renegotiating"


class Renegotiate:
    """Costs the user a decision; the old contract stands until an offer is accepted."""

    name = "renegotiate"
    cost = "a decision of its user; the contract stands meanwhile"

    def helps(self, situation: Situation) -> Reasoned | None:
        """The budget is used up and nothing cheaper is left."""
        if situation.period_breached and not situation.renegotiated:
            return Reasoned("the error budget is used up and no cheaper step helps")
        return None

    async def act(self, plane: Plane, contract: Contract, situation: Situation) -> str:  # noqa: ARG002 - one shape for all
        """Mark the contract; its Workload then gets fresh offers beside it."""

        def change(status: ContractStatus) -> ContractStatus:
            said = condition(CONDITION, True, "Renegotiating", "fresh offers are held beside it", plane.clock)
            return status.model_copy(update={"conditions": set_conditions(status.conditions, said)})

        await update_status(plane.client, contract, change, ContractStatus())
        return "fresh offers are being made: tenure get offers"
