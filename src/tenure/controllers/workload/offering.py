"""Offers: answered on one generation of the ledger, held in its next, and only then said."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tenure.controllers.answering.answer import Answered, Knowledge, answer
from tenure.controllers.answering.need import need_digest
from tenure.controllers.answering.quotes import Asker, offer_of
from tenure.controllers.events import record
from tenure.controllers.kernel import Wait
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.controllers.workload.occupied import calendar_of
from tenure.controllers.workload.restraint import unheld
from tenure.controllers.workload.trial_status import without_trial
from tenure.ledger import GONE, Decision, View, hold_offers, nothing
from tenure.placement import Fleet
from tenure.resources import Contract, Offer, Workload
from tenure.resources.kinds.answer import Answer
from tenure.resources.kinds.workload import WorkloadStatus

OFFER_LIFE_MS = 600_000
ASK_AGAIN_MS = 30_000
PHASES = {"Offers": "Offered", "CounterOffers": "Offered", "Refusal": "Refused", "NeedsTrial": "Pending"}
REASONS = {"Offers": "Offered", "CounterOffers": "CounterOffered", "Refusal": "Infeasible", "NeedsTrial": "NoEvidence"}


def still_held(offers: Sequence[Offer], workload: Workload, now_ms: int) -> list[Offer]:
    """The offers that are held for the need as it is now."""
    need = need_digest(workload.spec)
    return [
        offer
        for offer in offers
        if offer.status is not None
        and offer.status.phase == "Held"
        and offer.metadata.deletion_timestamp is None
        and offer.spec.workload.need == need
        and int(offer.spec.expires_at) > now_ms
    ]


async def make_offers(
    plane: Plane,
    workload: Workload,
    asker: Asker,
    known: Knowledge,
    earlier: Sequence[Offer],
    standing: Sequence[Contract] = (),
) -> Wait | None:
    """Answer, hold what can be held, say it. Offers for an earlier need are released in the same commit.

    An offer that starts at the very end of a `standing` contract of the same Workload renews it, and says so.
    """
    need = need_digest(workload.spec)
    stale = {offer.uid for offer in earlier if offer.spec.workload.need != need}

    def decide(view: View, fleet: Fleet, now_ms: int) -> Decision:
        said = answer(known, fleet, calendar_of(view, now_ms), asker.uid, now_ms)
        replaces = [r for r in view.live() if r.uid in stale]
        if not said.planned:
            return nothing("Infeasible", "nothing can be held", answer=said)
        why_not = unheld(said.planned, view, fleet, asker.uid)
        said = _unheld(said, why_not)
        offers = [
            renewing(
                offer_of(asker, planned.quote, planned.plan, rank, now_ms + OFFER_LIFE_MS, str(view.generation)),
                standing,
            )
            for rank, planned in enumerate(said.planned)
            if rank not in why_not
        ]
        if not offers and not replaces:
            return nothing("CounterOfferUnheld", next(iter(why_not.values())), answer=said)
        return hold_offers(offers, replaces=replaces, answer=said)

    commit = await plane.allocator.decide(decide, known.stands_on)
    if commit.refused is not None and commit.refused.reason == GONE:
        return Wait(1)  # what was gathered is no longer so: gathered anew, it says what is missing
    answered: Answered = commit.answer
    await say(plane, workload, _named(answered.answer, commit.offers))
    return None if commit.offers else Wait(ASK_AGAIN_MS)


def renewing(offer: Offer, standing: Sequence[Contract]) -> Offer:
    """The offer, with the name of the contract that it continues if it starts where that one ends."""
    renewed = next((c.name for c in standing if int(c.spec.term.end) == int(offer.spec.hold.start)), None)
    return offer.model_copy(update={"spec": offer.spec.model_copy(update={"renews": renewed})})


def _unheld(said: Answered, why_not: Mapping[int, str]) -> Answered:
    """The answer, with why some of its quotes are not held."""
    quotes = [
        quote.model_copy(update={"unheld_because": why_not.get(place)})
        for place, quote in enumerate(said.answer.quotes)
    ]
    return replace(said, answer=said.answer.model_copy(update={"quotes": quotes}))


def _named(said: Answer, offers: Sequence[Offer]) -> Answer:
    """The answer with the name of the Offer that holds each quote."""
    names = {offer.spec.rank: offer.name for offer in offers}
    quotes = [quote.model_copy(update={"offer": names.get(rank)}) for rank, quote in enumerate(said.quotes)]
    return said.model_copy(update={"quotes": quotes})


async def say(plane: Plane, workload: Workload, said: Answer) -> None:
    """Write the answer into the status, with the condition that sums it up."""
    reason = REASONS[said.kind]
    message = ""
    if said.refusal is not None:
        message = said.refusal.binding.message
        if said.kind == "Refusal" and said.refusal.binding.constraint.startswith("residency"):
            reason = "PolicyForbids"

    held = any(quote.offer for quote in said.quotes)
    phase = PHASES[said.kind]
    if phase == "Offered" and not held:
        reason, phase = "CounterOfferUnheld", "Refused"

    def change(status: WorkloadStatus) -> WorkloadStatus:
        offered = condition("Offered", held, reason, message, plane.clock)
        found = condition("ReferencesFound", True, "ReferencesFound", "", plane.clock)
        # An equal answer a moment later is the same answer: it is not written again.
        before = status.answer
        same = before is not None and before.model_copy(update={"answered_at": said.answered_at}) == said
        left = without_trial(status)
        return left.model_copy(
            update={
                "phase": phase,
                "answer": before if same else said,
                "observed_generation": workload.metadata.generation,
                "conditions": set_conditions(left.conditions, found, offered),
            }
        )

    before = workload.status.answer.kind if workload.status and workload.status.answer else None
    updated = await update_status(plane.client, workload, change, WorkloadStatus())
    if before != said.kind:
        await record(plane.client, updated, reason, message or held_text(said), plane.clock)


def held_text(said: Answer) -> str:
    """How many offers of an answer are held, for the event that tells of it."""
    held = sum(quote.offer is not None for quote in said.quotes)
    return {0: "no offer is held", 1: "1 offer is held"}.get(held, f"{held} offers are held")
