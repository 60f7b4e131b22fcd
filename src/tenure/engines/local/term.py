"""When a run's own end has come, by two clocks. Supervisors import it.

The wall clock rules while it agrees with the elapsed time (CLOCK_BOOTTIME, which counts sleep) within a minute: small
corrections are true corrections. A larger step is not believed: the run goes on, or ends, by the elapsed time, and the
step is reported.
"""

from __future__ import annotations

import time

STEP_MS_MAX = 60_000


def boottime_ms() -> int:
    """Milliseconds since boot, sleep included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def wall_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Term:
    """The end of a run, against the reference (wall and elapsed time together) taken when it was first started."""

    def __init__(self, end_ms: int | None, reference_wall_ms: int, reference_boottime_ms: int) -> None:
        self.end_ms = end_ms
        self._offset_ms = reference_wall_ms - reference_boottime_ms

    def step_ms(self, now_wall_ms: int, now_boottime_ms: int) -> int:
        """How far the wall clock jumped since the reference."""
        return now_wall_ms - now_boottime_ms - self._offset_ms

    def left_ms(self, now_wall_ms: int, now_boottime_ms: int) -> int | None:
        """Time left, 0 or less when it is over; None where the run has no end of its own."""
        if self.end_ms is None:
            return None
        if abs(self.step_ms(now_wall_ms, now_boottime_ms)) <= STEP_MS_MAX:
            return self.end_ms - now_wall_ms
        return self.end_ms - (now_boottime_ms + self._offset_ms)
