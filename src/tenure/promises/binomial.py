"""Exact binomial and Poisson tails without a numerical library.

Probabilities are summed term by term from a log-gamma start (relative error below 1e-11 for the counts met here); where
a comparison with a threshold is closer than that error, it is decided in exact rationals, or, for very large counts,
against the claim. So "confidence at least c" never rests on a rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

_DOUBT = 1e-9
"""Differences below this are decided exactly; far above the float error, far below any confidence that people state."""

_EXACT_COUNT = 400
"""Up to this many trials the exact rational sum costs milliseconds."""


def _log_pmf(k: int, n: int, p: float) -> float:
    choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return choose + k * math.log(p) + (n - k) * math.log1p(-p)


def _sum_down(k: int, n: int, p: float) -> float:
    """P(X <= k) for k at or below the mean, where the terms fall towards zero."""
    term = math.exp(_log_pmf(k, n, p))
    total = [term]
    odds = (1 - p) / p
    while k > 0 and term > total[0] * 1e-18:
        term *= k / (n - k + 1) * odds
        total.append(term)
        k -= 1
    return math.fsum(total)


def binomial_cdf(k: int, n: int, p: float) -> float:
    """P(Binomial(n, p) <= k)."""
    if not 0 <= p <= 1 or n < 0:
        raise ValueError(f"no binomial distribution has n={n}, p={p}")
    if k < 0:
        return 0.0
    if k >= n or p == 0:
        return 1.0
    if p == 1:
        return 0.0
    if k <= n * p:
        return min(1.0, _sum_down(k, n, p))
    return max(0.0, 1.0 - _sum_down(n - k - 1, n, 1 - p))


def binomial_at_least(k: int, n: int, p: float) -> float:
    """P(Binomial(n, p) >= k)."""
    return binomial_cdf(n - k, n, 1 - p) if 0 <= p <= 1 else binomial_cdf(k, n, p)


def cdf_reaches(k: int, n: int, p: float, threshold: float) -> bool:
    """Whether P(Binomial(n, p) <= k) >= threshold, without a rounding error that could say yes wrongly."""
    value = binomial_cdf(k, n, p)
    if abs(value - threshold) > _DOUBT:
        return value >= threshold
    if n > _EXACT_COUNT:
        return False
    share = Fraction(str(p))
    exact = sum(math.comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k + 1))
    return exact >= Fraction(str(threshold))


@lru_cache(maxsize=4096)
def poisson_quantile(mean: float, probability: float) -> int:
    """Least count q with P(Poisson(mean) <= q) >= probability."""
    if mean < 0 or not 0 < probability < 1:
        raise ValueError(f"no Poisson quantile for mean={mean}, probability={probability}")
    if mean == 0:
        return 0
    # Start far below the mean, where the lower tail is under 1e-30 and may be left out.
    count = max(0, math.floor(mean - 12 * math.sqrt(mean) - 12))
    term = math.exp(-mean + count * math.log(mean) - math.lgamma(count + 1))
    total = term
    while total < probability:
        count += 1
        term *= mean / count
        total += term
        if term == 0.0 and count > mean:
            break
    return count


def poisson_pmf(count: int, mean: float) -> float:
    """P(Poisson(mean) = count)."""
    if mean == 0:
        return 1.0 if count == 0 else 0.0
    return math.exp(-mean + count * math.log(mean) - math.lgamma(count + 1))


def binomial_interval(hits: int, trials: int, confidence: float) -> tuple[float, float]:
    """Clopper-Pearson (1934) interval of a share: never narrower than its stated confidence."""
    if trials < 1:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else _solve(lambda p: binomial_at_least(hits, trials, p) - tail)
    high = 1.0 if hits == trials else _solve(lambda p: tail - binomial_cdf(hits, trials, p))
    return low, high


def _solve(rising: Callable[[float], float]) -> float:
    """Where a rising function of a share crosses zero."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
