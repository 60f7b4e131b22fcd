"""Writing a contract's own progress: phase, conditions, and what was seen."""

from typing import Any

from tenure.controllers.plane import Plane
from tenure.controllers.status import set_conditions, update_status
from tenure.resources import Condition, Contract
from tenure.resources.kinds.contract import ContractStatus

ORDER = ("Proposed", "Commissioning", "Active", "Ending", "Ended")


async def set_phase(plane: Plane, contract: Contract, phase: str, *conditions: Condition, **more: Any) -> Contract:
    """Write the phase, never back to an earlier one, with conditions and other fields of the status."""

    def change(status: ContractStatus) -> ContractStatus:
        forward = ORDER.index(phase) >= ORDER.index(status.phase)
        return status.model_copy(
            update={
                **more,
                "phase": phase if forward else status.phase,
                "observed_generation": contract.metadata.generation,
                "conditions": set_conditions(status.conditions, *conditions),
            }
        )

    return await update_status(plane.client, contract, change, ContractStatus())
