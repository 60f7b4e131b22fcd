"""Whether a wall clock keeps pace: one that gains or loses bit by bit never jumps, and still tells other windows."""

from __future__ import annotations

from collections import deque

_LOOK_BACK_NS = 60_000_000_000
"""NTP slews half a millisecond a second, 30 ms in this time."""


class ClockPace:
    """The marks of the last minute, by the wall clock and by the one that nobody sets (ns)."""

    def __init__(self, allowed_ns: int) -> None:
        self._allowed_ns = allowed_ns
        self._marks: deque[tuple[int, int]] = deque()
        """By how much the wall clock was ahead of the other, and what it said."""

    def heard(self, wall_ns: int, boot_ns: int) -> tuple[int, int] | None:
        """Take a mark. Where the wall clock has gained or lost more than is allowed: since which instant (its own, the
        latest for which that is so), and how much. It is then taken as it is and watched anew."""
        ahead_ns = wall_ns - boot_ns
        self._marks.append((ahead_ns, wall_ns))
        while wall_ns - self._marks[0][1] > _LOOK_BACK_NS:
            self._marks.popleft()
        if max(self._marks)[0] - ahead_ns <= self._allowed_ns and ahead_ns - min(self._marks)[0] <= self._allowed_ns:
            return None
        for before_ns, since_ns in reversed(self._marks):
            if abs(ahead_ns - before_ns) > self._allowed_ns:
                self.restart(wall_ns, boot_ns)
                return since_ns, ahead_ns - before_ns
        return None

    def restart(self, wall_ns: int, boot_ns: int) -> None:
        """Forget what was before: the clock was set, or the process is another one."""
        self._marks.clear()
        self._marks.append((wall_ns - boot_ns, wall_ns))
