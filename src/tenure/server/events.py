"""Events are for people and do not stay: the old ones, and the oldest of too many, are taken away."""

import asyncio
import logging
from typing import Any

from tenure.quantities import parse_instant
from tenure.resources import Event, kind_of
from tenure.server.host import Host, resource_of
from tenure.store import ObjectConflictError, ObjectNotFoundError, Stored, StoreError

# Kubernetes keeps them for an hour; on one machine a day is cheap, and the morning after is when one looks.
KEPT_MS = 24 * 3_600_000
KEPT_EVENTS = 5_000
SWEEP_SECONDS = 300.0
log = logging.getLogger(__name__)


async def expire_forever(host: Host) -> None:
    """Sweep now and then until cancelled."""
    while True:
        try:
            await expire(host)
        except StoreError as error:
            log.warning("old events stay for now: %s", error)
        await asyncio.sleep(SWEEP_SECONDS)


async def expire(host: Host) -> int:
    """Delete events that are too old or too many; returns how many. Raises StoreError."""
    events = resource_of(kind_of(Event))
    page = await asyncio.to_thread(host.store.list, events)
    aged = sorted(((_last_ms(item), item) for item in page.items), key=lambda pair: pair[0], reverse=True)
    oldest_ms = host.clock.now_ms() - KEPT_MS
    gone = [item for index, (last_ms, item) in enumerate(aged) if index >= KEPT_EVENTS or last_ms < oldest_ms]
    for item in gone:
        try:
            await asyncio.wrap_future(host.store.delete(events, item.namespace, item.name, version=str(item.version)))
        except (ObjectNotFoundError, ObjectConflictError):  # gone, or repeated just now
            continue
    return len(gone)


def _last_ms(item: Stored) -> int:
    content: dict[str, Any] = item.content
    for text in (content.get("lastTimestamp"), content.get("eventTime"), content["metadata"]["creationTimestamp"]):
        try:
            return parse_instant(str(text))
        except (ValueError, TypeError):
            continue
    return 0
