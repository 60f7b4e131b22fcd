"""Bounds carry what they say, and say what would carry more."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.promises import (
    Bound,
    Exchangeability,
    Method,
    NoBound,
    bound_by_requests,
    bound_by_windows,
    confidence_carried,
    request_content,
    samples_needed,
    tolerance_rank,
)
from tenure.promises.binomial import binomial_cdf

SHARES = st.sampled_from([0.5, 0.75, 0.8, 0.9, 0.95, 0.99])
CONFIDENCES = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])


def test_the_figures_that_wilks_gives() -> None:
    assert samples_needed(0.9, 0.9) == 22
    assert samples_needed(0.95, 0.95) == 59
    assert samples_needed(0.95, 0.9) == 45
    assert samples_needed(0.95, 0.95, spare=1) == 93


@given(st.integers(1, 400), SHARES, CONFIDENCES)
def test_the_rank_is_the_least_that_reaches_the_confidence(count: int, share: float, confidence: float) -> None:
    rank = tolerance_rank(count, share, confidence)
    if rank is None:
        assert confidence_carried(count, share) < confidence
        return
    assert binomial_cdf(rank - 1, count, share) >= confidence - 1e-9
    assert rank == 1 or binomial_cdf(rank - 2, count, share) < confidence + 1e-9


@given(SHARES, CONFIDENCES, st.integers(0, 3))
def test_as_many_as_needed_are_enough_and_one_less_is_not(share: float, confidence: float, spare: int) -> None:
    needed = samples_needed(share, confidence, spare)
    rank = tolerance_rank(needed, share, confidence)
    assert rank is not None
    assert rank <= needed - spare
    fewer = tolerance_rank(needed - 1, share, confidence)
    assert fewer is None or fewer > needed - 1 - spare


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=120), SHARES, CONFIDENCES)
def test_a_bound_by_windows_is_a_measured_window(values: list[float], share: float, confidence: float) -> None:
    found = bound_by_windows(values, share, confidence)
    if isinstance(found, NoBound):
        assert found.confidence_carried < confidence
        assert len(values) < found.count_needed
        return
    assert found.value in values
    assert found.confidence >= confidence - 1e-9
    assert bound_by_windows([*values, max(values) + 1], share, confidence) != found or len(values) > found.rank


@given(st.lists(st.floats(0, 1e9), min_size=60, max_size=90), CONFIDENCES)
def test_asking_for_more_never_tightens(values: list[float], confidence: float) -> None:
    bounds = [bound_by_windows(values, share, confidence) for share in (0.5, 0.8, 0.9)]
    kept = [b.value for b in bounds if isinstance(b, Bound)]
    assert kept == sorted(kept)


def test_too_few_windows_say_what_they_carry_and_what_would_do() -> None:
    found = bound_by_windows([1.0] * 10, 0.95, 0.9)
    assert isinstance(found, NoBound)
    assert found.reason == "TooFewWindows"
    assert math.isclose(found.confidence_carried, 1 - 0.95**10)
    assert found.count_needed == 45


def test_failed_requests_leave_no_bound() -> None:
    found = bound_by_windows([1.0] * 21 + [math.inf], 0.9, 0.9)
    assert isinstance(found, NoBound)
    assert found.reason == "Unbounded"
    assert isinstance(bound_by_windows([1.0] * 40 + [math.inf], 0.9, 0.9), Bound)


def test_one_request_a_window_needs_the_share_itself() -> None:
    """With a single request in every window the content is the share; more requests below p95 = max need more."""
    assert request_content(95, 1e-6, 0.9) == pytest.approx(0.9, abs=1e-4)
    assert request_content(95, 10, 0.9) > 0.98


@settings(max_examples=30)
@given(st.sampled_from([50, 90, 95, 99]), st.floats(0.1, 150), SHARES)
def test_content_grows_with_the_share(percentile: float, requests: float, share: float) -> None:
    less, more = request_content(percentile, requests, share * 0.9), request_content(percentile, requests, share)
    assert 0 < less < more < 1


def test_by_requests_bounds_from_a_short_trial() -> None:
    source = random.Random(7)
    found = bound_by_requests([source.expovariate(1) for _ in range(400)], 95, 15, 0.95, 0.9)
    assert isinstance(found, NoBound)
    assert found.reason == "TooFewRequests"
    found = bound_by_requests([source.expovariate(1) for _ in range(found.count_needed)], 95, 15, 0.95, 0.9)
    assert isinstance(found, Bound)
    assert found.method is Method.BY_REQUESTS


def test_by_requests_refuses_requests_that_resemble_their_neighbours() -> None:
    source = random.Random(5)
    drifting = [i / 100 + source.random() for i in range(800)]
    found = bound_by_requests(drifting, 95, 15, 0.9, 0.9)
    assert isinstance(found, NoBound)
    assert found.reason == "NotExchangeable"
    assert found.exchangeability is Exchangeability.REFUTED


def test_by_requests_refuses_when_too_few_to_test() -> None:
    found = bound_by_requests([1.0] * 10, 50, 2, 0.5, 0.5)
    assert isinstance(found, NoBound)
    assert found.exchangeability is Exchangeability.UNTESTED
