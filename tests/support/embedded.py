"""The embedded host for tests: in this event loop, or in a thread beside a test that blocks (kubectl, the CLI)."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tenure.client import AsyncClient, Identity, from_home
from tenure.server import Serving, serving
from tests.support.threads import in_thread


@dataclass(frozen=True)
class Embedded:
    """A host that answers, and ways to talk to it."""

    serving: Serving

    @property
    def home(self) -> Path:
        return self.serving.home

    def client(self, identity: Identity = "user") -> AsyncClient:
        return AsyncClient(lambda: from_home(self.home, identity))

    def http(self, identity: Identity | None = "user") -> httpx2.AsyncClient:
        """Plain HTTP, for requests that no client of ours would send."""
        connection = from_home(self.home, identity or "user")
        headers = connection.headers if identity else {}
        return httpx2.AsyncClient(base_url=connection.url, headers=headers, timeout=20, **connection.options)


@asynccontextmanager
async def embedded(home: Path) -> AsyncIterator[Embedded]:
    async with serving(home) as running:
        yield Embedded(running)


@contextmanager
def embedded_in_thread(home: Path) -> Iterator[Embedded]:
    with in_thread(lambda: serving(home)) as running:
        yield Embedded(running)
