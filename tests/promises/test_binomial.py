"""Tails are exact: checked against rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tenure.promises import binomial_interval, poisson_quantile
from tenure.promises.binomial import binomial_at_least, binomial_cdf, cdf_reaches


def exact_cdf(k: int, n: int, p: Fraction) -> Fraction:
    return sum((math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1)), Fraction(0))


CASES = st.integers(1, 120).flatmap(lambda n: st.tuples(st.integers(-1, n), st.just(n), st.integers(0, 1000)))


@given(CASES)
def test_cdf_agrees_with_rationals(case: tuple[int, int, int]) -> None:
    k, n, permille = case
    exact = float(exact_cdf(k, n, Fraction(permille, 1000)))
    assert math.isclose(binomial_cdf(k, n, permille / 1000), exact, rel_tol=1e-9, abs_tol=1e-12)


@given(CASES)
def test_both_tails_make_one(case: tuple[int, int, int]) -> None:
    k, n, permille = case
    p = permille / 1000
    assert math.isclose(binomial_cdf(k, n, p) + binomial_at_least(k + 1, n, p), 1.0, abs_tol=1e-9)


def test_a_tie_is_decided_exactly() -> None:
    """One sample carries the median with confidence one half, to the last bit and not beyond."""
    assert cdf_reaches(0, 1, 0.5, 0.5)
    assert not cdf_reaches(0, 1, 0.5, 0.5000000001)
    assert cdf_reaches(1, 2, 0.1, 0.99)


def test_large_counts_keep_their_precision() -> None:
    """Normal tail as a check at a size where sums of thousands of terms lose digits if done carelessly."""
    assert math.isclose(binomial_cdf(950_000, 1_000_000, 0.95), 0.5, abs_tol=1e-3)
    assert binomial_cdf(949_000, 1_000_000, 0.95) < 1e-5
    assert 0 < binomial_cdf(900_000, 1_000_000, 0.95) < 1e-300 or binomial_cdf(900_000, 1_000_000, 0.95) == 0


@given(st.floats(0.01, 500), st.sampled_from([0.5, 0.9, 0.999]))
def test_poisson_quantile_is_the_least_count_that_reaches(mean: float, probability: float) -> None:
    found = poisson_quantile(mean, probability)

    def cdf(count: int) -> float:
        return math.fsum(math.exp(-mean + i * math.log(mean) - math.lgamma(i + 1)) for i in range(count + 1))

    assert cdf(found) >= probability - 1e-9
    assert found == 0 or cdf(found - 1) < probability + 1e-9


def test_interval_of_a_share() -> None:
    """Clopper-Pearson for 8 of 10 at 0.95, as in any table."""
    low, high = binomial_interval(8, 10, 0.95)
    assert math.isclose(low, 0.4439, abs_tol=1e-4)
    assert math.isclose(high, 0.9748, abs_tol=1e-4)
    assert binomial_interval(0, 0, 0.95) == (0.0, 1.0)
    assert binomial_interval(10, 10, 0.95)[1] == 1.0
