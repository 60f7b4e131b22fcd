"""Watches across SIGKILLs of a real host process, in the middle of writes: nothing acknowledged is lost, nothing told
twice or out of order, and what was not acknowledged is told once or never, to all alike."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tenure.client import AlreadyExists, AsyncClient, NoConnection, Unreachable, from_home
from tenure.resources import Engine
from tests.client.test_watch import engine

HOST = "import asyncio, pathlib, sys; from tenure.server import serve; asyncio.run(serve(pathlib.Path(sys.argv[1])))"
WATCHERS, WRITERS = 4, 4
WRITES = 300
"""By each writer."""
KILLS = 8
ALIVE_SECONDS = (0.1, 0.8)
AGAIN_SECONDS = 0.05
START_SECONDS, FOLLOWED_SECONDS = 60, 120


class HostProcess:
    """The host of a home as a process of its own, which dies as the kernel's victims do."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", HOST, str(self.home)])
        async with asyncio.timeout(START_SECONDS):
            while not await self._answers():
                assert self.process.poll() is None, "it runs"
                await asyncio.sleep(AGAIN_SECONDS)

    async def _answers(self) -> bool:
        try:
            async with self.client() as client:
                await client.list(Engine)
        except (NoConnection, Unreachable):
            return False
        return True

    def kill(self) -> None:
        if self.process is not None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def client(self) -> AsyncClient:
        return AsyncClient(lambda: from_home(self.home))


@pytest.fixture
def host(tmp_path: Path) -> Iterator[HostProcess]:
    made = HostProcess(tmp_path)
    try:
        yield made
    finally:
        made.kill()


async def follow(client: AsyncClient, version: str, count: int, seen: list[tuple[str, str, int]]) -> None:
    """Note so many changes after a version."""
    async for event in client.watch(Engine, resource_version=version):
        assert event.object is not None
        seen.append((event.type, event.object.name, int(event.resource_version)))
        if len(seen) == count:
            return


async def write(client: AsyncClient, writer: int, acknowledged: dict[str, int]) -> None:
    """Create one object after the other, each until it is there; and note the version of those that were answered."""
    for number in range(WRITES):
        name = f"e-{writer}-{number}"
        while True:
            try:
                made = await client.create(engine(name))
            except Unreachable:
                await asyncio.sleep(AGAIN_SECONDS)  # nobody knows whether it happened
            except AlreadyExists:
                break  # it had
            else:
                acknowledged[name] = int(made.metadata.resource_version or 0)
                break


@pytest.mark.slow
async def test_a_host_that_is_killed_in_the_middle_of_writes_loses_and_repeats_nothing(host: HostProcess) -> None:
    chance = random.Random(3)
    acknowledged: dict[str, int] = {}
    await host.start()
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(host.client()) for _ in range(WATCHERS + WRITERS)]
        start = (await clients[0].list(Engine)).resource_version
        total = WRITERS * WRITES
        seen: list[list[tuple[str, str, int]]] = [[] for _ in range(WATCHERS)]
        log: list[tuple[str, str, int]] = []
        watching = [
            asyncio.create_task(follow(client, start, total, own))
            for client, own in zip(clients[:WATCHERS], seen, strict=True)
        ]
        writing = [
            asyncio.create_task(write(client, writer, acknowledged)) for writer, client in enumerate(clients[WATCHERS:])
        ]
        async with asyncio.timeout(FOLLOWED_SECONDS):
            while not all(seen):  # a watch that was never answered is refused, not resumed
                await asyncio.sleep(AGAIN_SECONDS)
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(*ALIVE_SECONDS))
            host.kill()
            await host.start()
        async with asyncio.timeout(FOLLOWED_SECONDS):
            await asyncio.gather(*writing, *watching)
            await follow(await stack.enter_async_context(host.client()), start, total, log)
    assert all(own == log for own in seen), "each watcher was told what the log says, in its order"
    versions = [version for _, _, version in log]
    assert versions == sorted(set(versions))
    told = {name: version for _, name, version in log}
    assert len(told) == total
    assert acknowledged.items() <= told.items(), "what was acknowledged is there, as of the version that was answered"
