"""Decisions: what a caller wants of the next commit, made by a pure function of the view and the fleet.

A decision function gets `(View, Fleet, now_ms)` and returns a Decision: objects to propose and operations to commit,
or a Refused that says why nothing is to be committed. It may be called again at a later generation, so it
has no effects.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tenure.ledger.records import Record, View
from tenure.placement import Fleet
from tenure.resources import Contract, Offer
from tenure.resources.kinds.site import Operation


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing is committed, for the reason given (a code of `resources.reasons`)."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What to propose and commit together, or why not. `answer` goes back to the caller untouched."""

    offers: Sequence[Offer] = ()
    contracts: Sequence[Contract] = ()
    operations: Sequence[Operation] = ()
    refused: Refused | None = None
    answer: Any = None

    @property
    def proposed(self) -> list[Offer | Contract]:
        """The objects to create before the commit."""
        return [*self.offers, *self.contracts]


DecisionFunction = Callable[[View, Fleet, int], Decision]


def nothing(reason: str, message: str, answer: Any = None) -> Decision:
    """A decision to commit nothing."""
    return Decision(refused=Refused(reason, message), answer=answer)


def hold_offers(offers: Sequence[Offer], *, replaces: Sequence[Record] = (), answer: Any = None) -> Decision:
    """Hold these alternatives, and release those that they replace in the same commit."""
    return Decision(
        offers=offers,
        operations=[_release(record, "Withdrawn", "Withdrawn") for record in replaces],
        answer=answer,
    )


def accept(view: View, offer_uid: str, contract: Contract, now_ms: int) -> Decision:
    """Choose one held offer: its hold moves to `contract`, its siblings are released, all in one commit.

    Refused with OfferExpired when the offer's hold is no longer live or its time has passed. What the contract stands
    on needs no look: while the offer is held, its deletion waits for it.
    """
    chosen = view.records.get(offer_uid)
    if chosen is None or not chosen.counts:
        return nothing("OfferExpired", "the offer was no longer held when it was accepted")
    if chosen.expires_ms is not None and now_ms >= chosen.expires_ms:
        return nothing("OfferExpired", "the offer's time had passed when it was accepted")
    siblings = [r for r in view.group(chosen.hold.group) if r.uid != offer_uid and r.kind == "Offer"]
    return Decision(
        contracts=[contract],
        operations=[
            _operation("Choose", chosen, "Accepted", "Chosen"),
            *(_release(sibling, "Withdrawn", "SiblingChosen") for sibling in siblings),
        ],
    )


def release(records: Sequence[Record], to_phase: str, reason: str) -> Decision:
    """Release these holds. Nothing is committed when none of them is live any more."""
    live = [record for record in records if record.counts]
    if not live:
        return nothing("NotFound", "nothing is held any more")
    return Decision(operations=[_release(record, to_phase, reason) for record in live])


def capacity(
    name: str,
    uid: str,
    to_state: str,
    reason: str,
    *,
    kind: Literal["Machine", "Site"] = "Machine",
    withdrawn: Sequence[Record] = (),
) -> Decision:
    """Capacity appears, drains, fails or is re-budgeted: a commit like any other; every allocator then reads anew.

    It is that of a machine, or of all machines of a site. Offers that it does not carry any more are `withdrawn` by it,
    so that nobody accepts what is not there.
    """
    return Decision(
        operations=[
            Operation(
                operation="Capacity",
                kind=kind,
                name=name,
                uid=uid,
                to_phase=to_state,
                reason=reason,
            ),
            *(_release(record, "Withdrawn", "Withdrawn") for record in withdrawn),
        ]
    )


def _release(record: Record, to_phase: str, reason: str) -> Operation:
    return _operation("Release", record, to_phase, reason)


def _operation(operation: str, record: Record, to_phase: str, reason: str) -> Operation:
    return Operation.model_validate(
        {
            "operation": operation,
            "kind": record.kind,
            "namespace": record.namespace,
            "name": record.name,
            "uid": record.uid,
            "toPhase": to_phase,
            "reason": reason,
        }
    )
