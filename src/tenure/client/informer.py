"""Follows one kind: list, then watch, and tell a callback what changed. Built for controllers."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from tenure.client.aio import AsyncClient
from tenure.client.errors import ApiError, Forbidden, Gone, Unauthorized, Unreachable
from tenure.client.transport import pause_seconds
from tenure.resources import ApiObject

T = TypeVar("T", bound=ApiObject)
K = TypeVar("K")
Happening = Literal["added", "modified", "deleted"]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Known(Generic[K]):
    uid: str | None
    resource_version: str | None
    kept: K


class Informer(Generic[T, K]):
    """What `keep` reads from each object of one kind, as last heard, and a call for each difference.

    `on_change(happening, kept, kept_before)` runs on the event loop, in order, and must not block: it puts a key in a
    queue. After a gap (410, or a host that was restored) a new list is compared with what is known, so that what
    happened in between is told as differences; steps in between may be missing, the last state never is. Of an object
    no more is remembered than its versions and what `keep` made of it: all of a large home would weigh too much.
    """

    def __init__(
        self,
        client: AsyncClient,
        model: type[T],
        keep: Callable[[T], K],
        on_change: Callable[[Happening, K, K | None], None],
    ) -> None:
        self._client = client
        self._model = model
        self._keep = keep
        self._on_change = on_change
        self._known: dict[tuple[str, str], _Known[K]] = {}
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled. Waits out a host that is away; raises Forbidden and Unauthorized, which stay."""
        failures = 0
        while True:
            try:
                listed = await self._client.list(self._model)
                self._compare(listed.items)
                self.synced.set()
                failures = 0
                async for event in self._client.watch(self._model, resource_version=listed.resource_version):
                    assert event.object is not None, "bookmarks were not asked for"
                    if event.type == "DELETED":
                        self._forget(_key(event.object))
                    else:
                        self._hear(event.object)
            except Gone:
                log.info("%s: the log was compacted, listing again", self._model.__name__)
            except (Forbidden, Unauthorized):
                raise
            except ApiError as error:
                failures += 1
                level = logging.INFO if isinstance(error, Unreachable) else logging.WARNING
                log.log(level, "%s: %s; trying again", self._model.__name__, error)
                await asyncio.sleep(pause_seconds(failures))

    def _compare(self, listed: list[T]) -> None:
        for key in self._known.keys() - {_key(obj) for obj in listed}:
            self._forget(key)
        for obj in listed:
            self._hear(obj)

    def _hear(self, obj: T) -> None:
        key = _key(obj)
        before = self._known.get(key)
        if before is not None and before.uid != obj.metadata.uid:
            # Deleted and made anew while nobody looked: two objects, two calls.
            self._forget(key)
            before = None
        if before is not None and before.resource_version == obj.metadata.resource_version:
            return
        known = self._known[key] = _Known(obj.metadata.uid, obj.metadata.resource_version, self._keep(obj))
        if before is None:
            self._on_change("added", known.kept, None)
        else:
            self._on_change("modified", known.kept, before.kept)

    def _forget(self, key: tuple[str, str]) -> None:
        known = self._known.pop(key, None)
        if known is not None:
            self._on_change("deleted", known.kept, known.kept)


def _key(obj: ApiObject) -> tuple[str, str]:
    return obj.metadata.namespace or "", obj.name
