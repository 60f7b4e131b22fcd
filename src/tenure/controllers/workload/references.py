"""References: what the need names exists, or a condition says which does not; it clears by itself."""

from tenure.controllers.answering.gather import Missing
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.controllers.workload.trial_status import without_trial
from tenure.resources import Workload
from tenure.resources.kinds.workload import WorkloadStatus


async def say_missing(plane: Plane, workload: Workload, missing: Missing) -> None:
    """Write the condition; the phase stays Pending until the reference is there."""

    def change(status: WorkloadStatus) -> WorkloadStatus:
        said = condition("ReferencesFound", False, missing.reason, missing.message, plane.clock)
        left = without_trial(status)
        return left.model_copy(
            update={
                "phase": "Pending",
                "observed_generation": workload.metadata.generation,
                "conditions": set_conditions(left.conditions, said),
            }
        )

    await update_status(plane.client, workload, change, WorkloadStatus())
