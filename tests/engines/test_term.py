"""A run's own end, by two clocks that may disagree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.engines.local.term import STEP_MS_MAX, Term

START_MS, BOOT_MS, HOUR_MS = 1_800_000_000_000, 500_000, 3_600_000


def a_term() -> Term:
    """An hour from the reference on."""
    return Term(START_MS + HOUR_MS, START_MS, BOOT_MS)


def test_a_run_without_an_end_never_ends() -> None:
    assert Term(None, START_MS, BOOT_MS).left_ms(START_MS + 10**12, BOOT_MS + 10**12) is None


@given(elapsed=st.integers(0, 2 * HOUR_MS), step=st.integers(-STEP_MS_MAX, STEP_MS_MAX))
def test_small_corrections_of_the_wall_clock_are_believed(elapsed: int, step: int) -> None:
    assert a_term().left_ms(START_MS + elapsed + step, BOOT_MS + elapsed) == HOUR_MS - elapsed - step


@given(
    elapsed=st.integers(0, 2 * HOUR_MS), step=st.integers(STEP_MS_MAX + 1, 10 * HOUR_MS), sign=st.sampled_from([1, -1])
)
def test_large_jumps_are_not_and_are_reported(elapsed: int, step: int, sign: int) -> None:
    term = a_term()
    wall, boot = START_MS + elapsed + sign * step, BOOT_MS + elapsed
    assert term.left_ms(wall, boot) == HOUR_MS - elapsed
    assert term.step_ms(wall, boot) == sign * step


@pytest.mark.parametrize("slept", [0, 2 * HOUR_MS])
def test_time_asleep_counts(slept: int) -> None:
    assert a_term().left_ms(START_MS + slept + 1, BOOT_MS + slept + 1) == HOUR_MS - slept - 1
