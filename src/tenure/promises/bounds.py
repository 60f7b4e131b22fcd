"""From measured samples to a bound that can be promised: distribution-free tolerance bounds.

Source: S. S. Wilks, "Determination of sample sizes for setting tolerance limits", Annals of Mathematical Statistics 12
(1941): the k-th smallest of n independent samples of any distribution is at or above its s-quantile with probability
P(Binomial(n, s) <= k - 1). Nothing is assumed of the distribution, so nothing can be tuned.

Bounds are on values where small is good (latencies). For floors (rates), pass the values negated and negate the bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tenure.promises.autocorrelation import Exchangeability, exchangeability
from tenure.promises.binomial import binomial_at_least, binomial_cdf, cdf_reaches, poisson_pmf
from tenure.promises.percentiles import nearest_rank


class Method(StrEnum):
    """Which argument carries a bound."""

    BY_WINDOWS = "byWindows"
    BY_REQUESTS = "byRequests"


@dataclass(frozen=True, slots=True)
class Bound:
    """A value that carries the share asked with at least the confidence asked, in the unit of the samples."""

    value: float
    method: Method
    share: float
    confidence: float
    """Attained, at or above what was asked."""
    rank: int
    count: int
    """The bound is the `rank`-th smallest of `count` samples."""
    content: float
    """The share of single samples that the bound covers (by windows: equal to `share`)."""


@dataclass(frozen=True, slots=True)
class NoBound:
    """Why the samples carry no bound at what was asked, and what would."""

    reason: str
    """`TooFewWindows`, `TooFewRequests`, `NotExchangeable` or `Unbounded` (failed requests reach the bound)."""
    method: Method
    share: float
    confidence_asked: float
    confidence_carried: float
    count: int
    count_needed: int
    exchangeability: Exchangeability | None = None


def tolerance_rank(count: int, share: float, confidence: float) -> int | None:
    """Least k with P(Binomial(count, share) <= k - 1) >= confidence, or None where even the largest is not enough."""
    if count < 1 or not cdf_reaches(count - 1, count, share, confidence):
        return None
    low, high = 1, count
    while low < high:
        middle = (low + high) // 2
        if cdf_reaches(middle - 1, count, share, confidence):
            high = middle
        else:
            low = middle + 1
    return low


def confidence_carried(count: int, share: float) -> float:
    """The most confidence that `count` samples can carry for this share: 1 - share^count, by the largest of them."""
    return binomial_cdf(count - 1, count, share) if count else 0.0


def samples_needed(share: float, confidence: float, spare: int = 0) -> int:
    """Least number of samples (windows) for a bound at this share and confidence.

    `spare` is how many of the slowest the bound may pass over. 0 takes the largest (22 for 0.9 at 0.9, 59 for 0.95 at
    0.95); each spare one costs more samples and buys a bound that a single bad window does not set.
    """
    count = max(spare + 1, math.floor(math.log(1 - confidence) / math.log(share)) - 1)
    while not cdf_reaches(count - spare - 1, count, share, confidence):
        count += 1
    return count


def bound_by_windows(window_percentiles: Sequence[float], share: float, confidence: float) -> Bound | NoBound:
    """Bound that a share of all windows keeps, from the percentiles of n measured windows of the same kind.

    Assumes that the windows to come are exchangeable with those measured: same length, load, shape, hardware class and
    neighbours. Windows without a request have no percentile and are left out by the caller.
    """
    count = len(window_percentiles)
    rank = tolerance_rank(count, share, confidence)
    needed = samples_needed(share, confidence)
    carried = confidence_carried(count, share)
    if rank is None:
        return NoBound("TooFewWindows", Method.BY_WINDOWS, share, confidence, carried, count, needed)
    value = sorted(window_percentiles)[rank - 1]
    if math.isinf(value):
        return NoBound("Unbounded", Method.BY_WINDOWS, share, confidence, carried, count, needed)
    return Bound(value, Method.BY_WINDOWS, share, binomial_cdf(rank - 1, count, share), rank, count, share)


def bound_by_requests(
    samples: Sequence[float], percentile: float, requests_per_window: float, share: float, confidence: float
) -> Bound | NoBound:
    """Bound from single requests, while windows are few. Samples are in order of arrival, failed ones infinite.

    Two steps. The content p' is the least share of single requests below a value for which a window meets the
    percentile with probability `share`: a window of m requests does when at least ceil(m * percentile) of them are
    below (a binomial tail), m being Poisson around `requests_per_window`, given that there is any. The bound is then
    the order statistic that covers p' with the confidence asked.

    Assumes exchangeable requests. A test on the order of the samples refuses it where they visibly are not (queueing,
    drift): the answer is then to measure windows.
    """
    count = len(samples)
    content = request_content(percentile, requests_per_window, share)
    order = exchangeability(samples)
    needed = samples_needed(content, confidence)
    carried = confidence_carried(count, content)

    def refuse(reason: str) -> NoBound:
        return NoBound(reason, Method.BY_REQUESTS, share, confidence, carried, count, needed, order)

    if order is Exchangeability.REFUTED:
        return refuse("NotExchangeable")
    rank = tolerance_rank(count, content, confidence)
    if rank is None or order is Exchangeability.UNTESTED:
        return refuse("TooFewRequests")
    value = sorted(samples)[rank - 1]
    if math.isinf(value):
        return refuse("Unbounded")
    return Bound(value, Method.BY_REQUESTS, share, binomial_cdf(rank - 1, count, content), rank, count, content)


def request_content(percentile: float, requests_per_window: float, share: float) -> float:
    """The least share p' of single requests for which a window keeps its percentile with probability `share`."""
    if requests_per_window <= 0:
        raise ValueError("a window needs an expected number of requests above zero")
    sizes = _window_sizes(requests_per_window)
    ranks = [(size, nearest_rank(percentile, size), weight) for size, weight in sizes]
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        met = sum(weight * binomial_at_least(rank, size, middle) for size, rank, weight in ranks)
        if met < share:
            low = middle
        else:
            high = middle
    return high


def _window_sizes(mean: float) -> list[tuple[int, float]]:
    """Counts of requests in a non-empty Poisson window with their probabilities.

    Above a mean of 200 the spread of the counts moves p' by less than a thousandth, and the expected count stands for
    all of them.
    """
    if mean > 200:
        return [(math.floor(mean), 1.0)]
    top = math.ceil(mean + 8 * math.sqrt(mean) + 8)
    weights = [(count, poisson_pmf(count, mean)) for count in range(1, top + 1)]
    total = math.fsum(weight for _, weight in weights)
    return [(count, weight / total) for count, weight in weights if weight > total * 1e-9]
