"""A tap that tells the truth of first tokens, and lies about what comes behind them, is contradicted by the probes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenure.promises import (
    JUDGED_ALIKE,
    Metric,
    Outcome,
    Probe,
    Reason,
    RequestSample,
    Verdict,
    View,
    Window,
    WindowEvidence,
    WindowVerdict,
    judge,
)
from tests.promises.builders import MS, promise, request

WINDOW = Window(100_000, 110_000)
GAPS = promise(Metric.INTER_TOKEN_LATENCY, bound_ms=60)
ENDS = promise(Metric.REQUEST_LATENCY, bound_ms=2_000)
SLOW = (50.0,) * 20
OLDER = sorted(set(JUDGED_ALIKE) - {"5"})


def answer(*gaps_ms: float, end_ms: float | None = None) -> RequestSample:
    return replace(request(101_000, gaps_ms=gaps_ms, end_ms=end_ms, output_tokens=4), end_by_kernel=True)


def evidence(*probes: Probe, recent: tuple[Probe, ...] = ()) -> WindowEvidence:
    users = (request(102_000, gaps_ms=(10, 10, 10)),)
    views = frozenset({View.TAP, View.PROBER})
    return WindowEvidence(110_500, 110_400, requests=users, probes=probes, recent_probes=recent, required=views)


def judged(*probes: Probe, recent: tuple[Probe, ...] = ()) -> WindowVerdict:
    return judge(GAPS, WINDOW, evidence(*probes, recent=recent))


def quartered(sample: RequestSample) -> RequestSample:
    """The same answer, its gaps and its end by a tap that tells a quarter of each."""
    gaps = tuple(gap // 4 for gap in sample.gaps_ns)
    return replace(sample, gaps_ns=gaps, end_after_ns=(sample.first_token_after_ns or 0) + sum(gaps))


def test_gaps_divided_by_a_factor_disagree_and_both_sides_are_named() -> None:
    found = judged(Probe(answer(*SLOW), quartered(answer(*SLOW))))
    assert found.reason is Reason.VIEWS_DISAGREE
    assert found.detail == "first to last token of the probes: prober 1000 ms, tap 250 ms"


def test_so_does_the_newest_probe_before_a_window_without_any() -> None:
    assert judged(recent=(Probe(answer(*SLOW), quartered(answer(*SLOW))),)).reason is Reason.VIEWS_DISAGREE


def test_gaps_that_are_left_out_disagree() -> None:
    assert judged(Probe(answer(*SLOW), replace(answer(*SLOW), gaps_ns=()))).reason is Reason.VIEWS_DISAGREE


def test_long_gaps_spread_over_the_others_disagree_though_the_answer_is_as_long() -> None:
    jerky = (0.0,) * 15 + (200.0,) * 5
    found = judged(Probe(answer(*jerky), answer(*SLOW)))
    assert (found.reason, found.detail) == (
        Reason.VIEWS_DISAGREE,
        "long gaps of the probes: prober 200 ms, tap 50 ms",
    )


def test_an_end_that_is_told_too_early_disagrees() -> None:
    outside = answer(*SLOW, end_ms=3_000)
    found = judge(ENDS, WINDOW, evidence(Probe(outside, replace(outside, end_after_ns=1_100 * MS))))
    assert (found.reason, found.detail) == (
        Reason.VIEWS_DISAGREE,
        "whole answer of the probes: prober 3000 ms, tap 1100 ms",
    )


def test_an_end_that_a_prober_stamped_when_it_awoke_is_not_compared() -> None:
    """So those did that were started before ends were the kernel's, and still probe for a contract that stands."""
    outside = replace(answer(*SLOW, end_ms=3_000), end_by_kernel=False)
    assert judged(Probe(outside, answer(*SLOW))).verdict is Verdict.KEPT
    assert judged(Probe(outside, quartered(answer(*SLOW)))).reason is Reason.VIEWS_DISAGREE, (
        "its gaps were the kernel's"
    )


def test_what_the_prober_was_late_with_is_not_the_answers_length() -> None:
    late = replace(answer(*SLOW), first_token_after_ns=600 * MS, end_after_ns=1_600 * MS, sent_after_ns=500 * MS)
    assert judged(Probe(late, answer(*SLOW))).verdict is Verdict.KEPT


@pytest.mark.parametrize(
    "outside",
    [
        answer(*SLOW[:-1], 150),
        answer(*[gap for _ in range(5) for gap in (110.0, 0.0, 0.0, 90.0)]),
        answer(0, 150, *SLOW[2:]),
    ],
    ids=["the last token came late", "tokens came in bunches", "one wake-up was late"],
)
def test_a_busy_machine_is_no_lie(outside: RequestSample) -> None:
    assert judged(Probe(outside, answer(*SLOW))).verdict is Verdict.KEPT


@pytest.mark.parametrize("gaps", range(1, 11))
def test_one_late_wake_up_of_the_prober_in_a_short_answer_is_no_lie(gaps: int) -> None:
    """The tokens of half a second are read together: the answer is as long, and its longest gap is another one."""
    even = (500.0 / gaps,) * gaps
    assert judged(Probe(answer(500.0, *(0.0,) * (gaps - 1)), answer(*even))).verdict is Verdict.KEPT


def test_nor_does_it_spoil_the_windows_behind_it() -> None:
    assert judged(recent=(Probe(answer(0, 0, 0, 300), answer(75, 75, 75, 75)),)).verdict is Verdict.KEPT


def test_the_long_gaps_of_eleven_are_compared_and_one_late_wake_up_still_decides_nothing() -> None:
    even = (50.0,) * 11
    assert judged(Probe(answer(300, *(0.0,) * 5, *even[6:]), answer(*even))).verdict is Verdict.KEPT
    twice = answer(0, 275, 0, 0, 0, 0, 0, 0, 0, 275, 0)
    assert judged(Probe(twice, answer(*even))).detail == "long gaps of the probes: prober 275 ms, tap 50 ms"
    assert judged(Probe(twice, answer(*even[:2], 450))).reason is Reason.VIEWS_DISAGREE, "though the tap tells of three"


def test_a_short_answer_that_the_tap_shortens_is_found_out_by_its_length() -> None:
    outside = answer(*(50.0,) * 4)
    assert judged(Probe(outside, quartered(outside))).reason is Reason.VIEWS_DISAGREE


def test_one_probe_of_three_is_noise() -> None:
    honest = Probe(answer(*SLOW), answer(*SLOW))
    stalled = Probe(answer(*SLOW[:-1], 900), answer(*SLOW))
    assert judged(honest, stalled, honest).verdict is Verdict.KEPT


def test_an_answer_whose_end_the_tap_has_not_told_yet_is_not_compared() -> None:
    running = replace(answer(), end_after_ns=400 * MS, outcome=Outcome.UNFINISHED)
    assert judged(Probe(answer(*SLOW), running)).verdict is Verdict.KEPT


def test_an_answer_in_one_piece_has_an_end_and_nothing_else_to_compare() -> None:
    whole = request(101_000, first_ms=None, end_ms=500, outcome=Outcome.COMPLETED)
    assert judged(Probe(whole, whole)).verdict is Verdict.KEPT


def test_what_older_judges_stated_is_drawn_again_as_they_drew_it() -> None:
    lying = evidence(Probe(answer(*SLOW), quartered(answer(*SLOW))))
    assert OLDER == ["3", "4"]
    for version in OLDER:
        assert judge(GAPS, WINDOW, lying, JUDGED_ALIKE[version]).verdict is Verdict.KEPT
    assert judge(GAPS, WINDOW, lying, JUDGED_ALIKE["5"]) == judge(GAPS, WINDOW, lying)
