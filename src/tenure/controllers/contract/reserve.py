"""The reserve of a contract: what is held back for it, and which cores its run may use now. Pure.

A reserve on the machine of the work can be brought in while it runs; one on another machine waits for its failure.
"""

from collections.abc import Sequence

from tenure.resources import Contract
from tenure.resources.kinds.allocation import Claim
from tenure.resources.kinds.standing import RemedyStep, ReserveStatus

ADD_CAPACITY = "add-capacity"
"""The rung that brings it in."""


def held_back(contract: Contract) -> tuple[int, ...]:
    """Cores beside the work's own that are still held back and could be brought in."""
    return () if _in_use(contract) else _beside(contract)


def cores_now(contract: Contract) -> list[int]:
    """The cores that the run may use: its own, and those of the reserve once that was called in."""
    own = contract.spec.hold.claims[0].cores
    return sorted({*own, *_beside(contract)}) if _in_use(contract) else list(own)


def claim_now(contract: Contract) -> Claim:
    """What the run is to be held to now, for the read-back."""
    return contract.spec.hold.claims[0].model_copy(update={"cores": cores_now(contract)})


def reserve_after(contract: Contract, steps: Sequence[RemedyStep]) -> ReserveStatus | None:
    """What the status says of the reserve once these are its remedies: written with them, so neither is without the
    other. A step that did not help gives it back. None where there is no reserve."""
    if not contract.spec.hold.reserve:
        return None
    newest = next((step for step in reversed(steps) if step.rung == ADD_CAPACITY), None)
    if newest is None:
        return (contract.status.reserve if contract.status else None) or ReserveStatus()
    if newest.outcome == "DidNotHelp":
        return ReserveStatus()
    return ReserveStatus(state="InUse", since=newest.started_at, because=newest.cause)


def _in_use(contract: Contract) -> bool:
    reserve = contract.status.reserve if contract.status else None
    return reserve is not None and reserve.state == "InUse"


def _beside(contract: Contract) -> tuple[int, ...]:
    machine = contract.spec.hold.claims[0].machine
    return tuple(core for claim in contract.spec.hold.reserve if claim.machine == machine for core in claim.cores)
