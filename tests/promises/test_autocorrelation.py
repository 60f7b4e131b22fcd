"""The test of order refuses what queues and drifts, and seldom what does not."""

from __future__ import annotations

import random

from tenure.promises import Exchangeability, exchangeability
from tenure.promises.autocorrelation import rank_von_neumann_z


def waiting_times(source: random.Random, count: int, utilisation: float) -> list[float]:
    """Lindley's recursion for one server with Poisson arrivals."""
    waits, wait = [], 0.0
    for _ in range(count):
        waits.append(wait)
        wait = max(0.0, wait + source.expovariate(1) * utilisation - source.expovariate(1))
    return waits


def test_independent_values_are_seldom_refused() -> None:
    source = random.Random(3)
    refused = sum(
        exchangeability([source.expovariate(1) for _ in range(60)]) is Exchangeability.REFUTED for _ in range(1000)
    )
    assert refused <= 25


def test_a_busy_queue_is_refused() -> None:
    source = random.Random(3)
    refused = sum(exchangeability(waiting_times(source, 200, 0.8)) is Exchangeability.REFUTED for _ in range(100))
    assert refused >= 95


def test_equal_values_have_no_order() -> None:
    assert rank_von_neumann_z([7.0] * 50) == 0.0
    assert exchangeability([7.0] * 50) is Exchangeability.PLAUSIBLE


def test_few_values_are_not_judged() -> None:
    assert exchangeability([1.0, 2.0, 3.0]) is Exchangeability.UNTESTED
