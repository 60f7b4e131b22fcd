"""What a bound states comes true: simulated trials against simulated service, over distributions of every temper.

Seeds are fixed, so the tests repeat; the thresholds leave three standard errors below the stated confidence.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from tenure.promises import Bound, bound_by_requests, bound_by_windows, percentile_of

DISTRIBUTIONS: dict[str, Callable[[random.Random], float]] = {
    "uniform": lambda r: r.random(),
    "exponential": lambda r: r.expovariate(1),
    "lognormal": lambda r: r.lognormvariate(0, 1.5),
    "pareto": lambda r: r.paretovariate(1.1),
    "bimodal": lambda r: r.gauss(1, 0.05) if r.random() < 0.9 else r.gauss(20, 1),
    "steps": lambda r: float(r.randint(1, 4)),
}


def poisson(source: random.Random, mean: float) -> int:
    count, product, limit = 0, source.random(), math.exp(-mean)
    while product > limit:
        count, product = count + 1, product * source.random()
    return count


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize(("share", "confidence", "windows"), [(0.8, 0.8, 12), (0.9, 0.9, 40)])
def test_by_windows_covers(name: str, share: float, confidence: float, windows: int) -> None:
    draw, source = DISTRIBUTIONS[name], random.Random(11)
    reference = sorted(draw(source) for _ in range(40_000))
    quantile = reference[math.ceil(share * len(reference)) - 1]
    rounds = 600
    covered = 0
    for _ in range(rounds):
        bound = bound_by_windows([draw(source) for _ in range(windows)], share, confidence)
        assert isinstance(bound, Bound)
        covered += bound.value >= quantile
    assert covered / rounds >= confidence - 3 * math.sqrt(confidence * (1 - confidence) / rounds)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize(("percentile", "per_window", "share", "count"), [(95, 6, 0.8, 120), (50, 1.5, 0.9, 60)])
def test_by_requests_covers(name: str, percentile: float, per_window: float, share: float, count: int) -> None:
    """The bound found from single requests holds for that share of Poisson windows, in that share of the trials."""
    confidence = 0.9
    draw, source = DISTRIBUTIONS[name], random.Random(13)
    maxima = sorted(
        percentile_of([draw(source) for _ in range(size)], percentile)
        for size in (poisson(source, per_window) for _ in range(6000))
        if size
    )
    quantile = maxima[math.ceil(share * len(maxima)) - 1]
    rounds = made = covered = 0
    while made < 150 and rounds < 200:
        rounds += 1
        bound = bound_by_requests([draw(source) for _ in range(count)], percentile, per_window, share, confidence)
        if isinstance(bound, Bound):
            made += 1
            covered += bound.value >= quantile
    assert made == 150, "the test of order refuses about one exchangeable trial in a hundred, not more"
    assert covered / made >= confidence - 3 * math.sqrt(confidence * (1 - confidence) / made)


def queued_windows(source: random.Random, *, busy: float, window_s: float, count: int) -> list[float]:
    """The slowest first token of each window that had a request, behind one slot that is busy for this share of the
    time; each answer takes 0.3 s or so."""
    service_s, warm_s = 0.3, 1.5
    now = free = 0.0
    found: dict[int, float] = {}
    while (now := now + source.expovariate(busy / service_s)) < warm_s + count * window_s:
        begins = max(now, free)
        free = begins + service_s * source.lognormvariate(0, 0.15)
        if now >= warm_s:
            window = int((now - warm_s) / window_s)
            found[window] = max(found.get(window, 0.0), begins - now)
    return list(found.values())


def covered_behind_a_queue(*, busy: float, window_s: float, share: float, confidence: float, windows: int) -> float:
    """In which share of trials the bound by windows holds for that share of all windows."""
    source = random.Random(17)
    reference = sorted(queued_windows(source, busy=busy, window_s=window_s, count=20_000))
    quantile = reference[math.ceil(share * len(reference)) - 1]
    bounds = [
        bound_by_windows(queued_windows(source, busy=busy, window_s=window_s, count=windows), share, confidence)
        for _ in range(600)
    ]
    made = [bound.value for bound in bounds if isinstance(bound, Bound)]
    return sum(value >= quantile for value in made) / len(made)


@pytest.mark.parametrize(("share", "confidence", "windows"), [(0.75, 0.75, 7), (0.9, 0.9, 27)])
def test_windows_long_against_the_answers_carry_what_is_stated_though_a_queue_joins_them(
    share: float, confidence: float, windows: int
) -> None:
    attained = covered_behind_a_queue(busy=0.5, window_s=6, share=share, confidence=confidence, windows=windows)
    assert attained >= confidence - 3 * math.sqrt(confidence * (1 - confidence) / 600)


def test_windows_as_short_as_a_queue_is_long_carry_less_than_stated() -> None:
    """A known hole: such windows are not exchangeable. No argument by windows helps there but longer windows."""
    assert covered_behind_a_queue(busy=0.75, window_s=1, share=0.9, confidence=0.75, windows=20) < 0.6
