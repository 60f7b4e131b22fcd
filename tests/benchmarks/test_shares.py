"""Shares of windows beside what was stated, and figures beside their aims."""

import pytest
from benchmarks.product.figures import Figure, nearest_rank, shown
from benchmarks.rounds import Count, share_of


def windows(*within_of: tuple[int, int]) -> list[Count]:
    return [Count("timeToFirstToken.p95", 100.0, within, of) for within, of in within_of]


def test_windows_of_all_rounds_are_pooled() -> None:
    share = share_of(windows((3, 4), (4, 4)), 0.75)
    assert (share.within, share.windows) == (7, 8)
    assert share.low < 7 / 8 < share.high


def test_only_an_interval_below_the_stated_share_contradicts_it() -> None:
    assert "as stated" in share_of(windows((2, 4)), 0.75).words
    assert "below" in share_of(windows((20, 40)), 0.75).words
    assert "above" in share_of(windows((40, 40)), 0.75).words


def test_no_window_says_nothing() -> None:
    share = share_of([], 0.75)
    assert share.words == "nothing was seen"
    assert (share.low, share.high) == (0.0, 1.0)


@pytest.mark.parametrize(("value", "met"), [(0.3, True), (0.31, False)])
def test_an_aim_is_an_upper_bound(value: float, met: bool) -> None:
    assert Figure("start", value, "s", 0.3).met is met


def test_a_figure_without_an_aim_is_neither_met_nor_missed() -> None:
    figure = Figure("writes", 80.0, "/s", floor=320.0, floor_name="fdatasync")
    assert figure.met is None
    assert figure.ratio == 0.25


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert nearest_rank([4.0, 1.0, 3.0, 2.0], 50) == 2.0
    assert nearest_rank([1.0, 2.0, 3.0, 100.0], 95) == 100.0


def test_figures_have_three_digits() -> None:
    assert [shown(v, "ms") for v in (1234.5, 12.34, 1.234, 0.0123)] == ["1,234 ms", "12.3 ms", "1.23 ms", "0.012 ms"]
