"""What a Workload says of its trial: how far it is, that it was made, why it was not."""

from tenure.client import NotFound
from tenure.controllers.events import record
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.controllers.trialling.running import RunningTrial
from tenure.controllers.workload.wish import met_by_a_trial
from tenure.resources import Workload
from tenure.resources.kinds.workload import WorkloadStatus


async def say_progress(plane: Plane, workload: Workload, trial: RunningTrial) -> None:
    """It is being measured, and so far."""

    def change(status: WorkloadStatus) -> WorkloadStatus:
        trialling = condition("Measured", None, "Trialling", "", plane.clock)
        found = condition("ReferencesFound", True, "ReferencesFound", "", plane.clock)
        return status.model_copy(
            update={
                "phase": "Trialling",
                "trial": trial.offer.name,
                "trial_progress": trial.progress(),
                "observed_generation": workload.metadata.generation,
                "conditions": set_conditions(status.conditions, found, trialling),
            }
        )

    await update_status(plane.client, workload, change, WorkloadStatus())


async def say_measured(plane: Plane, workload: Workload) -> None:
    """It was measured; with the wish that this met, where there was one."""

    def change(status: WorkloadStatus) -> WorkloadStatus:
        measured = condition("Measured", True, "Measured", "", plane.clock)
        made = met_by_a_trial(workload) or status.trial_made
        return status.model_copy(update={"trial_made": made, "conditions": set_conditions(status.conditions, measured)})

    await update_status(plane.client, workload, change, WorkloadStatus())


async def say_failed(plane: Plane, workload: Workload, message: str) -> None:
    """It was not measured, and why."""

    def change(status: WorkloadStatus) -> WorkloadStatus:
        failed = condition("Measured", False, "TrialFailed", message, plane.clock)
        return status.model_copy(
            update={
                "phase": "Pending",
                "trial": None,
                "trial_progress": None,
                "conditions": set_conditions(status.conditions, failed),
            }
        )

    try:
        updated = await update_status(plane.client, workload, change, WorkloadStatus())
    except NotFound:
        return
    await record(plane.client, updated, "TrialFailed", message, plane.clock, warning=True)
