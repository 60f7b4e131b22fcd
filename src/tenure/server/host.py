"""What the requests of one embedded host share: the store, who may ask, the clock, and the watchers."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeVar

from tenure.quantities import Clock
from tenure.resources import KINDS, Kind
from tenure.server.authorization import Identity
from tenure.server.pulse import Pulse
from tenure.server.refusals import from_store
from tenure.store import Resource, Store, Stored, StoreError, body_of

R = TypeVar("R")

WATCHES_MAX = 1000


def resource_of(kind: Kind) -> Resource:
    """A kind as the store knows it."""
    return _RESOURCES[kind.kind]


def store_resources() -> list[Resource]:
    """Every resource that the store keeps."""
    return list(_RESOURCES.values())


@dataclass(slots=True)
class Host:
    """One store behind one door."""

    store: Store
    tokens: Mapping[Identity, str]
    clock: Clock
    pulse: Pulse
    began_ms: int = 0
    """When it began to answer, Unix ms: nobody who is still there looked at anything before."""
    watches: int = 0
    requests: dict[tuple[str, str, int], int] = field(default_factory=dict)
    request_seconds: dict[str, float] = field(default_factory=dict)


async def written(future: Future[R]) -> R:
    """The outcome of a write once it is on disk; refusals of the store become refusals of the door."""
    try:
        return await asyncio.wrap_future(future)
    except StoreError as error:
        raise from_store(error) from error


def as_rehearsed(stored: Stored, version: int | None) -> Stored:
    """The outcome of a dry run under the version that still holds; None: the object was never there."""
    content = {**stored.content, "metadata": dict(stored.content["metadata"])}
    if version is None:
        del content["metadata"]["resourceVersion"]
    else:
        content["metadata"]["resourceVersion"] = str(version)
    return Stored(stored.namespace, stored.name, version or 0, body_of(content))


_RESOURCES = {
    kind.kind: Resource(kind.group, kind.version, kind.kind, kind.plural, kind.namespaced, kind.status_subresource)
    for kind in KINDS
}
