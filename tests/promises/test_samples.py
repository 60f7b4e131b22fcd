"""What each objective reads of a request, and how doubt is carried."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from tenure.promises import (
    LatencyObjective,
    Metric,
    Outcome,
    RequestSample,
    outcome_of_status,
    readings,
    window_percentile,
)
from tests.promises.builders import MS, request

TTFT, ITL = Metric.TIME_TO_FIRST_TOKEN, Metric.INTER_TOKEN_LATENCY
TPOT, LATENCY = Metric.TIME_PER_OUTPUT_TOKEN, Metric.REQUEST_LATENCY


def test_a_completed_request_is_known_in_all_metrics() -> None:
    done = [request(first_ms=100, gaps_ms=(10, 20, 30))]
    assert readings(done, TTFT) == [(100 * MS, 100 * MS)]
    assert readings(done, ITL) == [(10 * MS, 10 * MS), (20 * MS, 20 * MS), (30 * MS, 30 * MS)]
    assert readings(done, TPOT) == [(20 * MS, 20 * MS)]
    assert readings(done, LATENCY) == [(160 * MS, 160 * MS)]


def test_gaps_are_pooled_and_requests_are_not() -> None:
    two = [request(gaps_ms=(10,) * 99), request(gaps_ms=(50,))]
    objective = LatencyObjective(ITL, 95, 10 * MS)
    assert window_percentile(two, objective) == 10 * MS
    assert window_percentile(two, LatencyObjective(TPOT, 95, 10 * MS)) == 50 * MS


def test_a_failed_request_is_infinitely_slow_everywhere() -> None:
    failed = [request(first_ms=None, outcome=Outcome.FAILED, status=502)]
    for metric in (TTFT, TPOT, LATENCY):
        assert readings(failed, metric) == [(math.inf, math.inf)]


def test_an_answer_that_breaks_off_behind_its_first_token_is_none() -> None:
    broken = [request(first_ms=100, gaps_ms=(10,), outcome=Outcome.FAILED)]
    assert readings(broken, TTFT) == [(math.inf, math.inf)]


def test_refusing_requests_cannot_improve_a_pooled_percentile() -> None:
    """A failed answer is charged every gap that it owed."""
    failed = [request(first_ms=None, outcome=Outcome.FAILED)]
    assert readings(failed, ITL, owed_gaps=39) == [(math.inf, math.inf)] * 39
    broken = [request(gaps_ms=(10,) * 30, outcome=Outcome.FAILED)]
    assert len(readings(broken, ITL, owed_gaps=39)) == 39


def test_a_waiting_request_has_waited_at_least_so_long() -> None:
    waiting = [request(first_ms=None, end_ms=700, outcome=Outcome.UNFINISHED)]
    assert readings(waiting, TTFT) == [(700 * MS, math.inf)]


def test_a_stalled_answer_shows_in_its_open_gap() -> None:
    stalled = [request(first_ms=100, gaps_ms=(10,), end_ms=5110, outcome=Outcome.UNFINISHED)]
    assert readings(stalled, ITL, owed_gaps=3) == [(10 * MS, 10 * MS), (5000 * MS, math.inf), (0, math.inf)]
    assert readings(stalled, TTFT) == [(100 * MS, 100 * MS)]


def test_what_its_user_broke_off_counts_as_far_as_it_came() -> None:
    gone = [request(first_ms=100, gaps_ms=(10, 10), end_ms=500, outcome=Outcome.ABANDONED)]
    assert len(readings(gone, ITL)) == 2
    assert readings(gone, LATENCY) == []
    assert readings([request(first_ms=None, end_ms=50, outcome=Outcome.ABANDONED)], TTFT) == []


class TestWhoGaveUp:
    """Who left after the bound had passed waited too long; who left before it tells nothing."""

    def test_a_first_token_that_had_not_come_when_it_was_overdue(self) -> None:
        gone = [request(first_ms=None, end_ms=10_000, outcome=Outcome.ABANDONED)]
        assert readings(gone, TTFT, bound_ns=1_000 * MS) == [(10_000 * MS, math.inf)]
        assert readings(gone, TTFT, bound_ns=10_000 * MS) == []

    def test_a_gap_that_was_open(self) -> None:
        gone = [request(first_ms=100, gaps_ms=(10,), end_ms=5110, outcome=Outcome.ABANDONED)]
        assert readings(gone, ITL, owed_gaps=39, bound_ns=50 * MS) == [(10 * MS, 10 * MS), (5000 * MS, math.inf)]
        assert readings(gone, ITL, owed_gaps=39, bound_ns=5000 * MS) == [(10 * MS, 10 * MS)]
        assert readings(gone, TTFT, bound_ns=50 * MS) == [(100 * MS, 100 * MS)]

    def test_an_answer_that_was_not_complete_when_it_was_overdue(self) -> None:
        for first_ms in (None, 100):
            gone = [request(first_ms=first_ms, end_ms=3000, outcome=Outcome.ABANDONED)]
            assert readings(gone, LATENCY, bound_ns=2000 * MS) == [(3000 * MS, math.inf)]
            assert readings(gone, LATENCY, bound_ns=3000 * MS) == []

    def test_a_pace_that_no_rest_of_an_answer_of_the_declared_length_could_mend(self) -> None:
        gone = [request(first_ms=100, gaps_ms=(10, 10), end_ms=1120, outcome=Outcome.ABANDONED)]
        assert readings(gone, TPOT, owed_gaps=10, bound_ns=100 * MS) == [(102 * MS, math.inf)]
        assert readings(gone, TPOT, owed_gaps=20, bound_ns=100 * MS) == [(10 * MS, 10 * MS)]

    def test_who_asked_for_the_answer_in_one_piece_waited_for_no_first_token(self) -> None:
        whole = replace(request(first_ms=None, end_ms=10_000, outcome=Outcome.ABANDONED), streamed=False)
        assert readings([whole], TTFT, bound_ns=1_000 * MS) == []
        assert readings([whole], LATENCY, bound_ns=1_000 * MS) == [(10_000 * MS, math.inf)]
        waiting = replace(whole, outcome=Outcome.UNFINISHED)
        assert readings([waiting], TTFT, bound_ns=1_000 * MS) == [(0, math.inf)], "it may still fail"


def test_an_answer_in_one_piece_has_no_first_token() -> None:
    whole = [request(first_ms=None, end_ms=400)]
    assert readings(whole, TTFT) == []
    assert readings(whole, LATENCY) == [(400 * MS, 400 * MS)]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.COMPLETED),
        (400, Outcome.REJECTED),
        (401, Outcome.REJECTED),
        (429, Outcome.FAILED),
        (503, Outcome.FAILED),
    ],
)
def test_whose_failure_a_status_is(status: int, outcome: Outcome) -> None:
    assert outcome_of_status(status) is outcome


def test_wrong_requests_count_for_nothing() -> None:
    assert readings([request(first_ms=None, status=400, outcome=Outcome.REJECTED)], TTFT) == []


def test_records_survive_json_without_large_integers() -> None:
    sample = request(1_795_000_000_000, request_id="probe-7")
    record = json.loads(json.dumps(sample.as_record()))
    assert RequestSample.from_record(record) == sample
    assert all(not isinstance(v, int) or abs(v) < 2**53 for v in record.values())
