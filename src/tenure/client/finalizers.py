"""Taking a finalizer away from an object that is being deleted: with its last, it is gone."""

from tenure.client.aio import AsyncClient
from tenure.client.errors import Conflict, NotFound
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
