"""Controllers: watches feed keys into a queue, workers hand them to the reconciler of the kind."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from tenure.client import AsyncClient, Conflict, Informer, Unreachable, Unreadable
from tenure.controllers.kernel.queue import Key, WorkQueue
from tenure.controllers.kernel.troubles import Troubles
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
    queues: defaultdict[type[ApiObject], dict[int, WorkQueue]] = defaultdict(dict)
    troubles = {controller.model: Troubles(client, controller.model, clock) for controller in controllers}
    async with asyncio.TaskGroup() as group:
        for place, controller in enumerate(controllers):
            queue = WorkQueue(clock)
            queues[controller.model][place] = queue
            work = _Work(controller.reconciler, queue, controller.model.__name__, place, troubles[controller.model])
            for model, keys_of in {controller.model: own_key, **controller.also}.items():
                listeners[model].append((keys_of, queue))
            for number in range(controller.workers):
                name = f"{controller.model.__name__} {number}"
                group.create_task(_work_on(work), name=name)
        for model, heard_by in listeners.items():
            informer = _informer(client, model, heard_by, queues[model], troubles.get(model))
            group.create_task(informer.run(), name=f"watch {model.__name__}")


def _informer(
    client: AsyncClient,
    model: type[ApiObject],
    listeners: Sequence[_Listener],
    queues: Mapping[int, WorkQueue],
    troubles: Troubles | None,
) -> Informer[ApiObject, _Wakes]:
    """Wakes what an object leads to; where it was deleted, what it led to when it was last heard of. Of one that cannot
    be read nobody knows to what it leads: it wakes its own kind's reconcilers, in `queues` by their place."""

    def wakes(obj: ApiObject) -> _Wakes:
        found = [(queue, key) for keys_of, queue in listeners for key in keys_of(obj)]
        if troubles is not None:
            own = Key(obj.namespace or "", obj.name)
            woken = [queue for queue, key in found if key == own]
            troubles.note(own, obj, [place for place, queue in queues.items() if queue in woken])
        return found

    def wake(_happening: str, wakes: _Wakes, _before: _Wakes | None) -> None:
        for queue, key in wakes:
            queue.add(key)

    def wake_itself(error: Unreadable) -> None:
        for queue in queues.values():
            queue.add(Key(error.namespace, error.name))

    return Informer(client, model, wakes, wake, wake_itself)


@dataclass(frozen=True, slots=True)
class _Work:
    """What the workers of one controller share. `place` tells it from others of its kind."""

    reconciler: Reconciler
    queue: WorkQueue
    kind: str
    place: int
    troubles: Troubles


async def _work_on(work: _Work) -> None:
    while True:
        key = work.queue.take()
        if key is None:
            await work.queue.changed()
            continue
        await _once(work, key)


async def _once(work: _Work, key: Key) -> None:
    queue, kind = work.queue, work.kind
    where = f"{key.namespace}/{key.name}" if key.namespace else key.name
    try:
        wait = await work.reconciler.reconcile(key)
    except asyncio.CancelledError:
        queue.done(key, failed=False)
        raise
    except (Conflict, Unreachable) as error:
        # The ordinary course of compare-and-swap, or a host that restarts: read again.
        backoff = queue.done(key, failed=True)
        log.debug("reconcile again", kind=kind, object=where, because=str(error), backoff_ms=backoff)
    except Exception as error:
        if _is_of(error, work.kind, key):
            queue.done(key, failed=False)  # passed over until it changes, and said where it was read
            return
        # Said before it is tried again, so that an object is never in two hands.
        await work.troubles.failed(work.place, key, error)
        backoff = queue.done(key, failed=True)
        if isinstance(error, Unreadable):
            log.warning("reconcile waits", kind=kind, object=where, because=str(error), backoff_ms=backoff)
        else:
            log.exception("reconcile failed", kind=kind, object=where, backoff_ms=backoff)
    else:
        again_ms = await work.troubles.went_well(work.place, key)
        waits = [ms for ms in (wait.ms if wait else None, again_ms) if ms is not None]
        queue.done(key, failed=False, requeue_after_ms=min(waits, default=None))


def _is_of(error: Exception, kind: str, key: Key) -> bool:
    """Whether it is this very object that cannot be read."""
    of = (kind, key.namespace, key.name)
    return isinstance(error, Unreadable) and (error.kind, error.namespace, error.name) == of
