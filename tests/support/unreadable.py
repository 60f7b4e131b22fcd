"""Objects that today's kinds refuse, put into the store past the door, as an older version left them."""

import asyncio
from concurrent.futures import Future
from typing import Any

from tenure.resources import ApiObject, kind_of
from tenure.server.host import resource_of
from tenure.store import Stored
from tests.support.embedded import Embedded

OLD_NEED = {
    "inference": {"model": "smollm2-135m-instruct-q8"},
    "load": {"requestsPerSecond": 0.25, "promptTokens": 50, "outputTokens": 40},
    "objectives": {"timeToFirstToken": {"p95": "1s"}},
    "term": {"duration": "30s"},
}
"""A window is longer than the term, which was taken once."""


async def put(host: Embedded, model: type[ApiObject], name: str, spec: Any, **metadata: Any) -> None:
    """Store it as it is."""
    await asyncio.wrap_future(putting(host, model, name, spec, **metadata))


def putting(host: Embedded, model: type[ApiObject], name: str, spec: Any, **metadata: Any) -> Future[Stored]:
    """The same, for who waits otherwise."""
    kind = kind_of(model)
    where = {"namespace": "default"} if kind.namespaced else {}
    content = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": name, **where, **metadata},
        "spec": spec,
    }
    return host.serving.host.store.create(resource_of(kind), content)


def put_status(host: Embedded, model: type[ApiObject], stored: Stored, status: Any) -> None:
    """And its status, as it is."""
    host.serving.host.store.update(resource_of(kind_of(model)), {**stored.content, "status": status}, "status").result()
