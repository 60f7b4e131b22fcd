"""A percentile is the nearest rank: a value that was measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.promises import nearest_rank, percentile_of

VALUES = st.lists(st.integers(0, 10**9), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("percentile", "count", "rank"),
    [
        (95, 1, 1),
        (95, 19, 19),
        (95, 20, 19),
        (95, 21, 20),
        (50, 2, 1),
        (99.9, 1000, 999),
        (99.9, 1001, 1000),
        (100, 7, 7),
    ],
)
def test_rank_is_the_ceiling_of_the_share(percentile: float, count: int, rank: int) -> None:
    assert nearest_rank(percentile, count) == rank


def test_decimal_percentiles_mean_what_is_written() -> None:
    """99.9 % of a thousand is 999, though the binary fraction nearest to 99.9 is above it."""
    assert all(nearest_rank(99.9, 1000 * k) == 999 * k for k in range(1, 200))


@given(VALUES, st.sampled_from([50, 90, 95, 99, 99.9, 100]))
def test_it_is_a_measured_value_with_enough_values_at_or_below(values: list[int], percentile: float) -> None:
    found = percentile_of(values, percentile)
    assert found in values
    assert 100 * sum(v <= found for v in values) >= percentile * len(values)
    assert 100 * sum(v < found for v in values) < percentile * len(values)


@pytest.mark.parametrize("percentile", [0, -1, 100.1])
def test_nonsense_is_refused(percentile: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        nearest_rank(percentile, 10)
