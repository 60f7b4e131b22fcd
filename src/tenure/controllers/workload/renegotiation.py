"""Renegotiation: a contract that cannot be kept gets one offer of terms that can, held in its place until it is taken.

Two things ask for it: a step of the remedy ladder, where windows break a promise and nothing cheaper helped, and a
forecast that even its early end lies behind a deadline. The offer shares the capacity of the contract that it would
replace, as a renewal does, and is never accepted by itself: until its user takes it, the contract stands as signed.
"""

import asyncio
from collections.abc import Sequence
from typing import Literal

from tenure.controllers.answering.answer import Answered
from tenure.controllers.answering.quotes import Asker, offer_of
from tenure.controllers.contract.progress import AT_RISK
from tenure.controllers.contract.stating import state
from tenure.controllers.events import record
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.controllers.workload import later, lesser
from tenure.controllers.workload.occupied import calendar_of
from tenure.controllers.workload.offering import OFFER_LIFE_MS
from tenure.ledger import Decision, View, hold_offers, nothing
from tenure.placement import Fleet
from tenure.quantities import format_instant
from tenure.resources import Contract, Offer, Workload, condition_of
from tenure.resources.kinds.workload import WorkloadStatus

Why = Literal["promise", "deadline"]
CHANGEABLE = "Changeable"
RUNG = "renegotiate"
SOUGHT = "ChangeSought"
SOUGHT_MS = 3_600_000
"""That terms are sought is stated once in so long: they may be looked for every few seconds."""
AGAIN_MS: dict[Why, int] = {"promise": 5_000, "deadline": 60_000}
"""Where no better terms were found, or nobody took them, they are looked for again after so long. What service shows of
a promise grows with every window, and its step of the ladder waits for half a minute only."""


async def offer_changes(
    plane: Plane,
    workload: Workload,
    asker: Asker,
    contracts: Sequence[Contract],
    offers: Sequence[Offer],
    looked_ms: dict[str, int],
) -> None:
    """Hold and announce new terms for each contract that asks for some and has neither an offer nor a successor.

    `looked_ms` is when it was last looked for them, by the contract's uid.
    """
    now_ms = plane.clock.now_ms()
    await _follow_up(plane, workload, contracts, offers)
    answered = {o.spec.replaces for o in offers} | {c.spec.replaces for c in contracts}
    # What has a successor already would get a second one on the same cores.
    answered |= {c.spec.renews for c in contracts}
    for contract in contracts:
        why = why_change(contract)
        if why is None or contract.name in answered:
            continue
        if contract.uid not in looked_ms or now_ms - looked_ms[contract.uid] >= AGAIN_MS[why]:
            looked_ms[contract.uid] = now_ms
            await _offer(plane, workload, asker, contract, why)


async def _follow_up(plane: Plane, workload: Workload, contracts: Sequence[Contract], offers: Sequence[Offer]) -> None:
    """Announce an offer that a crash left held and unsaid; take back what was said of one that is over."""
    said = condition_of(workload.status.conditions, CHANGEABLE) if workload.status else None
    held = [o for o in offers if o.spec.replaces is not None and o.status is not None and o.status.phase == "Held"]
    by_name = {contract.name: contract for contract in contracts}
    for offer in held:
        contract = by_name.get(offer.spec.replaces or "")
        if contract is not None and (said is None or offer.name not in said.message):
            await _announce(plane, workload, contract, offer, "")
    if not held and said is not None and said.status == "True":
        taken = any(contract.name in said.message and contract.spec.replaces for contract in contracts)
        await _say(plane, workload, False, "Contracted" if taken else "Expired", "")


def why_change(contract: Contract) -> Why | None:
    """ "promise" while a step of renegotiation is open, "deadline" while it will be missed; None otherwise. Pure."""
    status = contract.status
    if status is None or status.phase != "Active":
        return None
    if any(step.rung == RUNG and step.outcome == "InProgress" for step in status.remedies):
        return "promise"
    risk = condition_of(status.conditions, AT_RISK)
    return "deadline" if risk is not None and risk.reason == "WillMiss" else None


async def _offer(plane: Plane, workload: Workload, asker: Asker, contract: Contract, why: Why) -> None:
    terms = await (lesser.find(plane, contract) if why == "promise" else later.find(plane, contract))
    if isinstance(terms, str):
        await _announce(plane, workload, contract, None, terms)
        return
    # Stated before anything is held: what the offer is, only its commit tells, and that is stated before it is said.
    hour = plane.clock.now_ms() // SOUGHT_MS
    sought = {"what": SOUGHT, "because": why}
    await asyncio.to_thread(state, plane, contract, "notice", f"{SOUGHT}/{why}/{hour}", sought)

    def decide(view: View, fleet: Fleet, now_ms: int) -> Decision:
        said: Answered = terms.answer(fleet, calendar_of(view, now_ms), asker.uid, now_ms)
        fitting = [planned for planned in said.planned if terms.changes(planned)]
        if not fitting:
            binding = said.answer.refusal.binding.message if said.answer.refusal else "nothing else can be promised"
            return nothing("NoChange", binding)
        best = min(fitting, key=lambda planned: (not planned.quote.meets_in_full, len(planned.quote.relaxed)))
        until_ms = min(now_ms + OFFER_LIFE_MS, int(contract.spec.term.end))
        made = offer_of(asker, terms.quote(best), best.plan, 0, until_ms, f"replaces {contract.name} {view.generation}")
        spec = made.spec.model_copy(update={"replaces": contract.name})
        return hold_offers([made.model_copy(update={"spec": spec})])

    commit = await plane.allocator.decide(decide, terms.known.stands_on)
    offer = commit.offers[0] if commit.offers else None
    await _announce(plane, workload, contract, offer, commit.refused.message if commit.refused else "")


async def _announce(plane: Plane, workload: Workload, contract: Contract, offer: Offer | None, why_not: str) -> None:
    """Stated as a notice, then said: a condition of the Workload, and an event of the contract."""
    if offer is not None:
        reason = "ChangeOffered"
        changed = "; ".join(f"{one.what} {one.offered} instead of {one.asked}" for one in offer.spec.relaxed)
        until = format_instant(int(offer.spec.expires_at))
        message = f"offer {offer.name} can be kept in place of contract {contract.name}, held until {until}"
        message += f": {changed}" if changed else ""
        body = {"what": reason, "offer": offer.name, "changes": changed, "until": until}
        await asyncio.to_thread(state, plane, contract, "notice", f"{reason}/{offer.name}", body)
    else:
        reason, message = "NoChange", f"contract {contract.name}: {why_not}"
    await _say(plane, workload, offer is not None, reason, message)
    await record(plane.client, contract, reason, message, plane.clock, warning=True)


async def _say(plane: Plane, workload: Workload, true: bool, reason: str, message: str) -> None:
    def change(status: WorkloadStatus) -> WorkloadStatus:
        said = condition(CHANGEABLE, true, reason, message, plane.clock)
        return status.model_copy(update={"conditions": set_conditions(status.conditions, said)})

    await update_status(plane.client, workload, change, WorkloadStatus())
