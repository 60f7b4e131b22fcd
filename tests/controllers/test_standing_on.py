"""What an answer stands on stays for what is held, and nothing is held that stands on what is being deleted."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tenure.client import AsyncClient, NotFound
from tenure.controllers.answering.gather import gather
from tenure.controllers.in_use import IN_USE_FINALIZER
from tenure.controllers.in_use.reconcile import InUseReconciler
from tenure.controllers.in_use.users import Books
from tenure.controllers.kernel import Key
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.plane import Plane
from tenure.controllers.trialling.running import RunningTrial
from tenure.controllers.workload import WorkloadReconciler
from tenure.controllers.workload.trial import Trials
from tenure.ledger import Allocator, release
from tenure.ledger.decision import Decision
from tenure.ledger.memory import ledger_of
from tenure.resources import (
    ApiObject,
    Contract,
    Engine,
    Machine,
    Model,
    ObjectMeta,
    Offer,
    Runtime,
    Site,
    Workload,
    condition_of,
)
from tenure.resources.kinds.contract import OfferStatus
from tests.controllers.builders import spec
from tests.controllers.served import fetched, measured_before, model_appears, plane_that_serves

NEED = Key("default", "need")
GATHER = "tenure.controllers.workload.reconcile.gather"
STOOD_ON: list[tuple[type[ApiObject], str]] = [(Model, "m"), (Runtime, "llamacpp"), (Engine, "simulated")]
Acting = Callable[[], Awaitable[None]]


class Market:
    """A plane on which the need can be answered at once, step by step."""

    def __init__(self, plane: Plane, user: AsyncClient, folder: Path) -> None:
        self.plane, self.user, self.folder = plane, user, folder
        self.needs = WorkloadReconciler(plane, Trials(plane))

    async def model_is_here(self) -> None:
        file = self.folder / "m.gguf"
        fetched(file, await model_appears(self.user, file))

    async def state(self) -> None:
        await self.user.create(Workload(metadata=ObjectMeta(name="need", namespace="default"), spec=spec()))

    async def look(self) -> Workload:
        """One step of the need."""
        await self.needs.reconcile(NEED)
        return await self.user.get(Workload, "need", namespace="default")

    async def offered(self) -> Offer:
        await self.state()
        await self.look()
        return (await self.held())[0]

    async def held(self) -> list[Offer]:
        offers = (await self.user.list(Offer)).items
        return [o for o in offers if o.status is not None and o.status.phase == "Held"]

    async def accepted(self, offer: Offer) -> Contract:
        await self.edit({"acceptedOffer": offer.name})
        await self.look()
        (contract,) = (await self.user.list(Contract)).items
        return contract

    async def edit(self, change: dict[str, Any]) -> None:
        await self.user.patch(Workload, "need", {"spec": change}, namespace="default")

    async def delete(self, model: type[ApiObject], name: str) -> str | None:
        """Its user deletes it, and the control plane looks: for whom it stays, or None once it is gone."""
        await self.user.delete(model, name)
        return await self.look_at(model, name)

    async def look_at(self, model: type[ApiObject], name: str) -> str | None:
        await InUseReconciler(self.plane, model).reconcile(Key("", name))
        try:
            left: Any = await self.user.get(model, name)
        except NotFound:
            return None
        said = condition_of(left.status.conditions, "Released")
        assert said is not None
        return said.message

    async def release_all(self, to_phase: str = "Ended") -> None:
        def all_of_it(view: Any, fleet: Any, now_ms: int) -> Decision:
            return release(view.live(), to_phase, "EndedByUser")

        await self.plane.allocator.decide(all_of_it)


@pytest.fixture
async def market(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Market]:
    async with plane_that_serves(tmp_path, monkeypatch) as (plane, user):
        made = Market(plane, user, tmp_path)
        await made.model_is_here()
        await measured_before(plane)
        yield made


def after_gathering(monkeypatch: pytest.MonkeyPatch, act: Acting) -> None:
    """Let something happen once, between what a need is answered by and the commit of the answer."""

    async def gathered(*known: Any, **more: Any) -> Any:
        found = await gather(*known, **more)
        monkeypatch.setattr(GATHER, gather)
        await act()
        return found

    monkeypatch.setattr(GATHER, gathered)


def missing(need: Workload) -> str:
    assert need.status is not None
    said = condition_of(need.status.conditions, "ReferencesFound")
    assert said is not None
    assert (said.status, said.reason) == ("False", "ReferenceNotFound")
    return said.message


@pytest.mark.parametrize(("model", "name"), STOOD_ON)
async def test_it_stays_for_a_held_offer_and_for_its_contract_and_goes_after_them(
    market: Market, model: type[ApiObject], name: str
) -> None:
    offer = await market.offered()
    assert f"offer default/{offer.name}" in (await market.delete(model, name) or "")
    contract = await market.accepted(offer)
    assert f"contract default/{contract.name} stands on it" in (await market.look_at(model, name) or "")
    await market.release_all()
    assert await market.look_at(model, name) is None


@pytest.mark.parametrize(
    ("model", "name", "cause"),
    [
        (Model, "m", "no Model is named m"),
        (Runtime, "llamacpp", "no Runtime that takes gguf"),
        (Engine, "simulated", "no Engine runs work at site simulated"),
    ],
)
async def test_what_goes_between_the_answer_and_its_commit_is_held_by_nobody(
    market: Market, monkeypatch: pytest.MonkeyPatch, model: type[ApiObject], name: str, cause: str
) -> None:
    async def deleted() -> None:
        assert await market.delete(model, name) is None

    after_gathering(monkeypatch, deleted)
    await market.state()
    await market.look()
    assert await market.held() == []
    assert cause in missing(await market.look())
    assert (await market.plane.allocator.look()).view.live() == []


@pytest.mark.parametrize(("model", "name"), STOOD_ON)
async def test_before_it_is_let_go_the_generation_moves_so_that_whoever_planned_on_it_plans_anew(
    market: Market, model: type[ApiObject], name: str
) -> None:
    await InUseReconciler(market.plane, model).reconcile(Key("", name))  # as soon as it is seen
    before = (await market.plane.allocator.look()).generation
    assert await market.delete(model, name) is None
    assert (await market.plane.allocator.look()).generation > before


async def test_what_is_over_wakes_the_deletions_that_wait_for_it_and_no_others(market: Market) -> None:
    offer = await market.offered()
    needs = InUseReconciler(market.plane, Model)
    await market.user.delete(Model, "m")
    await needs.reconcile(Key("", "m"))
    over = offer.model_copy(update={"status": OfferStatus(phase="Expired")})
    other = over.model_copy(update={"metadata": over.metadata.model_copy(update={"uid": "another"})})
    assert (needs.woken_by_end(offer), needs.woken_by_end(other)) == ([], [])
    assert needs.woken_by_end(over) == [Key("", "m")]


@pytest.mark.parametrize(("model", "name"), [(Model, "m"), (Engine, "simulated")])
async def test_what_is_deleted_between_them_and_not_gone_yet_is_named(
    market: Market, monkeypatch: pytest.MonkeyPatch, model: type[ApiObject], name: str
) -> None:
    after_gathering(monkeypatch, lambda: market.user.delete(model, name))
    await market.state()
    await market.look()
    assert await market.held() == []
    assert f"{model.__name__} {name} is being deleted" in missing(await market.look())


async def test_another_of_its_name_is_answered_by_anew(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    async def replaced() -> None:
        assert await market.delete(Model, "m") is None
        await market.model_is_here()

    after_gathering(monkeypatch, replaced)
    await market.state()
    await market.look()
    assert await market.held() == []
    await market.look()
    assert await market.held() != []


async def test_a_trial_is_not_begun_on_what_goes_meanwhile_and_what_it_is_begun_on_stays(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[RunningTrial] = []
    monkeypatch.setattr(RunningTrial, "begin", lambda trial: begun.append(trial))  # nothing is to be measured here
    await market.state()
    await market.edit({"load": {"requestsPerSecond": 9}})  # more than was measured
    after_gathering(monkeypatch, lambda: market.user.delete(Model, "m"))
    await market.look()
    assert begun == []
    assert await market.look_at(Model, "m") is None
    await market.model_is_here()
    await market.look()
    assert len(begun) == 1
    for model, name in STOOD_ON:
        assert "offer default/need-trial-" in (await market.delete(model, name) or "")


async def test_an_offer_for_what_a_need_named_before_it_was_edited_still_stands_on_it(market: Market) -> None:
    offer = await market.offered()
    await market.edit({"inference": {"model": "another"}})
    assert f"offer default/{offer.name}" in (await market.delete(Model, "m") or "")


async def test_an_offer_stands_on_it_until_it_is_released_also_when_its_workload_is_gone(market: Market) -> None:
    """Its acceptance may be on the way: what was read before the Workload went is decided on the ledger alone."""
    offer = await market.offered()
    await market.user.delete(Workload, "need", namespace="default")
    with pytest.raises(NotFound):
        await market.user.get(Workload, "need", namespace="default")
    assert f"offer default/{offer.name}" in (await market.delete(Model, "m") or "")
    await market.release_all("Withdrawn")
    assert await market.look_at(Model, "m") is None


async def test_what_is_found_without_the_finalizer_has_it_before_anything_is_held(market: Market) -> None:
    for model, name in STOOD_ON:
        await market.user.patch(model, name, {"metadata": {"finalizers": None}})
    await market.offered()
    for model, name in STOOD_ON:
        assert (await market.user.get(model, name)).metadata.finalizers == [IN_USE_FINALIZER]


async def moved_elsewhere(market: Market) -> None:
    """The plane keeps the books of another site from now on."""
    await market.user.create(Site(metadata=ObjectMeta(name="elsewhere")))
    plane = market.plane
    plane.allocator = Allocator(plane.client, "elsewhere", plane.clock, fleet_of)
    plane.site = "elsewhere"


async def test_it_stays_for_what_stands_on_it_by_the_books_of_another_site(market: Market) -> None:
    offer = await market.offered()
    await moved_elsewhere(market)
    assert f"offer default/{offer.name}" in (await market.delete(Model, "m") or "")


async def test_the_books_of_others_are_left_alone_where_the_own_have_a_user(market: Market) -> None:
    await market.offered()
    await market.user.create(Site(metadata=ObjectMeta(name="elsewhere")))
    await market.delete(Model, "m")
    assert ledger_of(await market.user.get(Site, "elsewhere")).generation == 0


async def test_a_ledger_that_did_not_move_is_not_read_at_the_next_look(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    await market.offered()
    await moved_elsewhere(market)
    books, listed, reads = Books(market.plane), market.plane.client.list, 0

    async def counting(model: Any, **more: Any) -> Any:
        nonlocal reads
        reads += model is Machine  # each ledger that is read
        return await listed(model, **more)

    monkeypatch.setattr(market.plane.client, "list", counting)
    model = await market.user.get(Model, "m")
    assert await books.users_of(model)
    before = reads
    assert await books.users_of(model)
    assert reads == before + 1, "only its own, which moved so that nobody plans on it any more"
