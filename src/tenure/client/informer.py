"""A cache that follows one kind: list, then watch, and tell a callback what changed. Built for controllers."""

import asyncio
import logging
from collections.abc import Callable
from typing import Generic, Literal, TypeVar

from tenure.client.aio import AsyncClient
from tenure.client.errors import ApiError, Forbidden, Gone, Unauthorized
from tenure.client.transport import pause_seconds
from tenure.resources import ApiObject

T = TypeVar("T", bound=ApiObject)
Happening = Literal["added", "modified", "deleted"]
Key = tuple[str, str]
log = logging.getLogger(__name__)


class Informer(Generic[T]):
    """The objects of one kind as last heard, and a call for each difference.

    `on_change(happening, object, before)` runs on the event loop, in order, and must not block: it puts a key in a
    queue. After a gap (410, or a host that was restored) a new list is compared with the cache, so that what happened
    in between is told as differences; steps in between may be missing, the last state never is. The cache may lag
    behind the host: decide from it what to look at, never what to commit.
    """

    def __init__(
        self,
        client: AsyncClient,
        model: type[T],
        on_change: Callable[[Happening, T, T | None], None],
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
    ) -> None:
        self._client = client
        self._model = model
        self._on_change = on_change
        self._namespace = namespace
        self._label_selector = label_selector
        self._objects: dict[Key, T] = {}
        self.synced = asyncio.Event()

    @property
    def objects(self) -> list[T]:
        """Everything in the cache, in no order."""
        return list(self._objects.values())

    def get(self, name: str, namespace: str | None = None) -> T | None:
        """The object as last heard; None when there is none."""
        return self._objects.get((namespace or "", name))

    async def run(self) -> None:
        """Follow until cancelled. Waits out a host that is away; raises Forbidden and Unauthorized, which stay."""
        failures = 0
        while True:
            try:
                listed = await self._client.list(
                    self._model, namespace=self._namespace, label_selector=self._label_selector
                )
                self._compare({_key(obj): obj for obj in listed.items})
                self.synced.set()
                failures = 0
                async for event in self._client.watch(
                    self._model,
                    namespace=self._namespace,
                    resource_version=listed.resource_version,
                    label_selector=self._label_selector,
                ):
                    assert event.object is not None, "bookmarks were not asked for"
                    self._apply(event.object, gone=event.type == "DELETED")
            except Gone:
                log.info("%s: the log was compacted, listing again", self._model.__name__)
            except (Forbidden, Unauthorized):
                raise
            except ApiError as error:
                failures += 1
                log.warning("%s: %s; trying again", self._model.__name__, error)
                await asyncio.sleep(pause_seconds(failures))

    def _compare(self, listed: dict[Key, T]) -> None:
        for key in [key for key in self._objects if key not in listed]:
            self._apply(self._objects[key], gone=True)
        for obj in listed.values():
            self._apply(obj, gone=False)

    def _apply(self, obj: T, *, gone: bool) -> None:
        key = _key(obj)
        before = self._objects.get(key)
        if gone:
            if self._objects.pop(key, None) is not None:
                self._on_change("deleted", obj, before)
            return
        if before is not None and before.metadata.resource_version == obj.metadata.resource_version:
            return
        self._objects[key] = obj
        if before is not None and before.metadata.uid != obj.metadata.uid:
            # Deleted and made anew while nobody looked: two objects, two calls.
            self._on_change("deleted", before, before)
            before = None
        self._on_change("modified" if before else "added", obj, before)


def _key(obj: ApiObject) -> Key:
    return obj.metadata.namespace or "", obj.name
