"""Events: what happened to an object, for people. Equal events are counted, not repeated."""

import hashlib

from tenure.client import AlreadyExists, AsyncClient, Conflict, NotFound
from tenure.quantities import Clock, Instant
from tenure.resources import ApiObject, Event, ObjectMeta
from tenure.resources.kinds.core import EventSource, ObjectReference
from tenure.resources.reasons import BY_CODE

COMPONENT = "tenure"
MESSAGE_LENGTH_MAX = 1024


async def record(
    client: AsyncClient, obj: ApiObject, reason: str, message: str, clock: Clock, *, warning: bool = False
) -> None:
    """Say that `reason` happened to `obj`. Never fails its caller: an event is no evidence, only news."""
    assert reason in BY_CODE, f"{reason} is not in the table of reasons"
    text = message[:MESSAGE_LENGTH_MAX]
    namespace = obj.namespace or "default"
    digest = hashlib.sha256("\0".join((obj.uid, reason, text)).encode()).hexdigest()[:10]
    name = f"{obj.name[:200]}.{digest}"
    now = Instant(clock.now_ms())
    event = Event(
        metadata=ObjectMeta(name=name, namespace=namespace),
        involved_object=ObjectReference(
            api_version=obj.api_version, kind=obj.kind, namespace=obj.namespace, name=obj.name, uid=obj.uid
        ),
        type="Warning" if warning else "Normal",
        reason=reason,
        message=text,
        source=EventSource(component=COMPONENT),
        count=1,
        first_timestamp=now,
        last_timestamp=now,
    )
    try:
        await client.create(event)
    except AlreadyExists:
        await _count(client, name, namespace, now)
    except NotFound:
        return  # its namespace is going away


async def _count(client: AsyncClient, name: str, namespace: str, now: Instant) -> None:
    try:
        old = await client.get(Event, name, namespace=namespace)
        await client.replace(old.model_copy(update={"count": (old.count or 1) + 1, "last_timestamp": now}))
    except (Conflict, NotFound):
        return
