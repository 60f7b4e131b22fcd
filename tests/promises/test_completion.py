"""A deadline that will be missed is known before it is missed, and chance alone seldom says so."""

from __future__ import annotations

import math
import random

import pytest

from tenure.promises import Outlook, ProgressMark, forecast, outlook
from tenure.promises.completion import student_quantile


def steady(count: int, step_ms: float = 100, spread: float = 0.2, seed: int = 1) -> list[ProgressMark]:
    source, at, marks = random.Random(seed), 0.0, [ProgressMark(0, 0)]
    for done in range(1, count + 1):
        at += step_ms * source.uniform(1 - spread, 1 + spread)
        marks.append(ProgressMark(round(at), done))
    return marks


@pytest.mark.parametrize(
    ("probability", "freedom", "table"),
    [(0.95, 3, 2.3534), (0.975, 10, 2.2281), (0.975, 19, 2.0930), (0.95, 1, 6.3138), (0.5, 5, 0.0), (0.995, 2, 9.9248)],
)
def test_students_quantile_as_in_any_table(probability: float, freedom: int, table: float) -> None:
    assert student_quantile(probability, freedom) == pytest.approx(table, abs=1e-4)


def test_the_forecast_narrows_as_work_goes_on() -> None:
    widths = []
    for done in (10, 100, 400):
        found = forecast(steady(done), 500)
        assert found is not None
        assert found.early_ms <= found.likely_ms <= found.late_ms
        widths.append(found.late_ms - found.early_ms)
    assert widths == sorted(widths, reverse=True)


def test_it_covers_what_it_states() -> None:
    rounds, covered = 400, 0
    for seed in range(rounds):
        marks = steady(200, spread=0.9, seed=seed)
        found = forecast(marks[:61], 200)
        assert found is not None
        covered += found.early_ms <= marks[-1].at_ms <= found.late_ms
    assert covered / rounds >= 0.9 - 3 * math.sqrt(0.09 / rounds)


def test_outlooks() -> None:
    marks = steady(50)
    now = marks[-1].at_ms
    assert outlook(marks, 100, 20_000, now)[0] is Outlook.ON_TIME
    assert outlook(marks, 100, 10_000, now)[0] is Outlook.AT_RISK
    assert outlook(marks, 100, 8_000, now)[0] is Outlook.WILL_MISS
    assert outlook(marks, 100, now - 1, now)[0] is Outlook.MISSED
    assert outlook(marks, 100, 9_000, now, finished_ms=8_999)[0] is Outlook.DONE
    assert outlook(marks, 100, 9_000, now, finished_ms=9_001)[0] is Outlook.MISSED
    assert outlook(marks[:3], 100, 9_000, now)[0] is Outlook.UNKNOWN


def test_a_run_that_stands_still_does_not_stay_on_time() -> None:
    marks = steady(50)
    now = marks[-1].at_ms
    assert outlook(marks, 100, 12_000, now)[0] is Outlook.ON_TIME
    assert outlook(marks, 100, 12_000, now + 3_000)[0] is Outlook.AT_RISK


def test_lost_work_counts_again() -> None:
    """Restored from a checkpoint: the forecast goes by what was done since, and by all that is left."""
    before = steady(60)
    after = [ProgressMark(m.at_ms + before[-1].at_ms, m.done + 20) for m in steady(30, step_ms=200)]
    found = forecast([*before, *after], 100)
    assert found is not None
    assert found.likely_ms - after[-1].at_ms == pytest.approx(50 * 200, rel=0.1)


def test_no_progress_no_forecast() -> None:
    assert forecast([], 10) is None
    assert forecast([ProgressMark(t, 5) for t in range(10)], 10) is None
