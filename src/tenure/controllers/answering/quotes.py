"""From a choice and its plan to what is said and held: a Quote, an Offer. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tenure.controllers.answering.choices import Choice
from tenure.controllers.answering.costs import costs_of, with_credit
from tenure.controllers.answering.deadline import deadline_relaxed
from tenure.controllers.answering.limits import over_limits
from tenure.controllers.answering.need import Need
from tenure.controllers.answering.promised import parts, promises_of
from tenure.ledger.convert import from_placed
from tenure.placement import Fleet, Plan
from tenure.promises import View
from tenure.quantities import Bytes, Instant, format_instant
from tenure.resources import Machine, ObjectMeta, Offer
from tenure.resources.base import OwnerReference
from tenure.resources.kinds.allocation import Relaxation, Shape
from tenure.resources.kinds.answer import Quote
from tenure.resources.kinds.contract import OfferSpec, WorkloadReference


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the object whose need this is."""

    kind: str
    name: str
    namespace: str
    uid: str
    generation: int
    need: str  # digest of the need, see `need_digest`


def relaxed_of(choice: Choice, plan: Plan, need: Need) -> list[Relaxation]:
    """What the choice gives up, and the wait if its plan starts later than asked."""
    relaxed = list(choice.relaxed)
    if plan.start_ms > need.when.latest_ms:
        relaxed.append(
            Relaxation(
                axis="later",
                what="term.start",
                asked=format_instant(need.when.latest_ms),
                offered=format_instant(plan.start_ms),
            )
        )
    return relaxed


def quote_of(
    need: Need,
    choice: Choice,
    plan: Plan,
    machines: Mapping[str, Machine],
    fleet: Fleet,
    views: Sequence[View] = (),
    *,
    simulated: bool = False,
) -> Quote:
    """One way to serve, as it is said. `simulated` is a fleet where nothing runs; `views` are who will look at it."""
    price, watts = costs_of(plan, machines, fleet, simulated=simulated)
    relaxed = [*relaxed_of(choice, plan, need), *over_limits(need.limits, price, watts)]
    relaxed += deadline_relaxed(need, plan.start_ms) if not simulated else []
    promises = promises_of(need, choice, plan, simulated=simulated, views=views)
    return Quote(
        meets_in_full=not relaxed,
        relaxed=relaxed,
        promises=promises,
        shape=_shape(choice),
        runtime=choice.capability.evidence.runtime if choice.capability else None,
        cores=sum(len(claim.cores) for claim in plan.claims),
        memory=Bytes(sum(claim.memory_bytes for claim in plan.claims)),
        reserve_cores=sum(len(claim.cores) for claim in parts(plan)[1]) or None,
        start=Instant(plan.start_ms),
        end=Instant(plan.end_ms),
        price=with_credit(price, promises),
        watts=watts,
        machine=parts(plan)[0][0].machine,
    )


def offer_of(asker: Asker, quote: Quote, plan: Plan, rank: int, expires_ms: int, salt: str) -> Offer:
    """The Offer that holds a quote. Its name follows from who asks, which version, and the salt of this answer."""
    name = f"{asker.name}-{short_digest(asker.uid, asker.need, salt, str(rank))}"
    return Offer(
        metadata=ObjectMeta(
            name=name,
            namespace=asker.namespace,
            labels={"tenure.dev/workload": asker.name},
            owner_references=[
                OwnerReference(
                    api_version="tenure.dev/v1alpha1", kind=asker.kind, name=asker.name, uid=asker.uid, controller=True
                )
            ],
        ),
        spec=OfferSpec(
            workload=reference_to(asker),
            rank=rank,
            meets_in_full=quote.meets_in_full,
            relaxed=quote.relaxed,
            promises=quote.promises,
            shape=quote.shape,
            runtime=quote.runtime,
            machine=quote.machine,
            price=quote.price,
            watts=quote.watts,
            chosen=quote.chosen,
            expires_at=Instant(expires_ms),
            hold=from_placed(plan.hold(f"{asker.uid}-{short_digest(name)}")),
            planned_generation=0,
        ),
    )


def reference_to(asker: Asker) -> WorkloadReference:
    """The asker as Offers and Contracts name it."""
    return WorkloadReference(name=asker.name, uid=asker.uid, generation=asker.generation, need=asker.need)


def short_digest(*parts: str) -> str:
    """Six hexadecimal characters that follow from the parts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:6]


def _shape(choice: Choice) -> Shape | None:
    if choice.capability is None:
        return None
    return Shape(threads=choice.capability.shape.threads, slots=choice.capability.shape.slots)
