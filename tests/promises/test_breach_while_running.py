"""A window that is over is broken at once where nothing that its running answers may still bring could mend it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.promises import (
    Metric,
    Outcome,
    Promise,
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
TOKENS = 21
LATE_MS, QUICK_MS, BOUND_MS = 900, 10, 200


def owed(metric: Metric = Metric.INTER_TOKEN_LATENCY, percentile: float = 95) -> Promise:
    made = promise(metric, percentile, BOUND_MS)
    return replace(made, load=replace(made.load, output_tokens=TOKENS))


def running(gaps_ms: tuple[int, ...], waiting_ms: int = 0, looks: tuple[int, ...] | None = None) -> RequestSample:
    """An answer of which so many gaps are over, as it is known from marks after each of `looks` gaps (all of them)."""
    first_ms = 100
    ends = [0, *accumulate(gaps_ms)]
    seen = sorted({0, len(gaps_ms), *(range(len(gaps_ms)) if looks is None else looks)})
    at_least = tuple(math.ceil((ends[b] - ends[a]) * MS / (b - a)) for a, b in pairwise(seen))
    return RequestSample(
        arrival_ns=101_000 * MS,
        first_token_after_ns=first_ms * MS,
        gaps_ns=(),
        end_after_ns=(first_ms + ends[-1] + waiting_ms) * MS,
        prompt_tokens=None,
        output_tokens=1 + len(gaps_ms),
        status=0,
        outcome=Outcome.UNFINISHED,
        progress_after_ns=(first_ms + ends[-1]) * MS,
        streamed=True,
        gaps_at_least_ns=at_least,
    )


def ended(
    sample: RequestSample, gaps_ms: tuple[int, ...], how: Outcome = Outcome.COMPLETED, left_ms: int = 0
) -> RequestSample:
    """The same at its end: all of its gaps are known, and how long was waited behind the last of them."""
    return replace(
        sample,
        gaps_ns=tuple(gap * MS for gap in gaps_ms),
        end_after_ns=(100 + sum(gaps_ms) + left_ms) * MS,
        prompt_tokens=50,
        output_tokens=1 + len(gaps_ms),
        outcome=how,
        progress_after_ns=None,
        gaps_at_least_ns=(),
    )


def judged(*requests: RequestSample, of: Promise | None = None, **changes: object) -> WindowVerdict:
    seen = WindowEvidence(asof_ms=110_500, tap_asof_ms=110_400, requests=requests)
    return judge(of or owed(), WINDOW, replace(seen, **changes))  # type: ignore[arg-type]


def test_late_gaps_of_an_answer_that_runs_break_its_window_once_the_rest_cannot_mend_it() -> None:
    assert judged(running((LATE_MS,))).reason is Reason.NOT_SETTLED, "nineteen quick ones may follow: p95 is met"
    found = judged(running((LATE_MS, LATE_MS)))
    assert (found.verdict, found.reason, found.settled) == (Verdict.BREACHED, Reason.BOUND_EXCEEDED, True)
    assert found.observed == LATE_MS * MS, "the best that can still be seen"
    assert found.detail == "1 requests, at the best that 1 still running can come to"


def test_the_gap_that_is_still_open_counts_as_far_as_it_has_come() -> None:
    assert judged(running((LATE_MS,), waiting_ms=BOUND_MS)).reason is Reason.NOT_SETTLED
    assert judged(running((LATE_MS,), waiting_ms=BOUND_MS + 1)).verdict is Verdict.BREACHED


def test_of_tokens_that_came_between_two_looks_one_gap_was_at_least_their_mean() -> None:
    slow = (2 * BOUND_MS + 10, 0) * 2
    assert judged(running(slow, looks=(2,))).verdict is Verdict.BREACHED, "two spans, a late gap in each"
    assert judged(running(slow, looks=())).reason is Reason.NOT_SETTLED, "one span: it may have been a single gap"


def test_quick_answers_beside_it_dilute_and_so_may_what_has_not_begun() -> None:
    slow, quick = running((LATE_MS, LATE_MS)), ended(running(()), (QUICK_MS,) * 20)
    assert judged(slow, quick).verdict is Verdict.UNVERIFIABLE
    waiting = request(101_000, first_ms=None, end_ms=9000, outcome=Outcome.UNFINISHED, output_tokens=None)
    assert judged(slow, waiting).reason is Reason.NOT_SETTLED
    assert judged(slow, running((LATE_MS,)), waiting).reason is Reason.NOT_SETTLED
    assert judged(slow, slow, waiting).verdict is Verdict.BREACHED


def test_one_that_is_longer_than_declared_proves_nothing_before_its_end() -> None:
    assert judged(running((LATE_MS,) * 20)).verdict is Verdict.BREACHED
    assert judged(running((LATE_MS,) * 21)).reason is Reason.NOT_SETTLED, "perhaps more was asked than was declared"
    assert judged(ended(running(()), (LATE_MS,) * 40)).reason is Reason.LOAD_ABOVE_DECLARED


def test_behind_its_last_token_no_gap_is_open() -> None:
    assert judged(running((LATE_MS, *(QUICK_MS,) * 18), waiting_ms=LATE_MS)).verdict is Verdict.BREACHED
    assert judged(running((LATE_MS, *(QUICK_MS,) * 19), waiting_ms=LATE_MS)).reason is Reason.NOT_SETTLED


def test_of_an_answer_whose_first_token_was_not_recorded_no_pace_is_known() -> None:
    lost = replace(running((4000, 1)), first_token_after_ns=None)
    assert judged(lost, of=owed(Metric.TIME_PER_OUTPUT_TOKEN)).reason is Reason.NOT_SETTLED


def test_nothing_is_kept_by_what_is_known_of_an_answer_that_runs() -> None:
    assert judged(running((QUICK_MS,) * 20)).reason is Reason.NOT_SETTLED


def test_the_pace_of_an_answer_is_missed_once_no_rest_of_the_declared_length_could_mend_it() -> None:
    pace = owed(Metric.TIME_PER_OUTPUT_TOKEN)
    assert judged(running((4000,)), of=pace).reason is Reason.NOT_SETTLED
    found = judged(running((4000, 1)), of=pace)
    assert (found.verdict, found.observed) == (Verdict.BREACHED, 4001 * MS / 20)


def test_it_waits_neither_for_counters_nor_for_probes() -> None:
    views = frozenset({View.TAP, View.PROBER, View.METRICS})
    found = judged(running((LATE_MS, LATE_MS)), required=views, probes_pending=1)
    assert (found.verdict, found.settled) == (Verdict.BREACHED, True)


def test_the_record_of_an_answer_of_which_nothing_is_known_is_as_before() -> None:
    assert "gapsAtLeastNs" not in running(()).as_record()


GAPS = st.lists(st.sampled_from([QUICK_MS, BOUND_MS, BOUND_MS + 1, LATE_MS]), min_size=4, max_size=TOKENS - 1)


@st.composite
def answers(draw: st.DrawFn) -> tuple[RequestSample, RequestSample]:
    """An answer while it runs, and as it ends: at the declared length at most, or left, or broken off."""
    whole = tuple(draw(GAPS))
    came = len(whole) - draw(st.integers(0, len(whole)))
    looks = tuple(draw(st.sets(st.integers(0, came))))
    # A gap that is open ends with a token, or with whoever leaves: not with an end of the answer that brings none.
    open_ms = draw(st.integers(0, whole[came] if came < len(whole) else 0))
    seen = running(whole[:came], waiting_ms=open_ms, looks=looks)
    how = draw(st.sampled_from([Outcome.COMPLETED, Outcome.ABANDONED, Outcome.FAILED]))
    if how is Outcome.COMPLETED:
        return seen, ended(seen, whole)
    stop = draw(st.integers(came, len(whole)))
    left_ms = draw(st.integers(open_ms if stop == came else 0, 2000))
    return seen, ended(seen, whole[:stop], how, left_ms)


@pytest.mark.parametrize("metric", [Metric.INTER_TOKEN_LATENCY, Metric.TIME_PER_OUTPUT_TOKEN])
@given(st.lists(answers(), min_size=1, max_size=6), st.sampled_from([75.0, 95.0]))
def test_what_is_broken_while_answers_run_is_broken_at_their_end(
    metric: Metric, given_: list[tuple[RequestSample, RequestSample]], percentile: float
) -> None:
    terms = owed(metric, percentile)
    early = judged(*(seen for seen, _ in given_), of=terms)
    if early.verdict is not Verdict.BREACHED:
        return
    final = judged(*(whole for _, whole in given_), of=terms)
    assert final.verdict is Verdict.BREACHED
    assert early.observed is not None
    assert final.observed is not None
    assert final.observed >= early.observed, "what was said was the best that could still be seen"


@given(st.lists(answers(), min_size=1, max_size=6))
def test_a_verdict_is_drawn_again_from_the_evidence_as_it_was(
    given_: list[tuple[RequestSample, RequestSample]],
) -> None:
    evidence = WindowEvidence(asof_ms=110_500, tap_asof_ms=110_400, requests=tuple(seen for seen, _ in given_))
    copy = WindowEvidence.from_record(json.loads(json.dumps(evidence.as_record())))
    assert copy == evidence
    assert judge(owed(), WINDOW, copy) == judge(owed(), WINDOW, evidence)
