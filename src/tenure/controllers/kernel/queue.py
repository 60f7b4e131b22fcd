"""The work queue: keys wait once each, one object is never worked on twice at a time, failures back off.

The manner is that of client-go's workqueue: a key added while it is being worked on is taken up again afterwards.
"""

import asyncio
import heapq
import itertools
from dataclasses import dataclass

from tenure.quantities import Clock

BACKOFF_FIRST_MS = 50
BACKOFF_MS_MAX = 30_000
KEYS_MAX = 100_000


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One object: its namespace ("" when cluster-scoped) and name."""

    namespace: str
    name: str


class QueueFullError(RuntimeError):
    """More objects wait than the queue may hold."""


class WorkQueue:
    """Keys that are due, keys that become due later, keys in work. Times are the injected clock's milliseconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: dict[Key, None] = {}  # a set that keeps its order
        self._in_work: set[Key] = set()
        self._again: set[Key] = set()
        self._later: list[tuple[int, int, Key]] = []
        self._due: dict[Key, int] = {}
        self._failures: dict[Key, int] = {}
        self._order = itertools.count()
        self._changed = asyncio.Event()

    def _now_ms(self) -> int:
        """Elapsed time: a wall clock that jumps neither hurries nor delays anything."""
        return self._clock.monotonic_ns() // 1_000_000

    def add(self, key: Key) -> None:
        """Let `key` be worked on as soon as may be."""
        if key in self._in_work:
            self._again.add(key)
        elif len(self._ready) >= KEYS_MAX:
            raise QueueFullError(f"{KEYS_MAX} objects wait")
        else:
            self._ready[key] = None
        self._changed.set()

    def add_after(self, key: Key, delay_ms: int) -> None:
        """Let `key` be worked on in `delay_ms`, or earlier if it was due earlier."""
        due = self._now_ms() + max(0, delay_ms)
        if self._due.get(key, due + 1) <= due:
            return
        self._due[key] = due
        heapq.heappush(self._later, (due, next(self._order), key))
        self._changed.set()

    def take(self) -> Key | None:
        """A due key that nobody works on, now in work; None when there is none."""
        self._promote()
        if not self._ready:
            return None
        key = next(iter(self._ready))
        del self._ready[key]
        self._in_work.add(key)
        return key

    def done(self, key: Key, *, failed: bool, requeue_after_ms: int | None = None) -> int | None:
        """`key` is no longer in work. Returns the backoff in ms when it failed."""
        self._in_work.discard(key)
        backoff: int | None = None
        if failed:
            count = self._failures.get(key, 0)
            self._failures[key] = count + 1
            backoff = min(BACKOFF_MS_MAX, BACKOFF_FIRST_MS * 2 ** min(count, 20))
            self.add_after(key, backoff)
        else:
            self._failures.pop(key, None)
            if requeue_after_ms is not None:
                self.add_after(key, requeue_after_ms)
        if key in self._again:
            self._again.discard(key)
            self._ready[key] = None
        self._changed.set()
        return backoff

    def next_due_ms(self) -> int | None:
        """When the next key becomes due; None when none waits for its time."""
        return self._later[0][0] if self._later else None

    async def changed(self) -> None:
        """Wait until something was added or finished, or the next due time has come."""
        due = self.next_due_ms()
        timeout = None if due is None else max(0.0, (due - self._now_ms()) / 1000)
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    def idle(self) -> bool:
        """Nothing is due and nothing is in work."""
        self._promote()
        return not self._ready and not self._in_work

    def _promote(self) -> None:
        now = self._now_ms()
        while self._later and self._later[0][0] <= now:
            due, _, key = heapq.heappop(self._later)
            if self._due.get(key) != due:
                continue  # it was brought forward meanwhile
            del self._due[key]
            if key in self._in_work:
                self._again.add(key)
            else:
                self._ready[key] = None
