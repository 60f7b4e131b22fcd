"""What a supervisor waits for: its commands' output, callers, ended children, and what changes from turn to turn."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from typing import Any

from tenure.engines.local import control
from tenure.engines.local.folder import RunFolder
from tenure.engines.local.output import Output


class Events:
    """One poll over everything. Made before the first child can end, so that no end is missed."""

    def __init__(self, folder: RunFolder, outputs: list[Output]) -> None:
        self._wake, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self._listener = control.listen(folder)
        self._outputs = {output.descriptor: output for output in outputs}
        self._callers: dict[int, control.Caller] = {}
        self._ready: dict[int, int] = {}
        self._poll = select.poll()
        for descriptor in (self._wake, self._listener.fileno(), *self._outputs):
            self._poll.register(descriptor, select.POLLIN)

    def wait(
        self, timeout_ms: int, watched: list[tuple[int, int]], obey: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> list[Output]:
        """Wait for anything, serve callers, and return the outputs that have something."""
        watched = [*watched, *((number, select.POLLIN) for number in self._callers)]
        for descriptor, events in watched:
            self._poll.register(descriptor, events)
        self._ready = dict(self._poll.poll(timeout_ms))
        for descriptor, _ in watched:
            self._poll.unregister(descriptor)
        if self._wake in self._ready:
            os.read(self._wake, 4096)
        if self._listener.fileno() in self._ready:
            caller = control.accept(self._listener)
            if caller is not None:
                self._callers[caller.fileno()] = caller
        for descriptor in [number for number in self._callers if number in self._ready]:
            self._callers.pop(descriptor).serve(obey)
        return [self._outputs[number] for number in self._ready if number in self._outputs]

    def happened(self, descriptor: int | None) -> int:
        """What the last wait saw on a watched descriptor; 0 for nothing."""
        return 0 if descriptor is None else self._ready.get(descriptor, 0)
