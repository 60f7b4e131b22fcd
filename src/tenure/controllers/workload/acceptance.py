"""Acceptance: the chosen offer becomes a contract in one commit, or a condition says why it could not."""

from collections.abc import Sequence

from tenure.controllers.answering.need import need_digest
from tenure.controllers.answering.residency import judge_residency
from tenure.controllers.events import record
from tenure.controllers.kernel import Wait
from tenure.controllers.plane import Plane
from tenure.controllers.status import condition, set_conditions, update_status
from tenure.ledger import accept
from tenure.resources import Condition, Contract, ObjectMeta, Offer, Site, Workload, condition_of, kind_of
from tenure.resources.base import OwnerReference
from tenure.resources.kinds.contract import ContractSpec, ContractTerm, Parties
from tenure.resources.kinds.workload import WorkloadStatus


async def wait_for_choice(plane: Plane, workload: Workload, held: Sequence[Offer]) -> Wait | None:
    """Offers are held: take the best if that is what the user wants, else wait until one is chosen or expires."""
    if workload.spec.acceptance == "auto":
        best = min(held, key=lambda offer: offer.spec.rank)
        if best.spec.meets_in_full:
            await _accept(plane, workload, best)
            return None
    await _observe(plane, workload)
    expires = min(int(offer.spec.expires_at) for offer in held)
    return Wait(max(1, expires - plane.clock.now_ms()))


async def _observe(plane: Plane, workload: Workload) -> None:
    """What is held answers the spec as it is now: an edit that leaves the need as it is asks nothing new."""
    generation = workload.metadata.generation
    await update_status(
        plane.client,
        workload,
        lambda status: status.model_copy(update={"observed_generation": generation}),
        WorkloadStatus(),
    )


async def accept_chosen(plane: Plane, workload: Workload, contracts: Sequence[Contract]) -> Wait | None:
    """Accept `spec.acceptedOffer`. None when there is nothing to accept (any more): fresh offers follow."""
    wanted = workload.spec.accepted_offer
    if any(contract.spec.offer == wanted for contract in contracts):
        return None  # that acceptance has become a contract, which may be over by now
    offers = await plane.client.list(Offer, namespace=workload.namespace)
    offer = next((o for o in offers.items if o.name == wanted and o.spec.workload.uid == workload.uid), None)
    if offer is None:
        await _say_not_accepted(plane, workload, "OfferNotFound", f"no offer {wanted} belongs to this Workload")
        return None
    if offer.spec.workload.need != need_digest(workload.spec):
        await _say_not_accepted(plane, workload, "OfferSuperseded", f"{wanted} answers an earlier version of the need")
        return None
    return Wait(1) if await _accept(plane, workload, offer) else None


async def _accept(plane: Plane, workload: Workload, offer: Offer) -> bool:
    site = await plane.client.get(Site, plane.site)
    verdict = judge_residency(workload.spec.residency, site)
    if not verdict.allowed:
        await _say_not_accepted(plane, workload, verdict.reason, verdict.fact)
        return False
    contract = contract_of(workload, offer, verdict.decision(), plane.site)
    commit = await plane.allocator.decide(
        lambda view, fleet, now_ms: accept(view, offer.uid, contract, now_ms)  # noqa: ARG005 - the shape of a decision
    )
    if commit.refused is not None:
        await _say_not_accepted(plane, workload, commit.refused.reason, commit.refused.message)
        return False

    def change(status: WorkloadStatus) -> WorkloadStatus:
        done = condition("Accepted", True, "Contracted", f"offer {offer.name} became a contract", plane.clock)
        return status.model_copy(
            update={
                "phase": "Contracted",
                "contract": contract.name,
                "conditions": set_conditions(status.conditions, done),
            }
        )

    updated = await update_status(plane.client, workload, change, WorkloadStatus())
    await record(
        plane.client, updated, "Contracted", f"offer {offer.name} became contract {contract.name}", plane.clock
    )
    return True


def contract_of(workload: Workload, offer: Offer, policy: object, site: str) -> Contract:
    """The contract that accepting `offer` creates. Its name follows from the offer's, so that it exists once."""
    kind = kind_of(Workload)
    spec = ContractSpec.model_validate(
        {
            "workload": offer.spec.workload,
            "offer": offer.name,
            "parties": Parties(provider=site, consumer=workload.namespace or "default"),
            "body": workload.spec.model_copy(update={"accepted_offer": None}),
            "promises": offer.spec.promises,
            "relaxed": offer.spec.relaxed,
            "shape": offer.spec.shape,
            "runtime": offer.spec.runtime,
            "machine": offer.spec.machine or "",
            "hold": offer.spec.hold,
            "term": ContractTerm(start=offer.spec.hold.start, end=offer.spec.hold.end),
            "price": offer.spec.price,
            "watts": offer.spec.watts,
            "policy": policy,
            "planned_generation": 0,
            "renews": offer.spec.renews,
            "replaces": offer.spec.replaces,
        }
    )
    owner = OwnerReference(
        api_version=kind.api_version, kind=kind.kind, name=workload.name, uid=workload.uid, controller=True
    )
    return Contract(
        metadata=ObjectMeta(
            name=offer.name,
            namespace=workload.namespace,
            labels={"tenure.dev/workload": workload.name},
            owner_references=[owner],
        ),
        spec=spec,
    )


async def forget_refusal(plane: Plane, workload: Workload) -> None:
    """Nothing is chosen (any more): why an earlier choice was not accepted is no longer said."""
    said = condition_of(workload.status.conditions, "Accepted") if workload.status else None
    if said is None or said.status != "False" or workload.spec.acceptance == "auto":
        return

    def change(status: WorkloadStatus) -> WorkloadStatus:
        left = [c for c in status.conditions if c.type != "Accepted" or c.status != "False"]
        return status.model_copy(update={"conditions": left})

    await update_status(plane.client, workload, change, WorkloadStatus())


async def _say_not_accepted(plane: Plane, workload: Workload, reason: str, message: str) -> None:
    """Say it of the choice as it is now: whoever chose tells from the generation that this is the answer to it."""
    generation = workload.metadata.generation
    said = condition("Accepted", False, reason, message, plane.clock).model_copy(
        update={"observed_generation": generation}
    )
    before = condition_of(workload.status.conditions, "Accepted") if workload.status else None
    if before is not None and _tells(before) == _tells(said):
        return

    def change(status: WorkloadStatus) -> WorkloadStatus:
        return status.model_copy(update={"conditions": set_conditions(status.conditions, said)})

    updated = await update_status(plane.client, workload, change, WorkloadStatus())
    if before is None or _tells(before)[:3] != _tells(said)[:3]:
        await record(plane.client, updated, reason, message, plane.clock, warning=True)


def _tells(said: Condition) -> tuple[str, str, str, int | None]:
    return said.status, said.reason, said.message, said.observed_generation
