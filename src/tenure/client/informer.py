"""Follows one kind: list, then watch, and tell a callback what changed. Built for controllers."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from tenure.client.aio import AsyncClient
from tenure.client.calls import ObjectList
from tenure.client.errors import ApiError, Forbidden, Gone, Unauthorized, Unreachable, Unreadable
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

    An object that this version refuses as it is stored is passed over, said once in the log, and told to
    `on_unreadable`, also when it goes: the others are followed on, and what replaces it is told as any change.
    """

    def __init__(
        self,
        client: AsyncClient,
        model: type[T],
        keep: Callable[[T], K],
        on_change: Callable[[Happening, K, K | None], None],
        on_unreadable: Callable[[Unreadable], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._model = model
        self._keep = keep
        self._on_change = on_change
        self._on_unreadable = on_unreadable
        self._known: dict[tuple[str, str], _Known[K]] = {}
        self._passed_over: dict[tuple[str, str], Unreadable] = {}
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled. Waits out a host that is away; raises Forbidden and Unauthorized, which stay."""
        failures = 0
        while True:
            try:
                listed = await self._client.list(self._model)
                self._compare(listed)
                self.synced.set()
                failures = 0
                async for event in self._client.watch(self._model, resource_version=listed.resource_version):
                    if event.unreadable is not None:
                        self._pass_over(event.unreadable, gone=event.type == "DELETED")
                        continue
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

    def _compare(self, listed: ObjectList[T]) -> None:
        there = {_key(obj) for obj in listed.readable} | {(error.namespace, error.name) for error in listed.unreadable}
        for key in (self._known.keys() | self._passed_over.keys()) - there:
            self._forget(key)
        for obj in listed.readable:
            self._hear(obj)
        for error in listed.unreadable:
            self._pass_over(error)

    def _pass_over(self, error: Unreadable, *, gone: bool = False) -> None:
        """What was known of it while it could be read stands until it goes, or another has its name."""
        key = (error.namespace, error.name)
        before, known = self._passed_over.get(key), self._known.get(key)
        if gone or (known is not None and known.uid != error.metadata.get("uid")):
            self._forget(key)
        if gone:
            return
        self._passed_over[key] = error
        if before is None or before.version != error.version:
            self._on_unreadable(error)
        if before is None:
            log.warning("passed over: %s", error)

    def _hear(self, obj: T) -> None:
        key = _key(obj)
        self._passed_over.pop(key, None)
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
        unreadable = self._passed_over.pop(key, None)
        if unreadable is not None:
            self._on_unreadable(unreadable)
        known = self._known.pop(key, None)
        if known is not None:
            self._on_change("deleted", known.kept, known.kept)


def _key(obj: ApiObject) -> tuple[str, str]:
    return obj.metadata.namespace or "", obj.name
