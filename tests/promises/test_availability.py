"""Availability: in at least the share A of the windows, at least the share A of the requests is answered."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.promises import (
    Assurance,
    AvailabilityObjective,
    Load,
    Outcome,
    Probe,
    Promise,
    RequestSample,
    Verdict,
    View,
    Window,
    WindowEvidence,
    WindowVerdict,
    account,
    judge,
    samples_needed,
    share_carried_micro,
    window_share_micro,
)
from tenure.promises.binomial import binomial_at_least

SECOND = 10**9
WINDOW = Window(0, 60_000)
PROMISE = Promise(AvailabilityObjective(900_000), Load(1_000_000, 40, 3), Assurance(60_000, 0.9, 0.9))
ANSWERED = RequestSample(0, 50_000_000, (10_000_000, 10_000_000), 70_000_000, 40, 3, 200)
FAILED = replace(ANSWERED, first_token_after_ns=None, gaps_ns=(), status=502, outcome=Outcome.FAILED)
RUNNING = replace(FAILED, status=200, outcome=Outcome.UNFINISHED, end_after_ns=2 * SECOND)
LEFT = replace(RUNNING, outcome=Outcome.ABANDONED)
WRONG = replace(FAILED, status=400, outcome=Outcome.REJECTED)


def judged(*requests: RequestSample, probes: tuple[Probe, ...] = (), prober: bool = False) -> WindowVerdict:
    seen_by = frozenset({View.TAP, View.PROBER} if prober else {View.TAP})
    evidence = WindowEvidence(
        asof_ms=61_000, tap_asof_ms=61_000, requests=requests, probes=probes, probes_due=int(prober), required=seen_by
    )
    return judge(PROMISE, WINDOW, evidence)


def probe(outside: RequestSample, known: bool = True) -> Probe:
    return Probe(outside, ANSWERED if known else None)


def test_a_window_is_kept_where_the_share_was_answered() -> None:
    found = judged(*[ANSWERED] * 9, FAILED)
    assert (found.verdict, str(found.reason), found.observed) == (Verdict.KEPT, "WithinBound", 900_000)


def test_and_breached_where_it_was_not_saying_how_many_were_lost() -> None:
    found = judged(*[ANSWERED] * 8, FAILED, FAILED)
    assert (found.verdict, str(found.reason)) == (Verdict.BREACHED, "RequestsFailed")
    assert found.detail == "2 of 10 requests were not answered"
    assert found.bound == 900_000


def test_what_still_runs_neither_keeps_nor_breaches_until_it_cannot_matter() -> None:
    assert str(judged(ANSWERED, RUNNING).reason) == "NotSettled"
    assert judged(*[ANSWERED] * 9, RUNNING).verdict is Verdict.KEPT
    assert judged(*[FAILED] * 2, RUNNING).verdict is Verdict.BREACHED


def test_a_minute_without_a_word_is_no_answer_even_if_one_comes_then() -> None:
    silent = replace(RUNNING, end_after_ns=61 * SECOND)
    assert judged(silent).verdict is Verdict.BREACHED
    late = replace(ANSWERED, first_token_after_ns=61 * SECOND, end_after_ns=62 * SECOND)
    assert judged(late).verdict is Verdict.BREACHED
    stalled = replace(ANSWERED, gaps_ns=(10_000_000, 61 * SECOND), end_after_ns=62 * SECOND)
    assert judged(stalled).verdict is Verdict.BREACHED


def test_whoever_left_early_or_asked_wrongly_tells_nothing() -> None:
    assert str(judged(LEFT, WRONG).reason) == "TooFewSamples"
    assert judged(replace(LEFT, end_after_ns=61 * SECOND)).verdict is Verdict.BREACHED, "he waited a minute for nothing"


def test_whoever_heard_nothing_more_for_a_minute_and_left_was_not_answered() -> None:
    stalled = replace(ANSWERED, outcome=Outcome.ABANDONED, end_after_ns=62 * SECOND)
    assert judged(stalled).verdict is Verdict.BREACHED
    assert judged(replace(stalled, end_after_ns=30 * SECOND)).verdict is Verdict.KEPT


def test_probes_are_judged_beside_users_because_the_tap_does_not_see_who_never_reached_it() -> None:
    unreached = probe(replace(FAILED, status=0), known=False)
    found = judged(*[ANSWERED] * 10, probes=(probe(ANSWERED), unreached), prober=True)
    assert found.verdict is Verdict.BREACHED
    assert found.detail == "1 of 2 probes were not answered"
    assert judged(*[ANSWERED] * 10, probes=(probe(ANSWERED),), prober=True).verdict is Verdict.KEPT


def test_a_prober_that_reaches_nobody_is_cut_off_which_the_operator_bears() -> None:
    found = judged(*[ANSWERED] * 10, probes=(probe(replace(FAILED, status=0), known=False),), prober=True)
    assert (found.verdict, str(found.reason)) == (Verdict.UNVERIFIABLE, "ProberCutOff")
    assert found.uses_budget


def test_more_load_than_declared_is_not_owed() -> None:
    assert str(judged(*[FAILED] * 200).reason) == "LoadAboveDeclared"


def test_its_error_budget_is_the_windows_that_it_leaves() -> None:
    kept, lost = judged(ANSWERED), judged(FAILED)
    verdicts = [
        replace(kept if place % 9 else lost, window=Window(place * 60_000, (place + 1) * 60_000)) for place in range(20)
    ]
    state = account(verdicts, PROMISE.assurance, 20 * 60_000)
    assert state.budget == 2
    assert state.verdict is Verdict.BREACHED, "three windows of twenty, two may fail"


@pytest.mark.parametrize(("share", "confidence"), [(0.9, 0.9), (0.95, 0.9), (0.999, 0.9)])
def test_it_takes_as_many_windows_as_any_bound(share: float, confidence: float) -> None:
    needed = samples_needed(share, confidence)
    assert share_carried_micro(needed, needed, confidence) >= share * 10**6
    assert share_carried_micro(needed - 1, needed - 1, confidence) < share * 10**6


@given(st.integers(1, 300), st.integers(0, 300), st.sampled_from([0.8, 0.9, 0.95]))
def test_no_more_is_carried_than_what_was_seen_contradicts(count: int, kept: int, confidence: float) -> None:
    kept = min(kept, count)
    share = share_carried_micro(kept, count, confidence) / 10**6
    assert share < 1
    if kept:
        assert binomial_at_least(kept, count, share) <= 1 - confidence + 1e-9
        assert math.isclose(binomial_at_least(kept, count, share + 2e-6), 1 - confidence, abs_tol=1e-3)


def test_a_window_of_a_trial_counts_what_it_knows_as_answered() -> None:
    assert window_share_micro([ANSWERED, FAILED]) == 500_000
    assert window_share_micro([ANSWERED, RUNNING]) == 500_000
    assert window_share_micro([WRONG]) is None
