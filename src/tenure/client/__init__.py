"""One client for both hosts: typed verbs over the Kubernetes-shaped API, synchronous and asynchronous.

Promises: objects in and out are the models of `tenure.resources`; every failure is one of a small tree of errors; a
watch neither loses nor repeats nor reorders events across disconnects and restarts, or says `Gone`.
Refuses: to guess. A write whose answer was lost raises `Unreachable(sent=True)` and is never repeated by itself.

    async with AsyncClient(discover()) as client:
        workload = await client.get(Workload, "chat", namespace="team-a")
        offers = await client.list(Offer, namespace="team-a")
        async for event in client.watch(Offer, resource_version=offers.resource_version):
            print(event.type, event.object.name)
"""

from typing import TYPE_CHECKING

from tenure.client.blocking import Client
from tenure.client.calls import EventType, ObjectList, Propagation, WatchEvent
from tenure.client.connection import (
    Connection,
    ConnectionSource,
    Identity,
    discover,
    from_home,
    from_kubeconfig,
    home_directory,
    source_named,
)
from tenure.client.errors import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Cause,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    InvalidName,
    NoConnection,
    NotFound,
    Refusing,
    TooBusy,
    TooLarge,
    Unauthorized,
    Unreachable,
    Unreadable,
    WaitTimeout,
)
from tenure.lazily import lazily

if TYPE_CHECKING:
    from tenure.client.aio import AsyncClient
    from tenure.client.informer import Informer
else:
    __getattr__, __dir__ = lazily(__name__, {"tenure.client.aio": "AsyncClient", "tenure.client.informer": "Informer"})

__all__ = [
    "AlreadyExists",
    "ApiError",
    "AsyncClient",
    "BadRequest",
    "Cause",
    "Client",
    "Conflict",
    "Connection",
    "ConnectionSource",
    "EventType",
    "Forbidden",
    "Gone",
    "Identity",
    "Informer",
    "Invalid",
    "InvalidName",
    "NoConnection",
    "NotFound",
    "ObjectList",
    "Propagation",
    "Refusing",
    "TooBusy",
    "TooLarge",
    "Unauthorized",
    "Unreachable",
    "Unreadable",
    "WaitTimeout",
    "WatchEvent",
    "discover",
    "from_home",
    "from_kubeconfig",
    "home_directory",
    "source_named",
]
