"""Whether a wall clock keeps pace: one that gains or loses bit by bit never jumps, and still tells other windows."""

from __future__ import annotations

from collections import deque

_LOOK_BACK_NS = 60_000_000_000
"""What slews a clock on purpose stays unseen where it is slow enough: ntpd and the kernel's own adjtime slew half a
millisecond a second, 30 ms in this time. chrony slews up to 83 ms a second by default (`maxslewrate` 83333 ppm), so an
offset of more than half a second, which it slews away within a few seconds, is found: windows told by such a clock are
longer or shorter than they say."""


class ClockPace:
    """The marks of the last minute, by the wall clock and by the one that nobody sets (ns)."""

    def __init__(self, allowed_ns: int) -> None:
        self._allowed_ns = allowed_ns
        self._marks: deque[tuple[int, int]] = deque()
        """By how much the wall clock was ahead of the other, and what it said."""
        # Of what the marks were ahead by: the greatest first, then the greatest behind it, and so on; likewise the
        # least. A long journal has tens of thousands of marks, and each is compared with all of its last minute.
        self._greatest: deque[int] = deque()
        self._least: deque[int] = deque()

    def heard(self, wall_ns: int, boot_ns: int) -> tuple[int, int] | None:
        """Take a mark. Where the wall clock has gained or lost more than is allowed: since which instant (its own, the
        latest for which that is so), and how much. It is then taken as it is and watched anew."""
        ahead_ns = wall_ns - boot_ns
        self._take(ahead_ns, wall_ns)
        while wall_ns - self._marks[0][1] > _LOOK_BACK_NS:
            self._drop_oldest()
        if self._greatest[0] - ahead_ns <= self._allowed_ns and ahead_ns - self._least[0] <= self._allowed_ns:
            return None
        for before_ns, since_ns in reversed(self._marks):
            if abs(ahead_ns - before_ns) > self._allowed_ns:
                self.restart(wall_ns, boot_ns)
                return since_ns, ahead_ns - before_ns
        return None

    def restart(self, wall_ns: int, boot_ns: int) -> None:
        """Forget what was before: the clock was set, or the process is another one."""
        for kept in (self._marks, self._greatest, self._least):
            kept.clear()
        self._take(wall_ns - boot_ns, wall_ns)

    def _take(self, ahead_ns: int, wall_ns: int) -> None:
        self._marks.append((ahead_ns, wall_ns))
        # What a newer mark exceeds can be the extreme no more. Equals stay, one for each mark that is to be dropped.
        while self._greatest and self._greatest[-1] < ahead_ns:
            self._greatest.pop()
        while self._least and self._least[-1] > ahead_ns:
            self._least.pop()
        self._greatest.append(ahead_ns)
        self._least.append(ahead_ns)

    def _drop_oldest(self) -> None:
        ahead_ns, _ = self._marks.popleft()
        for extremes in (self._greatest, self._least):
            if extremes[0] == ahead_ns:
                extremes.popleft()
