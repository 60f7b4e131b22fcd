"""A wall clock that runs away is found by the marks of its last minute, in one look at each."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tenure.measurement.clock_pace import ClockPace

MS = 1_000_000
S = 1_000 * MS
ALLOWED_NS = 500 * MS
LOOK_BACK_NS = 60 * S


class Plainly:
    """The definition: each mark is compared with every other of the minute before it."""

    def __init__(self) -> None:
        self.marks: list[tuple[int, int]] = []

    def heard(self, wall_ns: int, boot_ns: int) -> tuple[int, int] | None:
        ahead_ns = wall_ns - boot_ns
        self.marks.append((ahead_ns, wall_ns))
        while wall_ns - self.marks[0][1] > LOOK_BACK_NS:
            del self.marks[0]
        for before_ns, since_ns in reversed(self.marks):
            if abs(ahead_ns - before_ns) > ALLOWED_NS:
                self.restart(wall_ns, boot_ns)
                return since_ns, ahead_ns - before_ns
        return None

    def restart(self, wall_ns: int, boot_ns: int) -> None:
        self.marks = [(wall_ns - boot_ns, wall_ns)]


steps = st.tuples(st.integers(0, 40_000), st.integers(-300, 300), st.integers(0, 20).map(lambda draw: draw == 0))
"""Milliseconds that passed, milliseconds that the wall clock gained meanwhile, and whether it is watched anew."""


@given(st.lists(steps, max_size=60))
@example([(1_000, 200, False)] * 4)
@example([(20_000, -125, False)] * 9)
@example([(10_000, gained, False) for gained in (100, 0, -100, 0, 100, 0, 0, 0, -300, -300, -300)])
def test_the_running_extremes_say_what_comparing_all_marks_says(story: list[tuple[int, int, bool]]) -> None:
    pace, plainly = ClockPace(ALLOWED_NS), Plainly()
    wall_ns, boot_ns = 1_000 * S, 50 * S
    for each in (pace, plainly):
        each.restart(wall_ns, boot_ns)
    for passed_ms, gained_ms, anew in story:
        boot_ns += passed_ms * MS
        wall_ns += (passed_ms + gained_ms) * MS
        if anew:
            for each in (pace, plainly):
                each.restart(wall_ns, boot_ns)
        else:
            assert pace.heard(wall_ns, boot_ns) == plainly.heard(wall_ns, boot_ns)


def heard_at_a_slew_of(ppm: int, *, offset_ms: int) -> list[tuple[int, int]]:
    """What is found while an offset is slewed away, marks twice a second."""
    pace, wall_ns, boot_ns, left_ns = ClockPace(ALLOWED_NS), 1_000 * S, 50 * S, offset_ms * MS
    pace.restart(wall_ns, boot_ns)
    found = []
    for _ in range(400):
        gained_ns = min(left_ns, S // 2 * ppm // 1_000_000)
        left_ns -= gained_ns
        boot_ns += S // 2
        wall_ns += S // 2 + gained_ns
        if (ran := pace.heard(wall_ns, boot_ns)) is not None:
            found.append(ran)
    return found


def test_what_ntpd_and_the_kernel_slew_stays_unseen() -> None:
    assert heard_at_a_slew_of(500, offset_ms=10_000) == []


def test_what_chrony_slews_is_seen_where_it_is_more_than_half_a_second() -> None:
    assert heard_at_a_slew_of(83_333, offset_ms=500) == []
    assert len(heard_at_a_slew_of(83_333, offset_ms=600)) == 1
