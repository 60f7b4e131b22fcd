"""The finalizer of what contracts stand on. It is there before anything is held: what is deleted gets none any more."""

from contextlib import suppress
from typing import TypeVar

from tenure.client import AlreadyExists, AsyncClient, Conflict, NotFound
from tenure.client.finalizers import drop_finalizer
from tenure.controllers.side_by_side import side_by_side
from tenure.resources import ApiObject, Engine, HardwareProfile, Machine, Model, Runtime, Site

IN_USE_FINALIZER = "tenure.dev/in-use"
GUARDED: tuple[type[ApiObject], ...] = (Site, Machine, HardwareProfile, Engine, Model, Runtime)
ATTEMPTS_MAX = 8
T = TypeVar("T", bound=ApiObject)


def is_guarded(obj: ApiObject) -> bool:
    """Whether it bears the finalizer."""
    return IN_USE_FINALIZER in (obj.metadata.finalizers or [])


def guarded(obj: T) -> T:
    """The object with the finalizer."""
    finalizers = sorted({*(obj.metadata.finalizers or []), IN_USE_FINALIZER})
    return obj.model_copy(update={"metadata": obj.metadata.model_copy(update={"finalizers": finalizers})})


async def create_guarded(client: AsyncClient, obj: ApiObject) -> None:
    """Create it with the finalizer, unless it is there already."""
    with suppress(AlreadyExists):
        await client.create(guarded(obj))


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
    for model in GUARDED:
        await side_by_side(guard(client, obj) for obj in (await client.list(model)).readable if not is_guarded(obj))


async def let_go(client: AsyncClient, obj: ApiObject) -> None:
    """Take the finalizer away from an object that is being deleted: with its last, it is gone."""
    await drop_finalizer(client, obj, IN_USE_FINALIZER)
