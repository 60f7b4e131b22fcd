"""What a contract or a held offer stands on is not deleted under it: it stays, says for whom, and goes after them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tenure import AsyncClient
from tenure.catalog import models, runtimes
from tenure.client import from_home
from tenure.controllers.in_use.finalizer import IN_USE_FINALIZER, guarded
from tenure.controllers.in_use.reconcile import InUseReconciler
from tenure.controllers.kernel import Key
from tenure.controllers.plane import Plane
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
    condition_of,
)
from tests.controllers.planes import command, plane_on

PATIENCE_SECONDS = 30
STOOD_ON: list[tuple[type[ApiObject], str]] = [(Site, "simulated"), (Machine, "m"), (Engine, "simulated")]


@asynccontextmanager
async def market(home: Path) -> AsyncIterator[tuple[Plane, AsyncClient]]:
    async with plane_on(home, cores=2, running=True) as (plane, _), AsyncClient(from_home(plane.home)) as user:
        yield plane, user


async def offered(user: AsyncClient, name: str = "need", **more: object) -> Offer:
    asked = await user.request(command(name, **more), timeout_seconds=PATIENCE_SECONDS)
    assert asked.status is not None
    assert asked.status.phase == "Offered", asked.status.conditions
    offers = (await user.list(Offer, namespace="default")).items
    (offer,) = [o for o in offers if o.spec.workload.name == name]
    return offer


async def contracted(user: AsyncClient) -> Contract:
    return await user.accept(await offered(user), timeout_seconds=PATIENCE_SECONDS)


async def deleted(user: AsyncClient, model: type[ApiObject], name: str) -> str:
    """Delete it, and read for whom it stays."""
    await user.delete(model, name)

    def says(obj: ApiObject) -> bool:
        status = getattr(obj, "status", None)
        return status is not None and condition_of(status.conditions, "Released") is not None

    seen = await user.wait_for(model, name, says, timeout_seconds=PATIENCE_SECONDS)
    assert seen.metadata.deletion_timestamp is not None
    said = condition_of(seen.status.conditions, "Released")  # type: ignore[attr-defined]
    assert said is not None
    assert said.reason == "WaitingForRelease"
    return said.message


async def gone(user: AsyncClient, model: type[ApiObject], name: str) -> None:
    await user.wait_deleted(model, name, timeout_seconds=PATIENCE_SECONDS)


@pytest.mark.parametrize(("model", "name"), STOOD_ON)
async def test_it_stays_for_a_contract_and_goes_after_its_end(
    tmp_path: Path, model: type[ApiObject], name: str
) -> None:
    async with market(tmp_path) as (_, user):
        contract = await contracted(user)
        said = await deleted(user, model, name)
        assert f"contract default/{contract.name}" in said
        assert "tenure end" in said
        await user.end(contract, timeout_seconds=PATIENCE_SECONDS)
        await gone(user, model, name)


@pytest.mark.parametrize(("model", "name"), STOOD_ON)
async def test_it_stays_for_a_held_offer_and_goes_with_it(tmp_path: Path, model: type[ApiObject], name: str) -> None:
    async with market(tmp_path) as (_, user):
        offer = await offered(user)
        assert f"offer default/{offer.name}" in await deleted(user, model, name)
        await user.delete(Workload, "need", namespace="default")
        await gone(user, model, name)


async def test_what_nobody_stands_on_goes_at_once(tmp_path: Path) -> None:
    async with market(tmp_path) as (_, user):
        for model, name in ((Machine, "m"), (Engine, "simulated"), (Site, "simulated")):
            await user.delete(model, name)
            await gone(user, model, name)


async def test_a_profile_stays_for_the_machines_that_have_it(tmp_path: Path) -> None:
    async with market(tmp_path) as (_, user):
        (profile,) = (await user.list(HardwareProfile)).items
        assert "machine m" in await deleted(user, HardwareProfile, profile.name)
        await user.delete(Machine, "m")
        await gone(user, HardwareProfile, profile.name)


@pytest.mark.parametrize(("model", "name"), STOOD_ON[:2])
async def test_nothing_new_is_placed_on_what_is_being_deleted(
    tmp_path: Path, model: type[ApiObject], name: str
) -> None:
    async with market(tmp_path) as (_, user):
        await contracted(user)
        await deleted(user, model, name)
        asked = await user.request(command("late"), timeout_seconds=PATIENCE_SECONDS)
        assert asked.status is not None
        assert asked.status.phase == "Refused"


async def test_a_model_and_a_runtime_that_no_need_names_go_at_once(tmp_path: Path) -> None:
    async with market(tmp_path) as (_, user):
        await contracted(user)
        for kind, name in ((Model, models()[0].name), (Runtime, runtimes()[0].name)):
            await user.delete(kind, name)
            await gone(user, kind, name)


async def test_a_plan_made_before_the_deletion_is_made_anew(tmp_path: Path) -> None:
    async with plane_on(tmp_path, cores=2) as (plane, user):
        before = await plane.allocator.look()
        await user.delete(Machine, "m")
        needs = InUseReconciler(plane, Machine)
        await needs.reconcile(Key("", "m"))
        after = await plane.allocator.look()
        assert after.generation > before.generation
        assert not any(machine.schedulable for machine in after.fleet.machines)


async def test_what_lost_its_finalizer_gets_it_again(tmp_path: Path) -> None:
    async with market(tmp_path) as (_, user):
        await user.patch(Site, "simulated", {"metadata": {"finalizers": None}})
        await user.wait_for(Site, "simulated", lambda site: site == guarded(site), timeout_seconds=PATIENCE_SECONDS)


async def test_everything_that_may_be_stood_on_is_guarded_before_anything_is_held(tmp_path: Path) -> None:
    async with plane_on(tmp_path, cores=1) as (plane, _):
        kinds: tuple[type[ApiObject], ...] = (Site, Machine, HardwareProfile, Engine, Model, Runtime)
        found = await asyncio.gather(*(plane.client.list(kind) for kind in kinds))
        for listed in found:
            assert listed.items
            assert all(IN_USE_FINALIZER in (obj.metadata.finalizers or []) for obj in listed.items)


async def test_a_machine_that_is_being_deleted_sells_nothing_whatever_its_status_says(tmp_path: Path) -> None:
    async with plane_on(tmp_path, cores=2) as (plane, user):
        await user.delete(Machine, "m")  # and nobody has drained it yet
        assert not any(machine.schedulable for machine in (await plane.allocator.look()).fleet.machines)


async def test_what_belongs_to_another_site_is_left_to_whoever_keeps_its_books(tmp_path: Path) -> None:
    async with plane_on(tmp_path) as (plane, user):
        spec = (await user.get(Machine, "m")).spec.model_copy(update={"site": "elsewhere"})
        finalizers = [IN_USE_FINALIZER]
        await user.create(Machine(metadata=ObjectMeta(name="theirs", finalizers=finalizers), spec=spec))
        await user.delete(Machine, "theirs")
        await InUseReconciler(plane, Machine).reconcile(Key("", "theirs"))
        assert (await user.get(Machine, "theirs")).metadata.finalizers == finalizers
