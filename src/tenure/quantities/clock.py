"""Clocks, injected everywhere: the system's, and a virtual one for replay, simulation and tests.

Instants inside are Unix milliseconds as integers; on the wire RFC 3339 in UTC.
"""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is, on the wall and since some fixed moment."""

    def now_ms(self) -> int:
        """Wall clock, Unix milliseconds. May jump."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary moment. Never goes back."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now_ms(self) -> int:
        """Wall clock, Unix milliseconds."""
        return time.time_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        """CLOCK_MONOTONIC, nanoseconds."""
        return time.monotonic_ns()


class VirtualClock:
    """A clock that moves only when told; the simulator and the tests run on it."""

    def __init__(self, start_ms: int = 1_767_225_600_000) -> None:
        self._now_ms = start_ms
        self._monotonic_ns = 0

    def now_ms(self) -> int:
        """Wall clock as set, Unix milliseconds."""
        return self._now_ms

    def monotonic_ns(self) -> int:
        """Nanoseconds advanced so far."""
        return self._monotonic_ns

    def advance(self, ms: int) -> None:
        """Let `ms` milliseconds pass on both clocks."""
        if ms < 0:
            raise ValueError("a clock is advanced, never turned back; use jump for a wall clock that jumps")
        self._now_ms += ms
        self._monotonic_ns += ms * 1_000_000

    def jump(self, ms: int) -> None:
        """Move the wall clock alone, as a wrong time server does."""
        self._now_ms += ms


def format_instant(instant_ms: int) -> str:
    """RFC 3339 in UTC; milliseconds only where there are some."""
    moment = datetime.fromtimestamp(instant_ms / 1000, tz=UTC)
    spec = "milliseconds" if instant_ms % 1000 else "seconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")


def parse_instant(text: str) -> int:
    """Unix milliseconds of an RFC 3339 text. Raises ValueError saying what is wrong; a zone is required."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no RFC 3339 time; write it like 2026-12-01T09:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone; end it with Z or an offset such as +01:00")
    return round(moment.timestamp() * 1000)
