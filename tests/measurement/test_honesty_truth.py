"""The truth of the honesty benchmark's real part has no error of its own: late senders, edges of windows, lies."""

from __future__ import annotations

from typing import Any

from benchmarks.honesty.broken_tap import hastened, quartered
from benchmarks.honesty.real_stage import LOAD, WINDOW_MS
from benchmarks.honesty.real_truth import as_sent, count, explained, unprobed
from benchmarks.honesty.row import Row

from tenure.promises import (
    Assurance,
    LatencyObjective,
    Metric,
    Promise,
    Reason,
    RequestSample,
    Verdict,
    Window,
    WindowVerdict,
)

MS = 1_000_000
START_MS = 9_000_000 * WINDOW_MS
WINDOW = Window(START_MS, START_MS + WINDOW_MS)
PROMISE = Promise(LatencyObjective(Metric.TIME_TO_FIRST_TOKEN, 95, 500 * MS), LOAD, Assurance(WINDOW_MS, 0.9, 0.9))


def request(due_ms: int, first_ms: int, sent_after_ms: int = 0) -> RequestSample:
    """Due so long after the window began; its first token so long after it was due."""
    return RequestSample(
        arrival_ns=(START_MS + due_ms) * MS,
        first_token_after_ns=first_ms * MS,
        gaps_ns=(10 * MS,) * 11,
        end_after_ns=(first_ms + 110) * MS,
        prompt_tokens=50,
        output_tokens=12,
        status=200,
        sent_after_ns=sent_after_ms * MS,
    )


def kept_wrongly(*requests: RequestSample) -> int:
    """Whether `Kept` of the window would be a false one, by the truth of these requests."""
    verdict = WindowVerdict(PROMISE.name, WINDOW, Verdict.KEPT, Reason.WITHIN_BOUND, "", 1.0, 500 * MS, len(requests))
    row = Row("none")
    count(row, PROMISE, WINDOW, [as_sent(one) for one in requests], verdict)
    return row.false_kept


def test_a_slow_answer_in_a_window_called_kept_is_a_false_kept() -> None:
    assert kept_wrongly(request(1000, 900)) == 1


def test_what_its_sender_was_late_with_is_nobodys_latency() -> None:
    assert kept_wrongly(request(1000, 900, sent_after_ms=600)) == 0


def test_a_request_that_was_due_in_one_window_and_sent_in_the_next_belongs_to_the_next() -> None:
    assert kept_wrongly(request(WINDOW_MS - 100, 1500, sent_after_ms=400)) == 0
    assert kept_wrongly(request(-400, 2000, sent_after_ms=900)) == 1, "and from the window before, to this one"


def test_at_an_edge_nobody_can_say_whose_window_it_was() -> None:
    assert kept_wrongly(request(20, 900)) == 0
    assert kept_wrongly(request(WINDOW_MS - 20, 900)) == 0


def test_a_lie_is_unprobed_until_the_first_probe_into_it() -> None:
    lie = [((START_MS + 500) * MS, (START_MS + 4 * WINDOW_MS) * MS)]
    later = Window(START_MS + WINDOW_MS, START_MS + 2 * WINDOW_MS)
    assert unprobed(WINDOW, lie, []) == 1
    assert unprobed(later, lie, []) == 2
    assert unprobed(later, lie, [(START_MS + 700) * MS]) == 0
    assert unprobed(Window(START_MS - WINDOW_MS, START_MS), lie, []) == 0, "before it began"


def test_a_lying_tap_divides_each_duration_and_nothing_else() -> None:
    assert quartered({"id": 8, "afterNs": 400}) == {"id": 8, "afterNs": 100}
    end = quartered({"arrivalNs": 800, "firstNs": None, "gapsNs": [40, 80], "endNs": 400})
    assert end == {"arrivalNs": 800, "firstNs": None, "gapsNs": [10, 20], "endNs": 100}


def test_a_tap_that_lies_about_gaps_divides_them_and_tells_the_first_token() -> None:
    end = hastened({"arrivalNs": 800, "firstNs": 200, "gapsNs": [40, 80], "endNs": 328})
    assert end == {"arrivalNs": 800, "firstNs": 200, "gapsNs": [10, 20], "endNs": 232}
    records: list[dict[str, Any]] = [{"id": 8, "afterNs": 400}, {"firstNs": None, "gapsNs": [], "endNs": 400}]
    for record in records:
        assert hastened(record) == record


def test_failed_requests_that_no_user_saw_are_explained_by_a_tap_that_was_killed_over_them_alone() -> None:
    failed = WindowVerdict(PROMISE.name, WINDOW, Verdict.BREACHED, Reason.REQUESTS_FAILED)
    late = WindowVerdict(PROMISE.name, WINDOW, Verdict.BREACHED, Reason.BOUND_EXCEEDED)
    over, before = (START_MS + WINDOW_MS + 1000) * MS, (START_MS - 1000) * MS
    assert explained(WINDOW, failed, [before, over])
    assert [explained(WINDOW, *args) for args in ((failed, [before]), (failed, []), (late, [over]))] == [""] * 3
