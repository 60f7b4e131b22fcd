"""Floors of rates: carried by what was measured while there was always work, and by nothing else."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tenure.controllers.answering.answer import Knowledge, answer
from tenure.controllers.answering.floors import rates_micro, rounded_down
from tenure.controllers.answering.measured import Measured, RunShape
from tenure.controllers.answering.trial_wish import trial_wish
from tenure.controllers.contract.judge import Kind, commissioning_plans, judge_commissioning
from tenure.placement import Calendar
from tenure.promises import Load, Metric, RequestSample
from tenure.resources.kinds.allocation import Promises, Shape
from tests.controllers.builders import MS, NOW_MS, fleet, knowledge, measured, need

WINDOW_MS = 2000
TOKENS = 3


def saturated(answers: Sequence[int], *, threads: int = 1, window_ms: int = WINDOW_MS) -> Measured:
    """So many answers of three tokens in each window, all of them complete within it; the first window chooses."""
    windows = tuple(
        tuple(_answer((NOW_MS + number * window_ms) * MS + place * MS) for place in range(count))
        for number, count in enumerate(answers)
    )
    return replace(
        measured([], threads=threads, window_ms=window_ms), load=Load(1, 40, TOKENS), windows=windows, saturated=True
    )


def _answer(arrival_ns: int) -> RequestSample:
    return RequestSample(arrival_ns, MS, (MS,) * (TOKENS - 1), TOKENS * MS, 40, TOKENS, 200)


def said(known: Knowledge):
    return answer(known, fleet(1), Calendar.of([]), "group", NOW_MS).answer


def floors(rate: float, **more):
    return need(objectives={"outputTokensPerSecond": rate, **more})


def test_a_floor_that_the_evidence_carries_is_offered_in_full() -> None:
    found = said(knowledge(floors(10), [saturated([0, *[20] * 9])]))
    assert found.kind == "Offers"
    promise = found.quotes[0].promises.statistical[0]
    assert (str(promise.floor), str(promise.carried_floor), promise.bound) == ("10", "30", None)
    assert promise.evidence.saturated


def test_the_slowest_window_that_must_hold_sets_the_floor() -> None:
    slow_once = [0, 20, 20, 20, 6, 20, 20, 20, 20]
    found = said(knowledge(floors(10), [saturated(slow_once)]))
    assert found.kind == "CounterOffers"
    relaxed = found.quotes[0].relaxed[0]
    assert (relaxed.axis, relaxed.asked, relaxed.offered) == ("slower", "10/s", "9/s")
    assert found.refusal is not None
    assert "asked 10/s" in found.refusal.binding.message


def test_a_window_in_which_nothing_was_answered_delivered_nothing() -> None:
    stalled = saturated([0, 20, 0, 20, 20, 20, 20, 20, 20])
    rates = rates_micro(stalled.windows, WINDOW_MS, Metric.OUTPUT_TOKENS_PER_SECOND)
    assert min(rates) == 0
    assert said(knowledge(floors(10), [stalled])).kind != "Offers"


def test_tokens_count_in_the_window_in_which_they_came_though_nobody_asked_in_it() -> None:
    second = 1000 * MS
    long = RequestSample(NOW_MS * MS + second, second, (second,) * 6, 8 * second, 40, 7, 200)
    rates = rates_micro(((long,), (), (), ()), WINDOW_MS, Metric.OUTPUT_TOKENS_PER_SECOND)
    assert rates == [1_000_000.0, 1_000_000.0, 1_000_000.0], "two tokens came in each window of two seconds"


def test_evidence_under_a_declared_load_carries_no_floor_and_saturation_no_latency() -> None:
    under_load, busy = measured([50.0] * 9), saturated([0, *[20] * 9])
    assert not knowledge(floors(10), [under_load]).capabilities
    assert not knowledge(need(), [busy]).capabilities
    both = floors(10, timeToFirstToken={"p95": "100ms"})
    assert not knowledge(both, [under_load]).capabilities
    assert [p.metric for p in said(knowledge(both, [under_load, busy])).quotes[0].promises.statistical] == [
        "timeToFirstToken",
        "outputTokensPerSecond",
    ]


def test_longer_prompts_bound_shorter_ones_and_never_the_other_way() -> None:
    shorter = replace(saturated([0, *[20] * 9]), load=Load(1, 39, TOKENS))
    longer = replace(shorter, load=Load(1, 80, TOKENS))
    assert not knowledge(floors(10), [shorter]).capabilities
    assert knowledge(floors(10), [longer]).capabilities


def test_a_trial_saturates_only_for_floors() -> None:
    shapes = [RunShape(1, 1)]
    alone = trial_wish(floors(10), shapes, [], None)
    assert alone is not None
    assert [step.saturated for step in alone.steps] == [True]
    both = trial_wish(floors(10, timeToFirstToken={"p95": "1s"}), shapes, [], None)
    assert both is not None
    assert [(step.saturated, step.ahead) for step in both.steps] == [(False, False), (True, False), (False, True)]
    assert trial_wish(floors(10), shapes, [saturated([0, *[20] * 9])], None) is None


def test_what_no_need_calls_for_yet_is_measured_after_all_shapes_that_one_does() -> None:
    most, known = RunShape(1, 4), RunShape(1, 1)
    wanted = floors(10, timeToFirstToken={"p95": "1s"})
    wish = trial_wish(wanted, [most, known], [measured([50.0] * 9)], None)
    assert wish is not None
    assert [(step.shape.slots, step.saturated, step.ahead) for step in wish.steps] == [
        (1, True, False),
        (4, False, False),
        (4, True, False),
        (4, False, True),
    ]
    assert wish.shapes == (known, most), "each is started once"


def test_commissioning_measures_a_floor_under_saturation() -> None:
    quote = said(knowledge(floors(10), [saturated([0, *[20] * 9])])).quotes[0]
    plans = commissioning_plans(quote.promises, Shape(threads=1, slots=3))
    assert {kind: plan.in_flight for kind, plan in plans.items()} == {Kind.SATURATED: 6}
    good = judge_commissioning(quote.promises, {Kind.SATURATED: saturated([0, 20, 20, 20, 20]).windows})
    assert [(f.promised_floor, f.measured_floor, f.windows_within, f.holds) for f in good] == [
        ("10/s", "30/s", 4, True)
    ]
    bad = judge_commissioning(quote.promises, {Kind.SATURATED: saturated([0, 5, 5, 5, 5]).windows})
    assert [(f.windows_within, f.holds) for f in bad] == [(0, False)]
    assert judge_commissioning(quote.promises, {})[0].holds is False
    assert judge_commissioning(Promises(), {}) == []


@given(st.floats(min_value=0, max_value=1e15))
def test_a_floor_is_rounded_down(rate: float) -> None:
    assert int(rounded_down(rate)) <= rate
    assert int(rounded_down(rate)) >= 0.9 * int(rate) - 1
