"""Marks: the phases that follow from a commit, written after it by compare-and-swap from the phase expected before.

Whoever allocates next completes the marks of the last batch, so a crash between a commit and its marks loses nothing.
"""

from tenure.client import AsyncClient, Conflict, NotFound
from tenure.quantities import Clock, Instant
from tenure.resources import Condition, Contract, Machine, Offer, with_condition
from tenure.resources.kinds.contract import ContractStatus, OfferStatus
from tenure.resources.kinds.machine import MachineStatus
from tenure.resources.kinds.site import Operation

# The phases a mark may replace. Any other phase means that the mark was made already and life went on.
EXPECTED = {
    ("Offer", "Held"): {"Proposed"},
    ("Offer", "Accepted"): {"Proposed", "Held"},
    ("Offer", "Expired"): {"Proposed", "Held"},
    ("Offer", "Withdrawn"): {"Proposed", "Held"},
    ("Contract", "Commissioning"): {"Proposed"},
    ("Contract", "Ended"): {"Proposed", "Commissioning", "Active", "Ending"},
}
ATTEMPTS_MAX = 8


async def complete_marks(client: AsyncClient, batch: list[Operation], clock: Clock) -> bool:
    """Write every mark of `batch` that is not written yet. Objects that are gone need none; False if there are any."""
    return all([await _complete(client, operation, clock) for operation in batch])


async def _complete(client: AsyncClient, operation: Operation, clock: Clock) -> bool:
    """False when its object is gone."""
    for _ in range(ATTEMPTS_MAX):
        try:
            if await _mark(client, operation, clock):
                return True
        except Conflict:
            continue  # somebody wrote another part of the status meanwhile: read again
        except NotFound:
            return False
    raise Conflict(f"the phase of {operation.kind} {operation.name} kept changing while it was marked")


async def _mark(client: AsyncClient, operation: Operation, clock: Clock) -> bool:
    """True once the mark stands."""
    match operation.kind:
        case "Offer":
            offer = await client.get(Offer, operation.name, namespace=operation.namespace)
            if offer.uid == operation.uid and _due(operation, offer.status.phase if offer.status else "Proposed"):
                await client.replace_status(marked_offer(offer, operation, clock.now_ms()))
        case "Contract":
            contract = await client.get(Contract, operation.name, namespace=operation.namespace)
            if contract.uid == operation.uid and _due(
                operation, contract.status.phase if contract.status else "Proposed"
            ):
                await client.replace_status(marked_contract(contract, operation, clock.now_ms()))
        case "Machine":
            machine = await client.get(Machine, operation.name)
            status = machine.status or MachineStatus()
            if machine.uid == operation.uid and status.state != operation.to_phase:
                changed = status.model_copy(update={"state": operation.to_phase})
                await client.replace_status(machine.model_copy(update={"status": changed}))
    return True


def _due(operation: Operation, phase: str) -> bool:
    return phase in EXPECTED[operation.kind, operation.to_phase]


def marked_offer(offer: Offer, operation: Operation, now_ms: int) -> Offer:
    """`offer` with the phase that `operation` gives it, and the condition that says why."""
    status = offer.status or OfferStatus()
    held = operation.to_phase == "Held"
    changed = status.model_copy(
        update={
            "phase": operation.to_phase,
            "contract": offer.name if operation.to_phase == "Accepted" else status.contract,
            "observed_generation": offer.metadata.generation,
            "conditions": with_condition(
                status.conditions, _condition("Held", held, operation.reason or operation.to_phase, now_ms)
            ),
        }
    )
    return offer.model_copy(update={"status": changed})


def marked_contract(contract: Contract, operation: Operation, now_ms: int) -> Contract:
    """`contract` with the phase that `operation` gives it."""
    status = contract.status or ContractStatus()
    ended = operation.to_phase == "Ended"
    changed = status.model_copy(
        update={
            "phase": operation.to_phase,
            "ended_at": Instant(now_ms) if ended else status.ended_at,
            "ended_because": operation.reason if ended else status.ended_because,
            "observed_generation": contract.metadata.generation,
            "conditions": with_condition(
                status.conditions, _condition("Held", not ended, operation.reason or operation.to_phase, now_ms)
            ),
        }
    )
    return contract.model_copy(update={"status": changed})


def _condition(type: str, true: bool, reason: str, now_ms: int) -> Condition:
    return Condition(type=type, status="True" if true else "False", reason=reason, last_transition_time=Instant(now_ms))
