"""The finalizer of what contracts stand on. It is there before anything is held: what is deleted gets none any more."""

import asyncio
from typing import TypeVar

from tenure.client import AsyncClient, Conflict, NotFound
from tenure.resources import ApiObject, Engine, HardwareProfile, Machine, Model, Runtime, Site

IN_USE_FINALIZER = "tenure.dev/in-use"
GUARDED: tuple[type[ApiObject], ...] = (Site, Machine, HardwareProfile, Engine, Model, Runtime)
ATTEMPTS_MAX = 8
TOGETHER = 32
T = TypeVar("T", bound=ApiObject)


def is_guarded(obj: ApiObject) -> bool:
    """Whether it bears the finalizer."""
    return IN_USE_FINALIZER in (obj.metadata.finalizers or [])


def guarded(obj: T) -> T:
    """The object with the finalizer."""
    return _with(obj, sorted({*(obj.metadata.finalizers or []), IN_USE_FINALIZER}))


async def guard(client: AsyncClient, obj: ApiObject) -> None:
    """Put the finalizer on an object that has none; one that is being deleted, or gone, is left."""
    for _ in range(ATTEMPTS_MAX):
        if is_guarded(obj) or obj.metadata.deletion_timestamp is not None:
            return
        try:
            await client.replace(guarded(obj))
            return
        except NotFound:
            return
        except Conflict:
            try:
                obj = await client.get(type(obj), obj.name)
            except NotFound:
                return
    raise Conflict(f"{obj.kind} {obj.name} kept changing while it was guarded")


async def guard_all(client: AsyncClient) -> None:
    """Guard everything that a contract may stand on, before any is held."""
    turn = asyncio.Semaphore(TOGETHER)

    async def one(obj: ApiObject) -> None:
        async with turn:
            await guard(client, obj)

    for model in GUARDED:
        async with asyncio.TaskGroup() as group:
            for obj in (await client.list(model)).items:
                if not is_guarded(obj):
                    group.create_task(one(obj))


async def let_go(client: AsyncClient, obj: ApiObject) -> None:
    """Take the finalizer away from an object that is being deleted: with its last, it is gone."""
    for _ in range(ATTEMPTS_MAX):
        try:
            current = await client.get(type(obj), obj.name)
            if current.uid != obj.uid or not is_guarded(current):
                return
            left = [f for f in current.metadata.finalizers or [] if f != IN_USE_FINALIZER]
            await client.replace(_with(current, left))
            return
        except Conflict:
            continue
        except NotFound:
            return
    raise Conflict(f"{obj.kind} {obj.name} kept changing while its finalizer was removed")


def _with(obj: T, finalizers: list[str]) -> T:
    metadata = obj.metadata.model_copy(update={"finalizers": finalizers or None})
    return obj.model_copy(update={"metadata": metadata})
