"""Decisions that share one commit: each sees those before it, and what they propose becomes operations. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from tenure.ledger.decision import Decision, DecisionFunction
from tenure.ledger.memory import Memory
from tenure.ledger.records import Record, on_its_host, record_of_contract, record_of_offer
from tenure.resources import LEDGER_FINALIZER, Contract, Offer
from tenure.resources.kinds.site import Operation


def decide_in_turn(decides: Sequence[DecisionFunction], memory: Memory, now_ms: int) -> list[Decision]:
    """Each decision sees those before it as if they were committed; a refusal changes nothing for the rest."""
    view = memory.view
    decisions: list[Decision] = []
    for decide in decides:
        decision = decide(view, memory.fleet, now_ms)
        decisions.append(decision)
        if decision.refused is None:
            pending = [on_its_host(_pending(obj), memory.machine) for obj in decision.proposed]
            operations = [*decision.operations, *(_admit(record) for record in pending)]
            view = replace(view.after(operations, pending), generation=memory.generation)
    return decisions


def operations_of(decision: Decision, created: Sequence[Offer | Contract]) -> list[Operation]:
    """What the decision wants, and what makes the objects count that were created for it."""
    return [*decision.operations, *(_admit(record_of(obj)) for obj in created)]


def planned_at(obj: Offer | Contract, generation: int) -> Offer | Contract:
    """The object as it is proposed: planned at this generation, and with the finalizer that outlives its hold."""
    spec = obj.spec.model_copy(update={"planned_generation": generation})
    finalizers = sorted({*(obj.metadata.finalizers or []), LEDGER_FINALIZER})
    metadata = obj.metadata.model_copy(update={"finalizers": finalizers})
    return obj.model_copy(update={"spec": spec, "metadata": metadata, "status": None})


def record_of(obj: Offer | Contract) -> Record:
    """The record behind either."""
    return record_of_offer(obj) if isinstance(obj, Offer) else record_of_contract(obj)


def _admit(record: Record) -> Operation:
    """The operation that makes a proposed object count."""
    offer = record.kind == "Offer"
    return Operation(
        operation="Hold" if offer else "Contract",
        kind=record.kind,
        namespace=record.namespace,
        name=record.name,
        uid=record.uid,
        to_phase="Held" if offer else "Commissioning",
        reason="Held" if offer else "Commissioning",
    )


def _pending(obj: Offer | Contract) -> Record:
    """The record of an object that is not created yet: known by its name until it has a uid."""
    metadata = obj.metadata.model_copy(update={"uid": f"pending:{obj.kind}/{obj.namespace}/{obj.name}"})
    return record_of(obj.model_copy(update={"metadata": metadata}))
