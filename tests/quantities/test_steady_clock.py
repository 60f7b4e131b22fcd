"""A wall clock that jumps is not believed by whoever holds promises; one that is corrected a little is."""

import pytest

from tenure.quantities import SteadyClock

HOUR_MS = 3_600_000


class Machine:
    """Two clocks under our hands."""

    def __init__(self) -> None:
        self.wall, self.elapsed = 1_800_000_000_000, 5_000

    def passes(self, ms: int) -> None:
        self.wall += ms
        self.elapsed += ms

    def clock(self) -> SteadyClock:
        return SteadyClock(lambda: self.wall, lambda: self.elapsed)


@pytest.mark.parametrize("jump_ms", [HOUR_MS, -HOUR_MS])
def test_an_hour_either_way_changes_nothing_and_is_told(jump_ms: int) -> None:
    machine = Machine()
    clock, begun = machine.clock(), machine.wall
    machine.wall += jump_ms
    machine.passes(1_000)
    assert clock.now_ms() == begun + 1_000
    assert clock.step_ms == jump_ms
    machine.wall -= jump_ms
    assert (clock.now_ms(), clock.step_ms) == (begun + 1_000, 0)


def test_small_corrections_are_true_and_add_up() -> None:
    machine = Machine()
    clock = machine.clock()
    for _ in range(10):
        machine.passes(1_000_000)
        machine.wall += 30_000
        assert clock.now_ms() == machine.wall


def test_sleep_is_time_that_passed() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.passes(8 * HOUR_MS)
    assert clock.now_ms() == machine.wall


def test_twin_a_new_process_takes_the_clock_as_it_stands() -> None:
    machine = Machine()
    machine.clock()
    machine.wall += HOUR_MS
    assert machine.clock().now_ms() == machine.wall
