"""Wakes watchers: the store's write thread says that something changed, and whoever waits for that resource looks."""

import asyncio
import threading


class Pulse:
    """One event per resource, renewed with each change. Holds no changes, so nothing can pile up for a slow watcher."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._events: dict[str, asyncio.Event] = {}
        self._pending: set[str] = set()
        self._lock = threading.Lock()
        self.closing = False

    def beat(self, version: int, resources: frozenset[str]) -> None:  # noqa: ARG002 (the store's listener signature)
        """Called on the write thread after a commit."""
        with self._lock:
            scheduled = bool(self._pending)
            self._pending |= resources
        if not scheduled:
            try:
                self._loop.call_soon_threadsafe(self._wake)
            except RuntimeError:  # the loop is gone, and with it everybody who waited
                return

    def next(self, resource: str) -> asyncio.Event:
        """An event that is set by the next change; take it before looking, so that no change falls between."""
        return self._events.setdefault(resource, asyncio.Event())

    def close(self) -> None:
        """Wake everybody for the last time. On the event loop."""
        self.closing = True
        for event in self._events.values():
            event.set()

    def _wake(self) -> None:
        with self._lock:
            resources, self._pending = self._pending, set()
        for resource in resources:
            event = self._events.pop(resource, None)
            if event is not None:
                event.set()
