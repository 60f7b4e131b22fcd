"""Shares of windows beside what was stated, and figures beside their aims."""

import pytest
from benchmarks.product.figures import Figure, nearest_rank, shown
from benchmarks.shares import Count, bar, bounds_held, design_effect, share_of


def windows(*within_of: tuple[int, int]) -> dict[int, list[Count]]:
    """For each trial, its windows within the bound, of those judged."""
    return {trial: [Count("timeToFirstToken.p95", 100.0, *counts)] for trial, counts in enumerate(within_of)}


def test_windows_of_all_trials_are_pooled() -> None:
    share = share_of(windows((3, 4), (4, 4)), 0.75)
    assert (share.within, share.windows, share.trials) == (7, 8, 2)
    assert share.low < 7 / 8 < share.high


def test_only_an_interval_below_the_stated_share_contradicts_it() -> None:
    assert "as stated" in share_of(windows((1, 2), (1, 2)), 0.75).words
    assert "below" in share_of(windows((10, 20), (10, 20)), 0.75).words
    assert "above" in share_of(windows((20, 20), (20, 20)), 0.75).words


def test_trials_that_agree_make_their_windows_independent_looks() -> None:
    assert design_effect([(15, 20), (15, 20), (15, 20)]) == 1.0
    assert share_of(windows((15, 20), (15, 20), (15, 20)), 0.75).independent == 60


def test_the_bad_luck_of_one_trial_widens_the_interval() -> None:
    """Three trials of four hold, one does not: at a confidence of 0.75 that is just what was stated."""
    one_in_four = share_of(windows((19, 20), (19, 20), (19, 20), (0, 20)), 0.75)
    evenly = share_of(windows((14, 20), (14, 20), (15, 20), (14, 20)), 0.75)
    assert (one_in_four.within, one_in_four.windows) == (evenly.within, evenly.windows)
    assert one_in_four.independent < 10 < evenly.independent
    assert one_in_four.high - one_in_four.low > 2 * (evenly.high - evenly.low)
    assert not one_in_four.contradicted


def test_one_trial_alone_contradicts_nothing() -> None:
    alone = share_of(windows((10, 40)), 0.75)
    assert alone.high < 0.75
    assert not alone.contradicted
    assert "one trial alone" in alone.words


def test_trials_that_all_fall_short_contradict() -> None:
    assert share_of(windows((10, 20), (9, 20), (11, 20), (10, 20)), 0.75).contradicted


def test_of_bounds_the_confidence_is_stated() -> None:
    """A bound is held where its windows kept their share; one of which nothing was seen counts for nothing."""
    counts: dict[tuple[int, object], list[Count]] = {
        (trial, "ttft"): [Count("ttft", 1.0, within, 4)] for trial, within in enumerate((4, 3, 2, 3))
    }
    bounds = bounds_held({**counts, (4, "ttft"): [Count("ttft", 1.0, 0, 0)]}, 0.75, 0.6)
    assert (bounds.within, bounds.windows, bounds.stated) == (3, 4, 0.6)


def test_the_diagram_shows_what_was_kept_beside_what_was_stated() -> None:
    drawn = bar(share_of(windows((9, 10), (9, 10)), 0.5))
    assert drawn.index("┃") < drawn.index("●")
    assert set(drawn) == set("·─┃●")


def test_no_window_says_nothing() -> None:
    share = share_of({}, 0.75)
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
