"""Controllers: watches feed keys into a queue, workers hand them to the reconciler of the kind."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from tenure.client import AsyncClient, Conflict, Gone, Unreachable
from tenure.controllers.kernel.queue import Key, WorkQueue
from tenure.quantities import Clock
from tenure.resources import ApiObject

WORKERS = 4
AWAY_MS = 500
log = structlog.get_logger("tenure.controllers")


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again in so many milliseconds, whatever happens in between."""

    ms: int


class Reconciler(Protocol):
    """Makes the world follow one object."""

    async def reconcile(self, key: Key) -> Wait | None:
        """Bring the world closer to what the object wants; None when there is nothing to wait for."""
        ...


KeysOf = Callable[[ApiObject], Iterable[Key]]


def own_key(obj: ApiObject) -> Iterable[Key]:
    """An object is reconciled under its own name."""
    return (Key(obj.namespace or "", obj.name),)


@dataclass(frozen=True, slots=True)
class Controller:
    """One kind's reconciler and what wakes it: its own kind, and others through `also`."""

    model: type[ApiObject]
    reconciler: Reconciler
    also: Mapping[type[ApiObject], KeysOf] = field(default_factory=dict)
    workers: int = WORKERS


async def run_controllers(client: AsyncClient, controllers: Sequence[Controller], clock: Clock) -> None:
    """Run until cancelled. One failing object never stops another; one failing controller stops all, loudly."""
    async with asyncio.TaskGroup() as group:
        for controller in controllers:
            queue = WorkQueue(clock)
            sources: dict[type[ApiObject], KeysOf] = {controller.model: own_key, **controller.also}
            for model, keys_of in sources.items():
                group.create_task(_feed(client, model, keys_of, queue), name=f"watch {model.__name__}")
            for number in range(controller.workers):
                name = f"{controller.model.__name__} {number}"
                group.create_task(_work(controller.reconciler, queue, controller.model.__name__), name=name)


async def _feed(client: AsyncClient, model: type[ApiObject], keys_of: KeysOf, queue: WorkQueue) -> None:
    """List, then watch; list again when the log has moved on or the host was away."""
    while True:
        try:
            listed = await client.list(model)
            for obj in listed.items:
                _add(queue, keys_of, obj)
            async for event in client.watch(model, resource_version=listed.resource_version):
                if event.object is not None:
                    _add(queue, keys_of, event.object)
        except Gone:
            continue
        except Unreachable:
            await asyncio.sleep(AWAY_MS / 1000)


def _add(queue: WorkQueue, keys_of: KeysOf, obj: ApiObject) -> None:
    for key in keys_of(obj):
        queue.add(key)


async def _work(reconciler: Reconciler, queue: WorkQueue, kind: str) -> None:
    while True:
        key = queue.take()
        if key is None:
            await queue.changed()
            continue
        await _once(reconciler, queue, key, kind)


async def _once(reconciler: Reconciler, queue: WorkQueue, key: Key, kind: str) -> None:
    where = f"{key.namespace}/{key.name}" if key.namespace else key.name
    try:
        wait = await reconciler.reconcile(key)
    except asyncio.CancelledError:
        queue.done(key, failed=False)
        raise
    except (Conflict, Unreachable) as error:
        # The ordinary course of compare-and-swap, or a host that restarts: read again.
        backoff = queue.done(key, failed=True)
        log.debug("reconcile again", kind=kind, object=where, because=str(error), backoff_ms=backoff)
    except Exception:
        backoff = queue.done(key, failed=True)
        log.exception("reconcile failed", kind=kind, object=where, backoff_ms=backoff)
    else:
        queue.done(key, failed=False, requeue_after_ms=wait.ms if wait else None)
