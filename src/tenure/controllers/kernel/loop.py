"""Controllers: watches feed keys into a queue, workers hand them to the reconciler of the kind."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from tenure.client import AsyncClient, Conflict, Informer, Unreachable
from tenure.controllers.kernel.queue import Key, WorkQueue
from tenure.quantities import Clock
from tenure.resources import ApiObject

WORKERS = 4
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
_Wakes = list[tuple[WorkQueue, Key]]
_Listener = tuple[KeysOf, WorkQueue]


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
    """Run until cancelled. One failing object never stops another; one failing controller stops all, loudly.

    Each kind is watched once, however many controllers it wakes.
    """
    listeners: defaultdict[type[ApiObject], list[_Listener]] = defaultdict(list)
    async with asyncio.TaskGroup() as group:
        for controller in controllers:
            queue = WorkQueue(clock)
            for model, keys_of in {controller.model: own_key, **controller.also}.items():
                listeners[model].append((keys_of, queue))
            for number in range(controller.workers):
                name = f"{controller.model.__name__} {number}"
                group.create_task(_work(controller.reconciler, queue, controller.model.__name__), name=name)
        for model, heard_by in listeners.items():
            group.create_task(_informer(client, model, heard_by).run(), name=f"watch {model.__name__}")


def _informer(
    client: AsyncClient, model: type[ApiObject], listeners: Sequence[_Listener]
) -> Informer[ApiObject, _Wakes]:
    """Wakes what an object leads to; where it was deleted, what it led to when it was last heard of."""

    def wakes(obj: ApiObject) -> _Wakes:
        return [(queue, key) for keys_of, queue in listeners for key in keys_of(obj)]

    def wake(_happening: str, wakes: _Wakes, _before: _Wakes | None) -> None:
        for queue, key in wakes:
            queue.add(key)

    return Informer(client, model, wakes, wake)


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
