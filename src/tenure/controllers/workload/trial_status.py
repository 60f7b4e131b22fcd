"""What a Workload says of its trial: how far it is, that it was made, why it was not, that it cannot be ended."""

from contextlib import suppress

from tenure.client import NotFound
from tenure.controllers.events import record
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.controllers.trialling.running import RunningTrial
from tenure.controllers.workload.wish import met_by_a_trial, why_unreadable
from tenure.engines import EngineFailure
from tenure.resources import Condition, Workload, condition_of
from tenure.resources.kinds.workload import WorkloadStatus


def without_trial(status: WorkloadStatus) -> WorkloadStatus:
    """The status without what is said of a trial in flight: of one that was withdrawn, as by an edit, nothing stays."""
    conditions = [one for one in status.conditions if one.type != "Measured" or one.reason != "Trialling"]
    return status.model_copy(update={"trial": None, "trial_progress": None, "conditions": conditions})


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


async def say_release(plane: Plane, workload: Workload, stuck: EngineFailure | None) -> None:
    """That what its trial ran is still there, and why; where nothing is (any more), there is nothing to say."""
    said = condition("Released", False, "WaitingForRelease", str(stuck), plane.clock) if stuck is not None else None
    await _say_while_so(plane, workload, "Released", said)


async def say_wish(plane: Plane, workload: Workload) -> None:
    """That the wish for a longer trial cannot be read, and why, for as long as it cannot."""
    why = why_unreadable(workload)
    said = condition("WishRead", False, "InvalidQuantity", why, plane.clock) if why else None
    await _say_while_so(plane, workload, "WishRead", said)


async def _say_while_so(plane: Plane, workload: Workload, type: str, said: Condition | None) -> None:
    """A condition that is there while something is wrong, and no longer."""
    if said is None and (workload.status is None or condition_of(workload.status.conditions, type) is None):
        return

    def change(status: WorkloadStatus) -> WorkloadStatus:
        others = [one for one in status.conditions if one.type != type]
        conditions = others if said is None else set_conditions(status.conditions, said)
        return status.model_copy(update={"conditions": conditions})

    with suppress(NotFound):  # it was deleted meanwhile
        await update_status(plane.client, workload, change, WorkloadStatus())
