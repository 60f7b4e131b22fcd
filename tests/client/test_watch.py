"""Watches through the client: across disconnects, restarts and compaction no change is lost, repeated or reordered."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tenure.client import AlreadyExists, AsyncClient, Connection, Gone, Informer, from_home
from tenure.resources import Engine, Namespace, ObjectMeta
from tests.support.embedded import Embedded, embedded


def engine(name: str, **labels: str) -> Engine:
    return Engine.model_validate(
        {"metadata": {"name": name, "labels": labels}, "spec": {"type": "local", "site": "here"}}
    )


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Embedded]:
    async with embedded(tmp_path) as running:
        yield running


class CutWire:
    """A byte-for-byte relay in front of the host that can cut every connection, as a bad network does."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._open: set[asyncio.StreamWriter] = set()
        self.cuts = 0

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        self.cuts += 1
        for writer in self._open:
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            return
        mine = {writer, far_writer}
        self._open |= mine

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            try:
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            except OSError:
                pass
            finally:
                sink.transport.abort()

        try:
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        finally:
            self._open -= mine


async def follow(client: AsyncClient, version: str, count: int) -> list[tuple[str, str, int]]:
    seen: list[tuple[str, str, int]] = []
    async for event in client.watch(Engine, resource_version=version):
        assert event.object is not None
        seen.append((event.type, event.object.name, int(event.resource_version)))
        if len(seen) == count:
            return seen
    raise AssertionError("a watch never ends by itself")


async def cut_and_follow(home: Path, events: int, cuts: int, restarts: int, seed: int) -> None:
    """Write `events` changes while wires are cut and the host restarts; four watchers must tell exactly the log."""
    chance = random.Random(seed)
    async with AsyncExitStack() as watchers:
        host_stack = AsyncExitStack()
        running = await host_stack.enter_async_context(embedded(home))
        url = running.serving.url
        wire = CutWire(int(url.rsplit(":", 1)[1]))
        port = await wire.start()

        def through_the_wire() -> Connection:
            direct = from_home(home, "controllers")
            return Connection(f"https://127.0.0.1:{port}", headers=direct.headers, options=direct.options)

        direct = await watchers.enter_async_context(running.client("controllers"))
        start = (await direct.list(Engine)).resource_version
        clients = [await watchers.enter_async_context(AsyncClient(through_the_wire)) for _ in range(4)]
        tasks = [asyncio.create_task(follow(client, start, events)) for client in clients]
        written: list[tuple[str, str, int]] = []
        cut_at = set(chance.sample(range(events), cuts))
        restart_at = set(chance.sample(range(events), restarts))
        alive: dict[str, int] = {}
        for index in range(events):
            if index in cut_at:
                wire.cut()
                await asyncio.sleep(chance.uniform(0, 0.01))
            if index in restart_at:
                await host_stack.aclose()
                host_stack = AsyncExitStack()
                running = await host_stack.enter_async_context(embedded(home))
                assert running.serving.url == url
            name = f"e{chance.randrange(20)}"
            store = running.serving.host.store
            written.append(await write(store, name, alive, index))
        try:
            for task in tasks:
                assert await asyncio.wait_for(task, 120) == written
        finally:
            for task in tasks:
                task.cancel()
            await wire.stop()
            await watchers.aclose()
            await host_stack.aclose()


async def write(store: Any, name: str, alive: dict[str, int], index: int) -> tuple[str, str, int]:
    from tenure.resources import kind_of
    from tenure.server.host import resource_of

    resource = resource_of(kind_of(Engine))
    if name not in alive:
        content = engine(name).to_json()
        alive[name] = (await asyncio.wrap_future(store.create(resource, content))).version
        return "ADDED", name, alive[name]
    if index % 7 == 0:
        await asyncio.wrap_future(store.delete(resource, "", name))
        del alive[name]
        return "DELETED", name, store.version
    current = store.get(resource, "", name).content
    changed = {**current, "metadata": {**current["metadata"], "labels": {"n": str(index)}}}
    alive[name] = (await asyncio.wrap_future(store.update(resource, changed))).version
    return "MODIFIED", name, alive[name]


async def test_nothing_is_lost_repeated_or_reordered(tmp_path: Path) -> None:
    await cut_and_follow(tmp_path, events=400, cuts=12, restarts=2, seed=1)


@pytest.mark.slow
async def test_a_hundred_thousand_events_and_two_hundred_cuts(tmp_path: Path) -> None:
    await cut_and_follow(tmp_path, events=100_000, cuts=200, restarts=10, seed=2)


async def test_without_a_version_the_present_comes_first(host: Embedded) -> None:
    async with host.client() as client:
        await client.create(engine("a"))
        await client.create(engine("b"))

        async def later() -> None:
            await asyncio.sleep(0.05)
            await client.create(engine("c"))

        task = asyncio.create_task(later())
        assert [name for _, name, _ in await follow(client, "", 3)] == ["a", "b", "c"]
        await task


async def test_after_compaction_it_says_gone(host: Embedded) -> None:
    async with host.client() as client:
        first = await client.create(engine("a"))
        await client.create(engine("b"))
        host.serving.host.store.compact(host.serving.host.store.version)
        with pytest.raises(Gone):
            await follow(client, first.metadata.resource_version or "", 1)


async def test_selectors_tell_arrivals_and_departures(host: Embedded) -> None:
    async with host.client() as client:
        start = (await client.list(Engine)).resource_version
        await client.create(engine("a", tier="gold"))
        await client.create(engine("other"))
        for labels in ({"tier": "silver"}, {"tier": "gold", "x": "y"}, {"tier": "gold", "x": "z"}):
            await client.patch(Engine, "a", {"metadata": {"labels": labels}})
        await client.delete(Engine, "a")
        seen = []
        async for event in client.watch(Engine, resource_version=start, label_selector="tier=gold"):
            assert event.object is not None
            seen.append((event.type, event.object.name))
            if len(seen) == 5:
                break
        assert seen == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_bookmarks_move_an_idle_watch_past_compaction(host: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    from tenure.server import watching

    monkeypatch.setattr(watching, "BOOKMARK_SECONDS", 0.05)
    async with host.client() as client:
        start = (await client.list(Engine)).resource_version
        async for event in client.watch(Engine, resource_version=start, bookmarks=True):
            assert event.type == "BOOKMARK"
            if int(event.resource_version) > int(start):
                break
            with suppress(AlreadyExists):  # a bookmark of before may still be on its way
                await client.create(Namespace(metadata=ObjectMeta(name="elsewhere")))


async def test_an_end_of_the_host_ends_watches_at_once(tmp_path: Path) -> None:
    started = asyncio.get_running_loop().time()
    async with AsyncExitStack() as stack:
        async with embedded(tmp_path) as host:
            client = await stack.enter_async_context(host.client())
            task = asyncio.create_task(follow(client, "", 1))
            await asyncio.sleep(0.1)
        assert asyncio.get_running_loop().time() - started < 4
        task.cancel()


async def test_watchers_that_leave_are_forgotten(host: Embedded) -> None:
    async with host.client() as client:
        task = asyncio.create_task(follow(client, "", 1))
        while host.serving.host.watches == 0:
            await asyncio.sleep(0.01)
        task.cancel()
        for _ in range(200):
            if host.serving.host.watches == 0:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the host still keeps a watch that nobody reads")


class TestInformer:
    async def test_follows_across_a_gap(self, host: Embedded) -> None:
        told: list[tuple[str, str]] = []
        async with host.client() as client:
            await client.create(engine("a"))
            await client.create(engine("gone"))
            informer = Informer(
                client, Engine, lambda obj: obj.name, lambda happening, name, _: told.append((happening, name))
            )
            task = asyncio.create_task(informer.run())
            await informer.synced.wait()
            assert told == [("added", "a"), ("added", "gone")]
            task.cancel()
            told.clear()
            # Blind for a while, and the log does not reach back.
            await client.delete(Engine, "gone")
            await client.patch(Engine, "a", {"metadata": {"labels": {"x": "y"}}})
            await client.create(engine("new"))
            host.serving.host.store.compact(host.serving.host.store.version)
            informer.synced.clear()
            task = asyncio.create_task(informer.run())
            await informer.synced.wait()
            assert sorted(told) == [("added", "new"), ("deleted", "gone"), ("modified", "a")]
            told.clear()
            await client.delete(Engine, "new")
            while not told:
                await asyncio.sleep(0.01)
            assert told == [("deleted", "new")]
            task.cancel()
