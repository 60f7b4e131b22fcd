# ruff: noqa: N818 (the names are what happened, as users say it)
"""What can become of a request, read from the objects; and the errors where that is not what was wanted. Pure."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from tenure.quantities import format_instant
from tenure.resources import Condition, Contract, Inquiry, Offer, Workload, condition_of
from tenure.resources.kinds.answer import Answer, Quote
from tenure.resources.reasons import next_step

BLOCKING = ("ReferencesFound", "Reconciled")
"""Conditions that nothing goes on under while they are False."""
REFUSED_ACCEPTANCES = ("OfferExpired", "OfferNotFound", "OfferSuperseded", "PolicyForbids", "LocationUnknown")


class SdkError(Exception):
    """Something came out otherwise than wanted. `reason` is a stable code, `next_step` what to do about it."""

    default_reason: ClassVar[str] = "Unverifiable"

    def __init__(self, message: str, *, reason: str = "", step: str = "") -> None:
        super().__init__(message)
        self.reason = reason or self.default_reason
        self.next_step = step or next_step(self.reason)


class NotAccepted(SdkError):
    """The offer could not be accepted: expired, superseded, gone, or taken by another acceptance."""

    default_reason = "OfferExpired"


class NothingToAccept(SdkError):
    """The answer holds no offer that could be accepted."""

    default_reason = "Infeasible"


class CommissioningFailed(SdkError):
    """The contract ended before it became Active: its measurement on its own allocation did not hold, or it did not
    start."""

    default_reason = "CommissioningFailed"

    def __init__(self, message: str, *, contract: Contract, reason: str = "", step: str = "") -> None:
        super().__init__(message, reason=reason, step=step)
        self.contract = contract


class ContractOver(SdkError):
    """The contract has ended."""

    default_reason = "Ended"


class NoEndpoint(SdkError):
    """The contract serves no endpoint, or none yet: then the reason says what it waits for."""

    default_reason = "NoEndpoint"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a need stands: still `moving`, `answered`, or `blocked` on something that its user must bring, or on a
    fault that nobody can tell the end of."""

    state: Literal["moving", "answered", "blocked"]
    words: str
    answer: Answer | None = None
    blocked_by: Condition | None = None


def standing_of(workload: Workload, *, not_before_ms: int = 0) -> Standing:
    """Where a Workload's request stands. Answers given before `not_before_ms`, or to an earlier spec, do not count."""
    status = workload.status
    if status is None:
        return Standing("moving", "not seen yet")
    missing = condition_of(status.conditions, "ReferencesFound")
    if missing is not None and missing.status == "False":
        return Standing("blocked", missing.message, blocked_by=missing)
    current = status.observed_generation == workload.metadata.generation
    stuck = condition_of(status.conditions, "Reconciled")
    unanswered = status.answer is None or not current or status.answer.kind == "NeedsTrial"
    # A contract that stands is the answer, unless the need was edited since.
    if stuck is not None and stuck.status == "False" and unanswered and not (status.contract and current):
        return Standing("blocked", stuck.message, blocked_by=stuck)
    if status.phase == "Trialling":
        return Standing("moving", status.trial_progress or "measuring")
    if status.contract and current and status.phase in ("Contracted", "Running"):
        return Standing("answered", status.phase, answer=status.answer)
    failed = condition_of(status.conditions, "Measured")
    if status.phase == "Pending" and failed is not None and failed.reason == "TrialFailed":
        return Standing("blocked", failed.message, blocked_by=failed)
    said = status.answer
    if said is None or not current or int(said.answered_at) < not_before_ms:
        return Standing("moving", status.phase)
    if said.kind == "NeedsTrial":
        return Standing("moving", "a trial is needed")
    return Standing("answered", said.kind, answer=said)


def why_not_acceptable(offer: Offer, now_ms: int) -> NotAccepted | None:
    """The error of accepting this offer now; None when it can be tried."""
    phase = offer.status.phase if offer.status else "Proposed"
    if offer.spec.purpose != "Offer":
        return NotAccepted(f"{offer.name} is the hold of a trial, no offer", reason="OfferNotFound")
    if phase == "Withdrawn":
        return NotAccepted(f"offer {offer.name} was withdrawn", reason="OfferSuperseded")
    if phase == "Expired" or (phase != "Accepted" and int(offer.spec.expires_at) <= now_ms):
        return NotAccepted(f"offer {offer.name} expired at {format_instant(int(offer.spec.expires_at))}")
    return None


def acceptance_refused(workload: Workload, offer: str, since_generation: int) -> NotAccepted | None:
    """The error of an acceptance that is refused as things stand; None while it may still succeed.

    `since_generation` is the Workload's once it names the offer: what was said of an earlier choice is no answer, and
    what was said of this one stays true until its cause goes, however often it is accepted.
    """
    if workload.spec.accepted_offer != offer:
        chosen = workload.spec.accepted_offer or "none"
        return NotAccepted(f"another acceptance came after this one: {chosen}", reason="Conflict")
    said = condition_of(workload.status.conditions, "Accepted") if workload.status else None
    if said is None or said.status != "False" or (said.observed_generation or 0) < since_generation:
        return None
    return NotAccepted(said.message or said.reason, reason=said.reason)


def is_scheduled(contract: Contract) -> bool:
    """Whether the contract holds and waits for its start."""
    ready = condition_of(contract.status.conditions, "Ready") if contract.status else None
    return ready is not None and ready.reason == "Scheduled"


def not_active(contract: Contract) -> SdkError | None:
    """The error of waiting for a contract that will not become Active any more; None while it may."""
    status = contract.status
    if status is None or status.phase not in ("Ending", "Ended"):
        return None
    because = status.ended_because or "Ended"
    ready = condition_of(status.conditions, "Ready")
    message = (status.commissioning.message if status.commissioning else "") or (ready.message if ready else "")
    text = f"contract {contract.name} ended before it was Active ({because})" + (f": {message}" if message else "")
    if because in ("EndedByTerm", "Completed", "EndedByUser", "EndedByDeletion"):
        return ContractOver(text, reason=because)
    return CommissioningFailed(text, contract=contract, reason=because)


def keeps_failing(obj: Workload | Contract) -> SdkError | None:
    """The error of waiting for what the control plane keeps failing on; None where it does not."""
    stuck = condition_of(obj.status.conditions, "Reconciled") if obj.status else None
    if stuck is None or stuck.status != "False":
        return None
    return SdkError(f"{obj.kind.lower()} {obj.name}: {stuck.message}", reason=stuck.reason)


def offer_name(offer: Offer | Quote | str) -> str:
    """The name of the Offer meant. Raises NothingToAccept for a quote that holds nothing."""
    if isinstance(offer, str):
        return offer
    if isinstance(offer, Offer):
        return offer.name
    if offer.offer is None:
        raise NothingToAccept(
            "a quote holds nothing and cannot be accepted", reason="OfferNotFound", step="request it first"
        )
    return offer.offer


def contract_words(contract: Contract) -> str:
    """Where a contract stands, for whoever waits."""
    status = contract.status
    if status is None:
        return "Proposed"
    ready = condition_of(status.conditions, "Ready")
    return ready.message if ready is not None and ready.message and status.phase == "Commissioning" else status.phase


def blocked(standing: Standing) -> SdkError:
    """The error of a need that nothing goes on with."""
    assert standing.blocked_by is not None, "that is what blocked means"
    return blocked_by(standing.blocked_by)


def blocked_by(condition: Condition) -> SdkError:
    """The error that such a condition means: something that its user must bring, or that nobody can say."""
    sort = SdkError if condition.reason == "ReconcileFailed" else NothingToAccept
    return sort(condition.message, reason=condition.reason)


def inquiry_blocked(inquiry: Inquiry) -> Condition | None:
    """What keeps a question from being answered; None where nothing does."""
    found = (condition_of(inquiry.status.conditions, name) if inquiry.status else None for name in BLOCKING)
    return next((one for one in found if one is not None and one.status == "False"), None)
