"""Who stands on an object: the contracts and held offers that the ledger counts, found for each kind in its own way."""

from collections.abc import Sequence

from tenure.client import NotFound
from tenure.controllers.plane import Plane
from tenure.ledger import Record
from tenure.resources import (
    ApiObject,
    Contract,
    Engine,
    HardwareProfile,
    Machine,
    Model,
    Offer,
    Runtime,
    Site,
    Workload,
)
from tenure.resources.kinds.workload import WorkloadSpec

NAMED_MAX = 3


async def users_of(plane: Plane, obj: ApiObject) -> list[str]:
    """Those that stand on it, in words, contracts first. Nothing stands where the site itself is gone."""
    try:
        memory = await plane.allocator.look()
        if memory.undecided:
            memory = await plane.allocator.settle(memory.generation)  # what is proposed counts by now, or is collected
    except NotFound:
        return []
    live = memory.view.live()
    match obj:
        case Site():
            return _words(live)
        case Machine():
            return _words([r for r in live if obj.name in _machines(r)])
        case Engine():
            return _words([r for r in live if obj.spec.machine in (None, *_machines(r))])
        case HardwareProfile():
            having = [m.name for m in (await plane.client.list(Machine)).items if m.spec.profile == obj.name]
            on_these = [r for r in live if set(having) & set(_machines(r))]
            return [*_words(on_these), *(f"machine {name}" for name in having)]
        case Model() | Runtime():
            return _words(await _naming(plane, obj, live))
    return []


def is_of_another_site(plane: Plane, obj: ApiObject) -> bool:
    """Whether its users are in the books of another site, which this plane does not keep: it is that one's to guard."""
    match obj:
        case Site():
            return obj.name != plane.site
        case Machine() | Engine():
            return obj.spec.site != plane.site
    return False


def named(users: Sequence[str]) -> str:
    """A few of them by name, and how many more there are."""
    more = len(users) - NAMED_MAX
    return ", ".join(users[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def _words(records: Sequence[Record]) -> list[str]:
    ordered = sorted(records, key=lambda r: (r.kind, r.namespace, r.name))
    return [f"{r.kind.lower()} {r.namespace}/{r.name}" for r in ordered]


def _machines(record: Record) -> list[str]:
    return [claim.machine for claim in record.hold.claims]


async def _naming(plane: Plane, obj: Model | Runtime, live: Sequence[Record]) -> list[Record]:
    """The records whose need or terms name this Model or Runtime."""
    contracts = {c.uid: c for c in (await plane.client.list(Contract)).items}
    offers = {o.uid: o for o in (await plane.client.list(Offer)).items}
    needs = {w.uid: w for w in (await plane.client.list(Workload)).items}

    def stands(record: Record) -> bool:
        made = contracts.get(record.uid) or offers.get(record.uid)
        if made is None:
            return False
        if isinstance(made, Contract):
            spec: WorkloadSpec | None = made.spec.body
        else:
            need = needs.get(made.spec.workload.uid)
            spec = need.spec if need is not None else None
        if isinstance(obj, Runtime) and made.spec.runtime == obj.name:
            return True
        return spec is not None and obj.name in _names(spec, "model" if isinstance(obj, Model) else "runtime")

    return [record for record in live if stands(record)]


def _names(spec: WorkloadSpec, field: str) -> set[str]:
    """What the sort of work that is wanted names in this field."""
    sorts = (getattr(spec, name) for name in type(spec).model_fields)
    return {name for sort in sorts if isinstance(name := getattr(sort, field, None), str)}
