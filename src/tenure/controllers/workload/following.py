"""Following: once there is a contract, the Workload's phase is the contract's, in the Workload's words."""

from collections.abc import Sequence
from typing import Literal

from tenure.controllers.answering.need import need_digest
from tenure.controllers.kernel import Wait
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.controllers.workload.trial_status import without_trial
from tenure.resources import Contract, Workload, condition_of
from tenure.resources.kinds.workload import WorkloadStatus

Final = Literal["Succeeded", "Failed"]
OFFERS_FOLLOW = ("CommissioningFailed", "ReadBackDiffers", "StartFailed", "Renegotiated", "EndedWithCredit")
"""Ends of a contract after which its need is answered anew."""


async def follow(plane: Plane, workload: Workload, standing: Sequence[Contract]) -> Wait | None:
    """Contracted while it is made true, Running while it is Active. The contract wakes this again.

    Of a contract and the one that renews it, the one that runs is shown.
    """
    contract = max(standing, key=lambda c: (_is_active(c), int(c.metadata.creation_timestamp or 0)))
    phase = "Running" if _is_active(contract) else "Contracted"
    chosen = workload.spec.accepted_offer
    refused = chosen is not None and all(c.spec.offer != chosen for c in standing)

    def change(status: WorkloadStatus) -> WorkloadStatus:
        done = condition("Accepted", True, "Contracted", f"offer {contract.spec.offer} became a contract", plane.clock)
        said = condition_of(status.conditions, "Accepted")
        if refused and said is not None and said.status == "False":
            done = said  # why the newest choice was not accepted stays to be read
        left = without_trial(status)
        return left.model_copy(
            update={
                "phase": phase,
                "contract": contract.name,
                "endpoint": contract.status.endpoint if contract.status else None,
                "observed_generation": workload.metadata.generation,
                "conditions": set_conditions(left.conditions, done),
            }
        )

    await update_status(plane.client, workload, change, WorkloadStatus())
    return None


def _is_active(contract: Contract) -> bool:
    return contract.status is not None and contract.status.phase == "Active"


def final_phase(workload: Workload, contracts: Sequence[Contract]) -> Final | None:
    """How the need ended, if its contract is over and its user did not ask for more; None when offers are wanted.

    A contract that failed commissioning is no end: fresh offers follow.
    """
    need = need_digest(workload.spec)
    over = [c for c in contracts if c.spec.workload.need == need and c.status is not None and c.status.phase == "Ended"]
    if not over:
        return None
    last = max(over, key=lambda c: int(c.metadata.creation_timestamp or 0))
    assert last.status is not None
    because = last.status.ended_because
    if because in ("EndedByTerm", "Completed", "EndedByUser", "EndedByDeletion"):
        return "Succeeded"
    if because == "StartFailed" and workload.spec.inference is None:
        return "Failed"  # to start it again by itself would repeat whatever it did before it failed
    return None if because in OFFERS_FOLLOW else "Failed"


def has_begun(workload: Workload, contracts: Sequence[Contract], now_ms: int) -> bool:
    """Whether a contract of the need as it is now came to its start: what follows it begins nothing, it goes on."""
    need = need_digest(workload.spec)
    return any(int(c.spec.term.start) <= _until_ms(c, now_ms) for c in contracts if c.spec.workload.need == need)


def _until_ms(contract: Contract, now_ms: int) -> int:
    ended = contract.status.ended_at if contract.status is not None else None
    return now_ms if ended is None else int(ended)


async def finish(plane: Plane, workload: Workload, phase: Final) -> Wait | None:
    """Write the final phase. A changed need makes it Pending again by itself."""

    def change(status: WorkloadStatus) -> WorkloadStatus:
        return without_trial(status).model_copy(
            update={"phase": phase, "endpoint": None, "observed_generation": workload.metadata.generation}
        )

    await update_status(plane.client, workload, change, WorkloadStatus())
    return None
