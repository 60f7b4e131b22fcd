"""Clocks, injected everywhere: the system's, and a virtual one for replay, simulation and tests.

Instants inside are Unix milliseconds as integers; on the wire RFC 3339 in UTC.
"""

import time
from collections.abc import Callable
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


STEP_MS_MAX = 60_000
"""Corrections smaller than this are true corrections (NTP slews or steps them); the engine's supervisors agree."""


class SteadyClock:
    """The machine's clocks for whoever holds promises: a wall clock that jumps by more than a minute is not believed.

    Offers would expire and holds would be over in an instant, or come to life again. Time goes on by what has elapsed
    (sleep included) since the clock was made, and `step_ms` says by how much the wall clock is off. It is believed as
    soon as it agrees again; a new process takes it as it stands.
    """

    def __init__(self, wall_ms: Callable[[], int] | None = None, elapsed_ms: Callable[[], int] | None = None) -> None:
        self._wall_ms = wall_ms or SystemClock().now_ms
        self._elapsed_ms = elapsed_ms or _elapsed_ms
        self._offset_ms = self._wall_ms() - self._elapsed_ms()

    def now_ms(self) -> int:
        """Unix milliseconds; never jumps by more than a minute."""
        wall, elapsed = self._wall_ms(), self._elapsed_ms()
        expected = elapsed + self._offset_ms
        if abs(wall - expected) > STEP_MS_MAX:
            return expected
        self._offset_ms = wall - elapsed  # small corrections add up to the truth
        return wall

    @property
    def step_ms(self) -> int:
        """How far the wall clock is from what is believed; 0 where it is believed."""
        step = self._wall_ms() - (self._elapsed_ms() + self._offset_ms)
        return step if abs(step) > STEP_MS_MAX else 0

    def monotonic_ns(self) -> int:
        """CLOCK_MONOTONIC, nanoseconds."""
        return time.monotonic_ns()


def _elapsed_ms() -> int:
    """Milliseconds since boot, sleep included where the system counts it."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return (time.monotonic_ns() if boot is None else time.clock_gettime_ns(boot)) // 1_000_000


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


INSTANT_MS_MIN, INSTANT_MS_MAX = -62_135_596_800_000, 253_402_300_799_999
"""What can be written: from the first to the last millisecond of the years 1 to 9999 in UTC."""
INSTANT_STEP = "write it like 2026-12-01T09:00:00Z"


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
        raise ValueError(f"{text!r} is no RFC 3339 time; {INSTANT_STEP}") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone; end it with Z or an offset such as +01:00")
    instant_ms = round(moment.timestamp() * 1000)
    if not INSTANT_MS_MIN <= instant_ms <= INSTANT_MS_MAX:
        raise ValueError(f"{text!r} lies outside the years 1 to 9999 of UTC; {INSTANT_STEP}")
    return instant_ms
