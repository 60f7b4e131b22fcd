"""An object that this version refuses ends no control plane: what counts in no ledger is passed over, and nothing is
held anew while one that counts cannot be read. All of them can be deleted, or corrected."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tenure import AsyncClient
from tenure.client import Unreadable, from_home
from tenure.controllers.in_use.finalizer import IN_USE_FINALIZER
from tenure.controllers.plane import Plane
from tenure.resources import (
    LEDGER_FINALIZER,
    ApiObject,
    Contract,
    HardwareProfile,
    Inquiry,
    Machine,
    Model,
    Offer,
    Runtime,
    Workload,
)
from tests.controllers.planes import command, plane_on
from tests.support.embedded import embedded
from tests.support.unreadable import OLD_NEED, put

PATIENCE_SECONDS = 30
PASSED_OVER: list[tuple[type[ApiObject], Any, list[str]]] = [
    (Workload, OLD_NEED, []),
    (Inquiry, {"workload": OLD_NEED}, []),
    (Model, {}, [IN_USE_FINALIZER]),
    (Runtime, {}, [IN_USE_FINALIZER]),
    (HardwareProfile, {}, [IN_USE_FINALIZER]),
]
COUNTED: list[tuple[type[ApiObject], Any, list[str]]] = [
    (Contract, {"hold": {"id": "old-1", "site": "simulated"}}, [LEDGER_FINALIZER]),
    (Offer, {"hold": {"id": "old-1", "site": "simulated"}}, [LEDGER_FINALIZER]),
    (Machine, {"site": "simulated", "profile": "p", "hourlyCost": "1 credits"}, [IN_USE_FINALIZER]),
]


@asynccontextmanager
async def market(
    home: Path, stored: list[tuple[type[ApiObject], Any, list[str]]]
) -> AsyncIterator[tuple[Plane, AsyncClient]]:
    """A control plane that starts on a home with these in it."""
    async with embedded(home) as host:
        for model, spec, finalizers in stored:
            await put(host, model, "old", spec, finalizers=finalizers)
    async with plane_on(home, cores=2, running=True) as (plane, _), AsyncClient(from_home(plane.home)) as user:
        yield plane, user


async def offered(user: AsyncClient, name: str) -> None:
    asked = await user.request(command(name), timeout_seconds=PATIENCE_SECONDS)
    assert asked.status is not None
    assert asked.status.phase == "Offered", asked.status.conditions


async def test_what_counts_in_no_ledger_is_passed_over_and_can_be_deleted(tmp_path: Path) -> None:
    async with market(tmp_path, PASSED_OVER) as (_, user):
        await offered(user, "new")
        for model, _, _ in PASSED_OVER:
            await user.delete(model, "old")
        for model, _, _ in PASSED_OVER:
            await user.wait_deleted(model, "old", timeout_seconds=PATIENCE_SECONDS)


@pytest.mark.parametrize("stored", COUNTED, ids=lambda stored: stored[0].__name__)
async def test_while_one_that_counts_cannot_be_read_nothing_is_held(
    tmp_path: Path, stored: tuple[type[ApiObject], Any, list[str]]
) -> None:
    model = stored[0]
    async with market(tmp_path, [stored]) as (plane, user):
        with pytest.raises(
            Unreadable, match=rf"^{model.__name__.lower()} old .*`tenure delete {model.__name__.lower()}"
        ):
            await plane.allocator.look()
        await user.create(command("new"))
        await asyncio.sleep(0.05)
        assert not (await user.list(Offer)).readable
        await user.delete(model, "old")
        await user.wait_deleted(model, "old", timeout_seconds=PATIENCE_SECONDS)
        await plane.allocator.look()
        await offered(user, "after")


async def test_a_machine_that_is_corrected_counts_again(tmp_path: Path) -> None:
    async with market(tmp_path, [COUNTED[2]]) as (plane, user):
        await user.patch(Machine, "old", {"spec": {"hourlyCost": None}})
        await plane.allocator.look()
        await offered(user, "new")
