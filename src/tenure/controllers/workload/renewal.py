"""Renewal: a contract that was given notice gets one offer that goes on exactly where it ends, for as long again.

It is held until the contract ends, and never accepted by itself: more was not asked for. Offers of one Workload do not
stand in each other's way, so a renewal may have the very cores of the contract that it continues, without a margin; its
work starts once the old one's processes are gone.
"""

from collections.abc import Sequence
from dataclasses import replace

from tenure.controllers.answering.answer import Planned, answer
from tenure.controllers.answering.gather import Missing, gather
from tenure.controllers.answering.need import Window, need_of
from tenure.controllers.answering.quotes import Asker, offer_of
from tenure.controllers.contract.notice import is_ending_soon
from tenure.controllers.events import record
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.controllers.workload.later import due_by
from tenure.controllers.workload.occupied import calendar_of
from tenure.controllers.workload.offering import renewing
from tenure.ledger import Decision, View, hold_offers, nothing, release
from tenure.placement import Fleet
from tenure.quantities import format_instant
from tenure.resources import Contract, Offer, Workload, condition_of
from tenure.resources.kinds.workload import WorkloadStatus

RENEWABLE = "Renewable"


async def offer_renewals(
    plane: Plane, workload: Workload, asker: Asker, contracts: Sequence[Contract], offers: Sequence[Offer]
) -> None:
    """Hold and announce a renewal for each contract that ends soon and has neither an offer nor a successor."""
    answered = {o.spec.renews for o in offers} | {c.spec.renews for c in contracts}
    for contract in contracts:
        active = contract.status is not None and contract.status.phase == "Active"
        if active and is_ending_soon(contract) and contract.name not in answered:
            await _offer(plane, workload, asker, contract)


async def withdraw_stale(plane: Plane, offers: Sequence[Offer], standing: Sequence[Contract]) -> list[Offer]:
    """Release what would renew or replace contracts that do not stand any more; returns the offers that are left."""
    names = {contract.name for contract in standing}
    of = {o.uid: o.spec.renews or o.spec.replaces for o in offers}
    stale = {uid for uid, contract in of.items() if contract is not None and contract not in names}
    if any(o.uid in stale and o.status is not None and o.status.phase == "Held" for o in offers):
        await plane.allocator.decide(
            lambda view, fleet, now_ms: release(  # noqa: ARG005 - the shape of a decision
                [r for r in view.live() if r.uid in stale], "Withdrawn", "Withdrawn"
            )
        )
    return [o for o in offers if o.uid not in stale]


async def _offer(plane: Plane, workload: Workload, asker: Asker, contract: Contract) -> None:
    start_ms, end_ms = int(contract.spec.term.start), int(contract.spec.term.end)
    body, by = contract.spec.body, contract.spec.promises.complete_by
    body = body if by is None else due_by(body, int(by))  # as agreed, where a later one was
    need = need_of(body, plane.clock.now_ms())
    need = replace(need, when=Window(end_ms, end_ms, end_ms - start_ms))
    known = await gather(plane, body, need, contract.namespace, trial_made=True)
    if isinstance(known, Missing):
        await _announce(plane, workload, contract, None, known.message)
        return

    def decide(view: View, fleet: Fleet, now_ms: int) -> Decision:
        said = answer(known, fleet, calendar_of(view, now_ms), asker.uid, now_ms)
        fitting = [planned for planned in said.planned if planned.plan.start_ms == end_ms]
        if not fitting:
            binding = said.answer.refusal.binding.message if said.answer.refusal else "nothing starts at its end"
            return nothing("NoRenewal", binding)
        best = min(fitting, key=lambda planned: _distance(planned, contract))
        made = offer_of(asker, best.quote, best.plan, 0, end_ms, f"renews {contract.name} {view.generation}")
        return hold_offers([renewing(made, [contract])])

    commit = await plane.allocator.decide(decide, known.stands_on)
    offer = commit.offers[0] if commit.offers else None
    await _announce(plane, workload, contract, offer, commit.refused.message if commit.refused else "")


def _distance(planned: Planned, contract: Contract) -> tuple[bool, bool]:
    """What meets the need in full comes first, then what runs in the shape that runs now."""
    return not planned.quote.meets_in_full, planned.quote.shape != contract.spec.shape


async def _announce(plane: Plane, workload: Workload, contract: Contract, offer: Offer | None, why_not: str) -> None:
    """A condition of the Workload, and an event of the contract; a failure is said once."""
    if offer is not None:
        reason = "RenewalOffered"
        until = format_instant(int(offer.spec.hold.end))
        message = f"offer {offer.name} continues contract {contract.name} until {until}"
    else:
        reason, message = "NoRenewal", f"contract {contract.name}: {why_not}"
    before = condition_of(workload.status.conditions, RENEWABLE) if workload.status else None
    if before is not None and before.reason == reason and before.message.startswith(message):
        return

    def change(status: WorkloadStatus) -> WorkloadStatus:
        said = condition(RENEWABLE, offer is not None, reason, message, plane.clock)
        return status.model_copy(update={"conditions": set_conditions(status.conditions, said)})

    await update_status(plane.client, workload, change, WorkloadStatus())
    await record(plane.client, contract, reason, message, plane.clock, warning=offer is None)
