"""A silence of the work is its own, but for what everybody else was silent too."""

import pytest

from tests.chaos.harness import GAP_SECONDS_MAX, assert_no_gap
from tests.chaos.witness import Counted, own_silence


def silent(seconds: float) -> Counted:
    """Counted up to 100 s on the clock, and then for so long no more."""
    return [(1, 99.95), (2, 100.0), (3, 100.0 + seconds)]


def test_work_that_is_silent_alone_is_found() -> None:
    assert_no_gap("count", silent(GAP_SECONDS_MAX))
    with pytest.raises(AssertionError, match="silent for"):
        assert_no_gap("count", silent(GAP_SECONDS_MAX + 0.1))
    with pytest.raises(AssertionError, match="silent for"):
        assert_no_gap("count", silent(3.0), [(90.0, 99.0), (104.0, 110.0), (100.5, 101.0)])


def test_twin_a_machine_that_stood_still_is_no_silence_of_the_work() -> None:
    assert_no_gap("count", silent(4.0), [(99.0, 103.9)])
    assert own_silence(100.0, 104.0, [(99.0, 103.5), (100.0, 100.3)]) == pytest.approx(0.5)


def test_work_that_was_begun_anew_is_found_whatever_the_machine_did() -> None:
    with pytest.raises(AssertionError, match="restarted or doubled"):
        assert_no_gap("count", [(7, 1.0), (1, 9.0)], [(1.0, 9.0)])
