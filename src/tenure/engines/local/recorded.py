"""What is recorded of a supervised run, and when: before it happens where somebody asked for it, after it where time or
the kernel decided. Supervisors import it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Any

from tenure.engines.local import clearing
from tenure.engines.local.folder import NotKnownToLast, RunFolder, write_json
from tenure.engines.local.health import Health

RECORD_AGAIN_NS = 500_000_000


class Recorded:
    """state.json of a run, as its supervisor keeps it."""

    def __init__(self, folder: RunFolder, found: dict[str, Any] | None, state: dict[str, Any], boot: str) -> None:
        self.folder = folder
        self._found = None if found is None else dict(found)  # on record before this process
        self._begun = False  # whether anything of `state` is true yet, or it is only what is to be begun with
        self.state = state
        self.boot = boot
        self.health: Health | None = None
        self.owed_ns: int | None = None  # when to try again to record what is true

    def save(self, **changes: Any) -> None:
        """Record durably what is to be true from now on: all of it, or, where the disk refuses (OSError), nothing."""
        state = {**self.state, **changes}
        if self.health is not None:
            state.update(
                healthy=self.health.healthy,
                healthy_since_ms=self.health.healthy_since_ms,
                first_healthy_ms=self.health.first_healthy_ms or state["first_healthy_ms"],
            )
        try:
            write_json(self.folder.state, state)
        except NotKnownToLast:
            self._put_back()
            raise
        self.state, self.owed_ns, self._begun = state, None, True

    def _put_back(self) -> None:
        """What was refused does not stand: whoever reads the record finds again what is true here. Until the disk
        confirms that, either may come up after a power cut, and where not even that can be written the refused one is
        read: so it is owed, and tried again. A beginning that was refused leaves what was found, and no record where
        there was none: any other would say that the run had a supervisor, and have it brought back."""
        self.owed_ns = time.monotonic_ns() + RECORD_AGAIN_NS
        known = self.state if self._begun else self._found
        with suppress(OSError):
            if known is None:
                os.unlink(self.folder.state)
            else:
                write_json(self.folder.state, known)

    def note(self, **changes: Any) -> None:
        """Record what is true already, whatever the disk says: where it refuses, that is owed, and tried again."""
        self.state.update(changes)
        self._begun = True
        try:
            self.save()
        except OSError:
            self.owed_ns = time.monotonic_ns() + RECORD_AGAIN_NS

    def give_back(self) -> None:
        """Let others use the run's CPUs again that were kept away from them."""
        if cleared := self.state.get("cleared"):
            clearing.give_back(cleared, self.boot)
            self.note(cleared=[])

    def give_back_what_it_left(self) -> None:
        """The same, once the run has left any of these CPUs."""
        taken = {cpu for one in self.state.get("cleared", []) for cpu in one["taken"]}
        if taken - set(self.state["cpus"]):
            self.give_back()
