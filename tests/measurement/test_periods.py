"""A period is merged from its windows: equal to merging them all, read anew only as far as it can have changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.measurement.periods import HOUR_MS, Periods, percentile_of, window_sketch
from tenure.measurement.sketch import RELATIVE_ERROR, Sketch
from tenure.measurement.store import MeasurementStore
from tenure.promises import (
    Assurance,
    LatencyObjective,
    Load,
    Metric,
    Outcome,
    Promise,
    Reason,
    Verdict,
    Window,
    WindowEvidence,
    WindowVerdict,
    nearest_rank,
)
from tests.promises.builders import request

MINUTE_MS = 60_000
PROMISE = Promise(
    LatencyObjective(Metric.TIME_TO_FIRST_TOKEN, 95.0, 10**9), Load(10**6, 50, 40), Assurance(MINUTE_MS, 0.9, 0.9)
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MeasurementStore]:
    opened = MeasurementStore(tmp_path / "measurements.db")
    yield opened
    opened.close()


def keep(store: MeasurementStore, minute: int, values_ns: list[int], *, settled: bool = True) -> None:
    reason = Reason.WITHIN_BOUND if settled else Reason.NOT_SETTLED
    verdict = Verdict.KEPT if settled else Verdict.UNVERIFIABLE
    window = Window(minute * MINUTE_MS, (minute + 1) * MINUTE_MS)
    found = WindowVerdict(PROMISE.name, window, verdict, reason, "", 1e6, 2e6, len(values_ns))
    key = (PROMISE.name, window.start_ms)
    store.record_windows("c1", [found], {key: Sketch(map(float, values_ns))})


def test_a_period_over_hours_equals_all_of_its_windows(store: MeasurementStore) -> None:
    periods = Periods(store)
    every: list[int] = []
    for minute in range(150):
        values = [1_000_000 + 1_000 * minute, 2_000_000 + minute]
        keep(store, minute, values)
        every += values
        whole = periods.merged("c1", PROMISE.name, 0, (minute + 1) * MINUTE_MS)
        assert whole.as_record() == Sketch(map(float, every)).as_record()


def test_an_hour_whose_windows_are_open_is_read_again(store: MeasurementStore) -> None:
    periods = Periods(store)
    keep(store, 3, [10**6], settled=False)
    assert periods.merged("c1", PROMISE.name, 0, 2 * HOUR_MS).count == 1
    keep(store, 3, [10**6, 2 * 10**6])
    assert periods.merged("c1", PROMISE.name, 0, 2 * HOUR_MS + 1).count == 2


def test_what_the_period_has_left_behind_counts_no_more(store: MeasurementStore) -> None:
    periods = Periods(store)
    for minute in (0, 59, 60, 130):
        keep(store, minute, [10**6])
    assert periods.merged("c1", PROMISE.name, 0, 3 * HOUR_MS).count == 4
    assert periods.merged("c1", PROMISE.name, 30 * MINUTE_MS, 3 * HOUR_MS + 1).count == 3
    assert periods.merged("c1", PROMISE.name, HOUR_MS, 3 * HOUR_MS + 2).count == 2


@given(st.lists(st.integers(min_value=1, max_value=10**12), min_size=1, max_size=300))
def test_the_percentile_is_never_too_short_and_little_too_long(values: list[int]) -> None:
    seen = percentile_of(Sketch(map(float, values)), 95.0)
    assert seen is not None
    true = sorted(values)[nearest_rank(95.0, len(values)) - 1]
    assert true * (1 - 1e-9) <= seen <= true * (1 + 2 * RELATIVE_ERROR) / (1 - RELATIVE_ERROR)


def test_a_window_is_sketched_from_its_users_alone() -> None:
    evidence = WindowEvidence(MINUTE_MS, MINUTE_MS, requests=(request(10**6), request(3 * 10**6)))
    found = window_sketch(PROMISE, Window(0, MINUTE_MS), evidence)
    assert found is not None
    assert found.count == 2
    assert percentile_of(Sketch(), 95.0) is None


def test_of_an_answer_that_still_ran_when_its_window_was_broken_what_was_known_counts_and_nothing_endless() -> None:
    paced = replace(PROMISE, objective=LatencyObjective(Metric.INTER_TOKEN_LATENCY, 95.0, 10**6))
    running = replace(
        request(10**6), outcome=Outcome.UNFINISHED, gaps_ns=(), gaps_at_least_ns=(9 * 10**6, 10**6), output_tokens=3
    )
    found = window_sketch(paced, Window(0, MINUTE_MS), WindowEvidence(MINUTE_MS, MINUTE_MS, requests=(running,)))
    assert found is not None
    assert found.count == 2
    assert percentile_of(found, 95.0) == pytest.approx(9 * 10**6, rel=3 * RELATIVE_ERROR)
