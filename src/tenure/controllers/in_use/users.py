"""Who stands on an object: the contracts and held offers that the ledger counts, found for each kind in its own way."""

from collections.abc import Sequence
from dataclasses import dataclass

from tenure.client import NotFound, Unreadable
from tenure.controllers.answering.need import need_digest
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.plane import Plane
from tenure.ledger import Allocator, Record
from tenure.ledger.records import PROPOSED, record_of_contract, record_of_offer
from tenure.resources import (
    ApiObject,
    Contract,
    Engine,
    HardwareProfile,
    Machine,
    Model,
    ObjectMeta,
    Offer,
    Runtime,
    Site,
    Workload,
)
from tenure.resources.kinds.workload import WorkloadSpec

NAMED_MAX = 3


@dataclass(frozen=True, slots=True)
class User:
    """What stands on an object."""

    uid: str
    words: str


class Books:
    """The books in which users are looked up: the plane's own, and those of the other sites, whoever keeps them."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._others: dict[str, Allocator] = {}
        """By the site's uid. Each is kept between looks, so that a ledger that did not move is not read again."""

    async def users_of(self, obj: ApiObject) -> list[User]:
        """Those that stand on it, contracts first. Those of other sites are looked for where there is none here.

        Nobody is found only at a generation later than the deletion: whoever planned before it has committed by then,
        and counts, or has to plan anew (`ledger.standing`).
        """
        found = await _standing_in(self._plane, self._plane.allocator, obj)
        if found or not isinstance(obj, Model | Runtime):
            return found
        return [user for books in await self._of_others() for user in await _standing_in(self._plane, books, obj)]

    async def users_of_unread(self, model: type[ApiObject], unread: Unreadable) -> list[User]:
        """Those that may stand on one that cannot be read: no ledger plans on it, so what is there is all there is."""
        client = self._plane.client
        made = [record_of_offer(offer) for offer in (await client.list(Offer)).items]
        made += [record_of_contract(contract) for contract in (await client.list(Contract)).items]
        live = [record for record in made if record.counts or record.phase == PROPOSED]
        if issubclass(model, Site | Engine):
            return _users(live)
        named = model.model_construct(kind=unread.kind, metadata=ObjectMeta(name=unread.name))
        return await _among(self._plane, named, live)

    async def _of_others(self) -> list[Allocator]:
        """Several sites may name a Model or a Runtime."""
        plane, before = self._plane, self._others
        sites = sorted((await plane.client.list(Site)).items, key=lambda site: site.name)
        self._others = {
            site.uid: before.get(site.uid) or Allocator(plane.client, site.name, plane.clock, fleet_of)
            for site in sites
            if site.name != plane.site
        }
        return list(self._others.values())


async def _standing_in(plane: Plane, books: Allocator, obj: ApiObject) -> list[User]:
    """Nothing stands where the site itself is gone."""
    try:
        memory = await books.look()
        found = await _among(plane, obj, memory.view.live())
        if not found:
            memory = await books.settle(memory.generation)
            found = await _among(plane, obj, memory.view.live())
    except NotFound:
        return []
    return found


async def _among(plane: Plane, obj: ApiObject, live: Sequence[Record]) -> list[User]:
    match obj:
        case Site():
            return _users(live)
        case Machine():
            return _users([r for r in live if obj.name in _machines(r)])
        case Engine():
            return _users([r for r in live if obj.spec.machine in (None, *_machines(r))])
        case HardwareProfile():
            having = [m for m in (await plane.client.list(Machine)).items if m.spec.profile == obj.name]
            names = {machine.name for machine in having}
            on_these = [r for r in live if names.intersection(_machines(r))]
            return [*_users(on_these), *(User(m.uid, f"machine {m.name}") for m in having)]
        case Model() | Runtime():
            return _users(await _naming(plane, obj, live))
    return []


def is_of_another_site(plane: Plane, obj: ApiObject) -> bool:
    """Whether its users are in the books of another site, which this plane does not keep: it is that one's to guard."""
    match obj:
        case Site():
            return obj.name != plane.site
        case Machine() | Engine():
            return obj.spec.site != plane.site
    return False


def named(users: Sequence[User]) -> str:
    """A few of them by name, and how many more there are."""
    more = len(users) - NAMED_MAX
    return ", ".join(user.words for user in users[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def _users(records: Sequence[Record]) -> list[User]:
    ordered = sorted(records, key=lambda r: (r.kind, r.namespace, r.name))
    return [User(r.uid, f"{r.kind.lower()} {r.namespace}/{r.name}") for r in ordered]


def _machines(record: Record) -> list[str]:
    return [claim.machine for claim in record.hold.claims]


async def _naming(plane: Plane, obj: Model | Runtime, live: Sequence[Record]) -> list[Record]:
    """The records whose need or terms name this Model or Runtime."""
    contracts = {c.uid: c for c in (await plane.client.list(Contract)).items}
    offers = {o.uid: o for o in (await plane.client.list(Offer)).items}
    needs = {w.uid: w for w in (await plane.client.list(Workload)).readable}

    def stands(record: Record) -> bool:
        made = contracts.get(record.uid) or offers.get(record.uid)
        if made is None:
            return False
        if isinstance(obj, Runtime) and (made.spec.runtime or "").partition(" ")[0] == obj.name:  # NAME VERSION
            return True
        if isinstance(made, Contract):
            return _names(made.spec.body, obj)
        need = needs.get(made.spec.workload.uid)
        if need is None:
            return True  # nobody knows what it named, and its acceptance may be on the way until it is released
        # Of a need that was edited since, nobody knows what it named; its offers are about to be withdrawn.
        return made.spec.workload.need != need_digest(need.spec) or _names(need.spec, obj)

    return [record for record in live if stands(record)]


def _names(spec: WorkloadSpec, obj: Model | Runtime) -> bool:
    """Whether the sort of work that is wanted names it."""
    field = "model" if isinstance(obj, Model) else "runtime"
    sorts = (getattr(spec, name) for name in type(spec).model_fields)
    return obj.name in [getattr(sort, field, None) for sort in sorts]
