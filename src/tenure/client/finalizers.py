"""Taking a finalizer away from an object that is being deleted: with its last, it is gone."""

from contextlib import suppress

from tenure.client.aio import AsyncClient
from tenure.client.errors import Conflict, NotFound, Unreadable
from tenure.resources import ApiObject

ATTEMPTS_MAX = 8


async def drop_finalizer(client: AsyncClient, obj: ApiObject, finalizer: str) -> None:
    """Remove it from this very object; done when the object, or the finalizer, is gone already.

    Raises Conflict when somebody else changes the object all the while.
    """
    for _ in range(ATTEMPTS_MAX):
        try:
            current = await client.get(type(obj), obj.name, namespace=obj.namespace)
            if current.uid != obj.uid or finalizer not in (current.metadata.finalizers or []):
                return
            left = [f for f in current.metadata.finalizers or [] if f != finalizer]
            metadata = current.metadata.model_copy(update={"finalizers": left or None})
            await client.replace(current.model_copy(update={"metadata": metadata}))
            return
        except Conflict:
            continue
        except NotFound:
            return
    raise Conflict(f"{obj.kind} {obj.name} kept changing while its finalizer was removed")


async def drop_finalizer_unread(
    client: AsyncClient, model: type[ApiObject], unread: Unreadable, finalizer: str
) -> None:
    """Remove it from an object that is being deleted and cannot be read. Raises Conflict where it has changed since."""
    left = [one for one in unread.metadata.get("finalizers") or () if one != finalizer]
    change = {"metadata": {"finalizers": left or None, "resourceVersion": unread.version}}
    with suppress(NotFound, Unreadable):  # it is gone already; or is answered as it was
        await client.patch(model, unread.name, change, namespace=unread.namespace or None)
