"""What wakes a controller: its own kind and others, one watch a kind, across gaps that hide a deletion."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tenure.client import AsyncClient
from tenure.controllers.kernel import Controller, Key, Wait, run_controllers
from tenure.quantities import SystemClock
from tenure.resources import ApiObject, Engine, Site
from tests.client.test_watch import engine
from tests.support.embedded import Embedded, embedded


class Woken:
    """A reconciler that only remembers what it was woken for."""

    def __init__(self) -> None:
        self.keys: list[Key] = []

    async def reconcile(self, key: Key) -> Wait | None:
        self.keys.append(key)
        return None


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with embedded(tmp_path) as running:
        yield running


@asynccontextmanager
async def running(client: AsyncClient, *controllers: Controller) -> AsyncIterator[None]:
    task = asyncio.create_task(run_controllers(client, controllers, SystemClock()))
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


def site_of(obj: ApiObject) -> list[Key]:
    assert isinstance(obj, Engine)
    return [Key("", obj.spec.site)]


async def test_an_object_wakes_all_that_listen_to_its_kind_through_one_watch(host: Embedded) -> None:
    own, other = Woken(), Woken()
    async with host.client("controllers") as client:
        await client.create(engine("a"))
        async with running(client, Controller(Engine, own), Controller(Site, other, also={Engine: site_of})):
            await until(lambda: host.serving.host.watches == 2 and bool(own.keys and other.keys))
            await client.create(engine("b"))
            await until(lambda: len(own.keys) == 2 and len(other.keys) == 2)
            assert own.keys == [Key("", "a"), Key("", "b")]
            assert other.keys == [Key("", "here")] * 2
            await client.delete(Engine, "b")
            await until(lambda: len(own.keys) == 3 and len(other.keys) == 3)
            assert host.serving.host.watches == 2


async def test_a_deletion_that_the_log_no_longer_holds_wakes_as_well(host: Embedded) -> None:
    own = Woken()
    async with host.client("controllers") as client:
        await client.create(engine("a"))
        listed = client.list
        blind = asyncio.Event()

        async def list_behind(model: type[Engine]) -> object:
            """The list as it is, and then a log that begins after it."""
            found = await listed(model)
            if not blind.is_set():
                blind.set()
                await client.delete(Engine, "a")
                await client.create(engine("b"))
                host.serving.host.store.compact(host.serving.host.store.version)
            return found

        client.list = list_behind  # type: ignore[method-assign, assignment]
        async with running(client, Controller(Engine, own)):
            await until(lambda: own.keys.count(Key("", "a")) == 2 and Key("", "b") in own.keys)
