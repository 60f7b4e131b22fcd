"""A Workload's way, one phase a file: follow its contract, accept what was chosen, find evidence, make offers."""

from typing import TypeVar

from tenure.client import NotFound
from tenure.controllers.answering.gather import Missing, gather
from tenure.controllers.answering.need import need_digest, need_of
from tenure.controllers.answering.quotes import Asker
from tenure.controllers.kernel import Key, Wait
from tenure.controllers.plane import Plane
from tenure.controllers.workload import acceptance, following, offering, references, renegotiation, renewal
from tenure.controllers.workload.place import PlaceBound
from tenure.controllers.workload.trial import STOP_AGAIN_MS, Trials
from tenure.controllers.workload.trial_status import say_wish
from tenure.ledger.collect import is_proposed
from tenure.resources import Contract, Offer, Workload

LOOK_AGAIN_MS = 5_000
T = TypeVar("T", Offer, Contract)


class WorkloadReconciler:
    """One need at a time."""

    def __init__(self, plane: Plane, trials: Trials) -> None:
        self._plane = plane
        self._trials = trials
        self._looked_ms: dict[str, int] = {}
        self.place_bound = PlaceBound()

    async def reconcile(self, key: Key) -> Wait | None:
        """Bring the need one step further; the phase files say when to look again."""
        plane = self._plane
        try:
            workload = await plane.client.get(Workload, key.name, namespace=key.namespace)
        except NotFound:
            self.place_bound.note(key, None)
            stuck = await self._trials.drop(key.namespace, key.name)  # its Offer goes with it, and says why it stays
            return Wait(STOP_AGAIN_MS) if stuck is not None else None
        self.place_bound.note(key, workload)
        if workload.metadata.deletion_timestamp is not None:
            return await self._trials.leave_off(workload)
        await say_wish(plane, workload)
        contracts = await _made(plane, await _of(plane, Contract, workload))
        standing = _standing(contracts)
        offers = [o for o in await _of(plane, Offer, workload) if o.spec.purpose == "Offer"]
        offers = await renewal.withdraw_stale(plane, offers, standing)
        if standing and _answers(standing, workload):
            if workload.spec.accepted_offer and await acceptance.accept_chosen(plane, workload, contracts):
                return Wait(1)
            await renewal.offer_renewals(plane, workload, asker_of(workload), contracts, offers)
            await renegotiation.offer_changes(plane, workload, asker_of(workload), contracts, offers, self._looked_ms)
            await following.follow(plane, workload, standing)
            return await self._trials.leave_off(workload)  # last: what cannot be stopped takes its time
        if _ended_by_its_user(workload):
            await following.finish(plane, workload, "Succeeded")
            return await self._trials.leave_off(workload)
        if workload.spec.accepted_offer:
            accepted = await acceptance.accept_chosen(plane, workload, contracts)
            if accepted is not None:
                return accepted
        else:
            await acceptance.forget_refusal(plane, workload)
        held = offering.still_held(offers, workload, plane.clock.now_ms())
        if held and self._trials.wish(workload) is None:
            return await acceptance.wait_for_choice(plane, workload, held)
        over = following.final_phase(workload, contracts)
        if over is not None:
            await following.finish(plane, workload, over)
            return await self._trials.leave_off(workload)
        return await self._answer(workload, offers, contracts)

    async def _answer(self, workload: Workload, offers: list[Offer], contracts: list[Contract]) -> Wait | None:
        plane = self._plane
        trialling = await self._trials.look(workload)
        if trialling is not None:
            return trialling
        asker = asker_of(workload)
        now_ms = plane.clock.now_ms()
        need = need_of(workload.spec, now_ms)
        if following.has_begun(workload, contracts, now_ms):
            need = need.begun
        known = await gather(
            plane,
            workload.spec,
            need,
            workload.namespace,
            trial=self._trials.wish(workload),
            trial_made=self._trials.was_made(workload),
        )
        if isinstance(known, Missing):
            await references.say_missing(plane, workload, known)
            return Wait(LOOK_AGAIN_MS)
        if known.trial is None:
            return await offering.make_offers(plane, workload, asker, known, offers, _standing(contracts))
        return await self._trials.run(workload, asker, known)


def asker_of(workload: Workload) -> Asker:
    """The workload as one who asks."""
    return Asker(
        kind="Workload",
        name=workload.name,
        namespace=workload.namespace or "default",
        uid=workload.uid,
        generation=workload.metadata.generation or 1,
        need=need_digest(workload.spec),
    )


async def _of(plane: Plane, model: type[T], workload: Workload) -> list[T]:
    listed = await plane.client.list(
        model, namespace=workload.namespace, label_selector=f"tenure.dev/workload={workload.name}"
    )
    return [obj for obj in listed.items if obj.spec.workload.uid == workload.uid]


async def _made(plane: Plane, contracts: list[Contract]) -> list[Contract]:
    """Those that were committed. One may be left of an acceptance that failed before its commit: that is tried again.

    The phase Proposed does not tell, since its mark may be late; the ledger does.
    """
    if not any(is_proposed(contract) for contract in contracts):
        return contracts
    known = (await plane.allocator.look()).view.records
    return [contract for contract in contracts if not is_proposed(contract) or contract.uid in known]


def _standing(contracts: list[Contract]) -> list[Contract]:
    return [c for c in contracts if c.status is None or c.status.phase != "Ended"]


def _ended_by_its_user(workload: Workload) -> bool:
    """Whether the need as it is now had a contract that its user ended; editing the need asks again."""
    return workload.status is not None and workload.status.ended == need_digest(workload.spec)


def _answers(standing: list[Contract], workload: Workload) -> bool:
    """Whether a standing contract is for the need as it is now; an edited need gets fresh offers beside it."""
    return any(c.spec.workload.need == need_digest(workload.spec) for c in standing)
