"""Kept only when it was seen, owed, agreed on and met; every other case has a reason and someone who bears it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.promises import (
    Assurance,
    Counters,
    Fault,
    Finding,
    Load,
    Metric,
    Outcome,
    Probe,
    Promise,
    RateObjective,
    Reason,
    RequestSample,
    Tolerance,
    Verdict,
    View,
    Window,
    WindowEvidence,
    WindowVerdict,
    judge,
    poisson_quantile,
)
from tests.promises.builders import promise, request

WINDOW = Window(100_000, 110_000)
PROMISE = promise(bound_ms=200)


def evidence(*requests: RequestSample, **changes: object) -> WindowEvidence:
    seen = WindowEvidence(asof_ms=110_500, tap_asof_ms=110_400, requests=requests)
    return replace(seen, **changes)  # type: ignore[arg-type]


def test_kept_within_the_bound() -> None:
    found = judge(PROMISE, WINDOW, evidence(request(101_000, first_ms=150), request(102_000, first_ms=200)))
    assert (found.verdict, found.reason) == (Verdict.KEPT, Reason.WITHIN_BOUND)
    assert found.observed == 200e6
    assert found.requests == 2


def test_breached_beyond_it() -> None:
    found = judge(PROMISE, WINDOW, evidence(request(101_000, first_ms=201)))
    assert (found.verdict, found.reason) == (Verdict.BREACHED, Reason.BOUND_EXCEEDED)
    assert found.uses_budget


def test_failed_requests_breach() -> None:
    found = judge(PROMISE, WINDOW, evidence(request(101_000), request(first_ms=None, outcome=Outcome.FAILED)))
    assert (found.verdict, found.reason) == (Verdict.BREACHED, Reason.REQUESTS_FAILED)
    assert found.as_record()["observed"] is None


def test_an_open_request_beyond_the_bound_is_a_breach_before_it_ends() -> None:
    waiting = request(109_000, first_ms=None, end_ms=1400, outcome=Outcome.UNFINISHED)
    assert judge(PROMISE, WINDOW, evidence(waiting)).verdict is Verdict.BREACHED


def test_an_open_request_that_may_still_make_it_is_judged_later() -> None:
    waiting = request(109_950, first_ms=None, end_ms=50, outcome=Outcome.UNFINISHED)
    found = judge(PROMISE, WINDOW, evidence(waiting))
    assert (found.verdict, found.reason, found.fault) == (Verdict.UNVERIFIABLE, Reason.NOT_SETTLED, Fault.NONE)
    assert not found.settled


class TestUsersWhoGaveUp:
    """The server hangs, and clients lose patience: a wait beyond the bound is late whoever ends it."""

    GAVE_UP = request(102_000, first_ms=None, end_ms=10_000, outcome=Outcome.ABANDONED)
    PROBED = frozenset({View.TAP, View.PROBER})
    HUNG = Probe(request(103_000, first_ms=None, end_ms=60_000, outcome=Outcome.UNFINISHED), GAVE_UP)

    def test_a_stall_in_which_some_gave_up_is_not_kept_by_those_it_had_spared(self) -> None:
        found = judge(PROMISE, WINDOW, evidence(*[request(101_000)] * 10, *[self.GAVE_UP] * 10))
        assert (found.verdict, found.reason) == (Verdict.BREACHED, Reason.BOUND_EXCEEDED)
        assert found.observed == 10_000e6

    def test_a_stall_in_which_all_gave_up_is_owed(self) -> None:
        found = judge(PROMISE, WINDOW, evidence(self.GAVE_UP))
        assert (found.verdict, found.uses_budget) == (Verdict.BREACHED, True)

    def test_leaving_before_the_bound_has_passed_proves_nothing(self) -> None:
        early = replace(self.GAVE_UP, end_after_ns=200_000_000)
        assert judge(PROMISE, WINDOW, evidence(request(101_000), *[early] * 5)).verdict is Verdict.KEPT
        assert judge(PROMISE, WINDOW, evidence(early)).reason is Reason.TOO_FEW_SAMPLES

    def test_where_users_tell_nothing_the_probes_do(self) -> None:
        early = replace(self.GAVE_UP, end_after_ns=100_000_000)
        found = judge(PROMISE, WINDOW, evidence(early, probes=(self.HUNG,), required=self.PROBED))
        assert (found.verdict, found.detail) == (Verdict.BREACHED, "1 probes")

    def test_who_bears_an_empty_window_waits_for_the_probes_under_way(self) -> None:
        for users in ((), (replace(self.GAVE_UP, end_after_ns=100_000_000),)):
            found = judge(PROMISE, WINDOW, evidence(*users, probes_pending=1, required=self.PROBED))
            assert found.reason is Reason.NOT_SETTLED
            late = evidence(*users, probes_pending=1, required=self.PROBED, asof_ms=201_000)
            assert judge(PROMISE, WINDOW, late).reason is Reason.PROBER_CUT_OFF


class TestAnswersThatRunOn:
    """No bound's window waits for ever: what is open after five minutes has failed or counts as far as it came."""

    LATE = WINDOW.end_ms + 300_000

    def judged(self, tokens: int, last_ms: int, bound_ms: int, asof_ms: int, waited_ms: int) -> WindowVerdict:
        running = request(101_000, end_ms=waited_ms, outcome=Outcome.UNFINISHED, output_tokens=tokens, gaps_ms=())
        running = replace(running, progress_after_ns=last_ms * 1_000_000)
        seen = evidence(*[request(101_000)] * 3, running, asof_ms=asof_ms, tap_asof_ms=asof_ms)
        return judge(promise(Metric.INTER_TOKEN_LATENCY, bound_ms=bound_ms), WINDOW, seen)

    def test_until_then_the_window_waits_saying_since_when_and_not_for_how_long(self) -> None:
        for asof_ms in (self.LATE - 2, self.LATE - 1):
            found = self.judged(3, 308_900, 200_000, asof_ms, asof_ms - 101_000)
            assert (found.reason, found.observed) == (Reason.NOT_SETTLED, None)
            assert found.detail == "1 requests are open, the oldest since 1970-01-01T00:01:41Z"

    def test_an_answer_that_has_not_come_to_the_declared_length_has_failed(self) -> None:
        found = self.judged(3, 308_900, 100_000, 1_000_000, 899_000)
        assert found.verdict is Verdict.BREACHED
        dripping = self.judged(4, 890_000, 200_000, 1_400_000, 1_299_000)
        assert dripping.verdict is Verdict.BREACHED, "nor has one that drips slower than the bound permits"

    def test_one_that_began_in_time_and_goes_on_keeps_a_bound_on_its_beginning(self) -> None:
        going = request(101_000, end_ms=309_000, outcome=Outcome.UNFINISHED, output_tokens=3, gaps_ms=())
        going = replace(going, progress_after_ns=308_900 * 1_000_000)
        for asof_ms in (self.LATE - 1, self.LATE):
            seen = evidence(request(101_000), going, asof_ms=asof_ms, tap_asof_ms=asof_ms)
            assert judge(PROMISE, WINDOW, seen).verdict is Verdict.KEPT, "whenever it is looked at"

    def test_one_that_never_began_has_failed(self) -> None:
        silent = request(101_000, first_ms=None, end_ms=309_000, outcome=Outcome.UNFINISHED, output_tokens=None)
        slow = promise(bound_ms=100_000)
        seen = evidence(*[request(101_000)] * 3, silent, asof_ms=self.LATE, tap_asof_ms=self.LATE)
        assert judge(slow, WINDOW, seen).verdict is Verdict.BREACHED

    def test_a_longer_one_counts_as_far_as_it_came(self) -> None:
        assert self.judged(9000, 308_900, 200, self.LATE, 309_000).reason is Reason.LOAD_ABOVE_DECLARED
        assert self.judged(4, 400, 200, self.LATE, 309_000).reason is Reason.BOUND_EXCEEDED, "a gap is open"
        many = [request(101_000, output_tokens=1, gaps_ms=())] * 3
        longer = request(101_000, end_ms=309_000, outcome=Outcome.UNFINISHED, output_tokens=12, gaps_ms=())
        seen = evidence(*many, longer, asof_ms=self.LATE, tap_asof_ms=self.LATE)
        assert judge(PROMISE, WINDOW, seen).verdict is Verdict.KEPT

    def test_one_of_which_its_user_takes_no_more_is_not_the_servers(self) -> None:
        assert self.judged(3, 1_900, 200, self.LATE, 2_000).verdict is Verdict.KEPT

    def test_one_that_is_wanted_in_one_piece_tells_nothing_of_its_first_token(self) -> None:
        whole = request(101_000, first_ms=None, end_ms=309_000, outcome=Outcome.UNFINISHED, output_tokens=None)
        whole = replace(whole, streamed=False)
        seen = evidence(request(101_000), whole, tap_asof_ms=self.LATE)
        assert judge(PROMISE, WINDOW, seen).reason is Reason.NOT_SETTLED
        assert judge(PROMISE, WINDOW, replace(seen, asof_ms=self.LATE)).verdict is Verdict.KEPT

    def test_a_bound_of_hours_is_waited_for(self) -> None:
        slow = promise(Metric.REQUEST_LATENCY, bound_ms=3_600_000)
        open_ = request(101_000, end_ms=309_000, outcome=Outcome.UNFINISHED, gaps_ms=())
        seen = evidence(open_, asof_ms=self.LATE, tap_asof_ms=self.LATE)
        assert judge(slow, WINDOW, seen).reason is Reason.NOT_SETTLED


class TestLoad:
    def test_more_arrivals_than_the_declared_process_makes(self) -> None:
        most = poisson_quantile(10, 0.999)
        slow = tuple(request(100_000 + i, first_ms=900) for i in range(most))
        assert judge(PROMISE, WINDOW, evidence(*slow)).verdict is Verdict.BREACHED
        found = judge(PROMISE, WINDOW, evidence(*slow, request(109_000)))
        assert (found.reason, found.fault) == (Reason.LOAD_ABOVE_DECLARED, Fault.USER)
        assert not found.uses_budget

    def test_longer_prompts_and_answers_than_declared(self) -> None:
        for sample in (request(101_000, prompt_tokens=60), request(101_000, output_tokens=5)):
            assert judge(PROMISE, WINDOW, evidence(sample)).reason is Reason.LOAD_ABOVE_DECLARED

    def test_a_tokenizer_that_rounds_is_no_excess(self) -> None:
        assert judge(PROMISE, WINDOW, evidence(request(101_000, prompt_tokens=52))).verdict is Verdict.KEPT

    def test_an_excess_is_worked_off_in_the_windows_behind_it(self) -> None:
        slow = tuple(request(100_000 + i, first_ms=900) for i in range(10))
        behind_a_flood = judge(PROMISE, WINDOW, evidence(*slow, arrivals_before=(60,)))
        assert behind_a_flood.reason is Reason.LOAD_ABOVE_DECLARED
        worked_off = judge(PROMISE, WINDOW, evidence(*slow, arrivals_before=(2, 2, 22)))
        assert worked_off.verdict is Verdict.BREACHED

    def test_refused_requests_are_no_load(self) -> None:
        wrong = tuple(request(100_000 + i, first_ms=None, status=400, outcome=Outcome.REJECTED) for i in range(99))
        assert judge(PROMISE, WINDOW, evidence(request(101_000), *wrong)).verdict is Verdict.KEPT


class TestSensors:
    def test_no_journal(self) -> None:
        found = judge(PROMISE, WINDOW, evidence(request(101_000), tap_asof_ms=None))
        assert (found.reason, found.fault) == (Reason.SENSOR_GONE, Fault.OPERATOR)

    def test_silence_is_first_unsettled_and_then_stale(self) -> None:
        assert judge(PROMISE, WINDOW, evidence(tap_asof_ms=109_000)).reason is Reason.NOT_SETTLED
        late = judge(PROMISE, WINDOW, evidence(tap_asof_ms=109_000, asof_ms=120_000))
        assert (late.reason, late.uses_budget) == (Reason.STALE, True)

    @pytest.mark.parametrize(
        "reason", [Reason.JOURNAL_DAMAGED, Reason.CLOCK_JUMPED, Reason.ASLEEP, Reason.SENSOR_GONE, Reason.STALE]
    )
    def test_a_finding_forbids_kept_and_breached_alike(self, reason: Reason) -> None:
        for first_ms in (10, 9000):
            damaged = evidence(request(101_000, first_ms=first_ms), findings=(Finding(View.TAP, reason, "x"),))
            found = judge(PROMISE, WINDOW, damaged)
            assert (found.verdict, found.reason, found.fault) == (Verdict.UNVERIFIABLE, reason, Fault.OPERATOR)

    def test_a_damaged_sensor_cannot_plead_too_much_load(self) -> None:
        flood = tuple(request(100_000 + i) for i in range(100))
        found = judge(PROMISE, WINDOW, evidence(*flood, findings=(Finding(View.TAP, Reason.ASLEEP, "x"),)))
        assert found.fault is Fault.OPERATOR

    def test_declared_metrics_that_are_gone(self) -> None:
        required = frozenset({View.TAP, View.METRICS})
        early = evidence(request(101_000), required=required)
        assert judge(PROMISE, WINDOW, early).reason is Reason.NOT_SETTLED
        assert judge(PROMISE, WINDOW, replace(early, asof_ms=120_000)).reason is Reason.SENSOR_GONE

    def test_a_prober_that_sends_nothing_is_cut_off(self) -> None:
        required = frozenset({View.TAP, View.PROBER})
        cut = evidence(request(101_000), required=required, probes_due=2)
        assert judge(PROMISE, WINDOW, cut).reason is Reason.PROBER_CUT_OFF

    def test_a_prober_that_reaches_nothing_is_cut_off(self) -> None:
        required = frozenset({View.TAP, View.PROBER})
        lost = Probe(request(101_000, first_ms=None, outcome=Outcome.FAILED, status=0), None)
        cut = evidence(required=required, probes_due=1, probes=(lost,))
        assert judge(PROMISE, WINDOW, cut).reason is Reason.PROBER_CUT_OFF


class TestViews:
    def test_a_tap_that_lies_by_a_factor_is_contradicted_by_the_probes(self) -> None:
        probes = tuple(Probe(request(101_000, first_ms=400), request(101_000, first_ms=100)) for _ in range(3))
        found = judge(PROMISE, WINDOW, evidence(request(102_000, first_ms=100), probes=probes))
        assert (found.reason, found.fault) == (Reason.VIEWS_DISAGREE, Fault.OPERATOR)
        assert "prober 400 ms, tap 100 ms" in found.detail

    def test_a_tap_that_omits_probes_omits_users_too(self) -> None:
        probes = (Probe(request(101_000), request(101_000)), Probe(request(103_000), None))
        assert judge(PROMISE, WINDOW, evidence(request(102_000), probes=probes)).reason is Reason.VIEWS_DISAGREE

    def test_network_and_scheduling_are_no_lie(self) -> None:
        probes = (Probe(request(101_000, first_ms=130), request(101_000, first_ms=100)),)
        assert judge(PROMISE, WINDOW, evidence(request(102_000), probes=probes)).verdict is Verdict.KEPT

    def test_tokens_that_the_tap_did_not_see(self) -> None:
        for counters in (Counters(1000, 500, 100), Counters(500, 1000, 100), Counters(100, 100, 0, 40, 10)):
            found = judge(PROMISE, WINDOW, evidence(request(102_000), counters=counters))
            assert found.reason is Reason.VIEWS_DISAGREE
        assert judge(PROMISE, WINDOW, evidence(request(1), counters=Counters(1000, 960, 20))).verdict is Verdict.KEPT

    def test_probes_stand_in_where_nobody_asked(self) -> None:
        probe = Probe(request(101_000, first_ms=150), request(101_000, first_ms=148))
        assert judge(PROMISE, WINDOW, evidence(probes=(probe,))).observed == 150e6

    def test_kept_waits_for_the_probes_under_way_and_a_breach_does_not(self) -> None:
        kept = judge(PROMISE, WINDOW, evidence(request(101_000), probes_pending=1))
        assert (kept.reason, kept.settled) == (Reason.NOT_SETTLED, False)
        assert judge(PROMISE, WINDOW, evidence(request(101_000, first_ms=900), probes_pending=1)).settled
        lost = evidence(request(101_000), probes_pending=1, asof_ms=201_000)
        assert judge(PROMISE, WINDOW, lost).reason is Reason.PROBER_CUT_OFF

    def test_nobody_asked_and_nobody_probed(self) -> None:
        found = judge(PROMISE, WINDOW, evidence())
        assert (found.reason, found.uses_budget) == (Reason.TOO_FEW_SAMPLES, False)


class TestRates:
    """A floor of 40 tokens/s under 10 requests/s of 4 tokens."""

    FLOOR = Promise(
        RateObjective(Metric.OUTPUT_TOKENS_PER_SECOND, 40_000_000), Load(10_000_000, 50, 4), Assurance(1000)
    )
    WINDOW = Window(100_000, 101_000)

    def judged(self, *samples: RequestSample, carried: tuple[RequestSample, ...] = ()) -> WindowVerdict:
        seen = WindowEvidence(asof_ms=102_000, tap_asof_ms=102_000, requests=samples, carried=carried)
        return judge(self.FLOOR, self.WINDOW, seen)

    def test_delivered(self) -> None:
        found = self.judged(*(request(100_000 + 90 * i, first_ms=5, gaps_ms=(5, 5, 5)) for i in range(11)))
        assert (found.verdict, found.observed) == (Verdict.KEPT, 44_000_000)

    def test_not_demanded(self) -> None:
        found = self.judged(request(100_000, first_ms=5, gaps_ms=(5, 5, 5)))
        assert (found.verdict, found.reason) == (Verdict.KEPT, Reason.NOT_DEMANDED)

    def test_a_backlog_that_is_served_too_slowly(self) -> None:
        waiting = tuple(request(99_500, first_ms=600 + 50 * i, gaps_ms=(50, 50, 900)) for i in range(12))
        found = self.judged(carried=waiting)
        assert (found.verdict, found.reason) == (Verdict.BREACHED, Reason.FLOOR_MISSED)

    def test_a_stall_that_drives_users_away_is_no_lack_of_demand(self) -> None:
        gone = tuple(
            request(100_000 + 40 * i, first_ms=None, end_ms=600, output_tokens=0, outcome=Outcome.ABANDONED)
            for i in range(24)
        )
        found = self.judged(*gone)
        assert (found.verdict, found.reason) == (Verdict.BREACHED, Reason.FLOOR_MISSED)

    def test_asking_and_leaving_at_once_is_no_demand(self) -> None:
        left = tuple(
            request(100_000 + 40 * i, first_ms=None, end_ms=5, output_tokens=0, outcome=Outcome.ABANDONED)
            for i in range(24)
        )
        assert self.judged(*left).reason is Reason.NOT_DEMANDED

    def test_an_endless_answer_leaves_a_floor_unknown(self) -> None:
        endless = request(100_000, end_ms=400_000, outcome=Outcome.UNFINISHED, output_tokens=9000, gaps_ms=())
        endless = replace(endless, progress_after_ns=400_000 * 1_000_000)
        seen = WindowEvidence(asof_ms=500_000, tap_asof_ms=500_000, requests=(endless,))
        assert judge(self.FLOOR, self.WINDOW, seen).reason is Reason.LOAD_ABOVE_DECLARED

    def test_an_answer_that_goes_on_within_the_declared_length_is_waited_for(self) -> None:
        going = request(100_000, end_ms=400_000, outcome=Outcome.UNFINISHED, output_tokens=3, gaps_ms=())
        going = replace(going, progress_after_ns=399_000 * 1_000_000)
        seen = WindowEvidence(asof_ms=500_000, tap_asof_ms=500_000, requests=(going,))
        assert judge(self.FLOOR, self.WINDOW, seen).reason is Reason.NOT_SETTLED

    def test_too_much_load_does_not_excuse_a_floor(self) -> None:
        flood = tuple(request(100_000 + i, first_ms=3000, gaps_ms=(5, 5, 5)) for i in range(80))
        assert self.judged(*flood).verdict is Verdict.BREACHED


OUTCOMES = st.sampled_from([Outcome.COMPLETED, Outcome.FAILED, Outcome.ABANDONED, Outcome.UNFINISHED])


@st.composite
def samples(draw: st.DrawFn) -> RequestSample:
    outcome = draw(OUTCOMES)
    first = (
        draw(st.one_of(st.none(), st.integers(1, 400)))
        if outcome is not Outcome.COMPLETED
        else draw(st.integers(1, 400))
    )
    end = draw(st.integers(first or 1, 900)) if outcome is not Outcome.COMPLETED else None
    return request(draw(st.integers(100_000, 109_999)), first_ms=first, end_ms=end, outcome=outcome, gaps_ms=())


@given(st.lists(samples(), max_size=12), st.data())
def test_a_settled_verdict_never_changes_whatever_the_open_requests_turn_out_to_be(
    seen: list[RequestSample], data: st.DataObject
) -> None:
    before = judge(PROMISE, WINDOW, evidence(*seen))
    if not before.settled or before.reason is Reason.TOO_FEW_SAMPLES:
        return
    later = []
    for sample in seen:
        if sample.outcome is Outcome.UNFINISHED and sample.first_token_after_ns is None:
            waited = sample.end_after_ns or 0
            first = data.draw(st.integers(waited, waited + 10**9))
            if data.draw(st.booleans()):
                sample = replace(sample, outcome=Outcome.COMPLETED, first_token_after_ns=first, end_after_ns=first)
            else:
                sample = replace(sample, outcome=Outcome.ABANDONED, end_after_ns=first)
        later.append(sample)
    assert judge(PROMISE, WINDOW, evidence(*later)).verdict is before.verdict


@given(st.lists(samples(), max_size=8), st.booleans())
def test_the_verdict_is_drawn_again_from_its_record(seen: list[RequestSample], counted: bool) -> None:
    given_ = evidence(
        *seen,
        probes=(Probe(request(101_000), None),),
        counters=Counters(10, 10, 1, 5, 5) if counted else None,
        findings=(Finding(View.METRICS, Reason.STALE, "frozen"),) if counted else (),
        required=frozenset({View.TAP, View.PROBER}),
        arrivals_before=(1, 2),
    )
    copy = WindowEvidence.from_record(json.loads(json.dumps(given_.as_record())))
    assert copy == given_
    found = judge(PROMISE, WINDOW, copy)
    assert found == judge(PROMISE, WINDOW, given_)
    assert WindowVerdict.from_record(json.loads(json.dumps(found.as_record()))).verdict is found.verdict


@given(st.lists(samples(), min_size=1, max_size=12), st.integers(1, 300))
def test_more_latency_never_mends_a_breach(seen: list[RequestSample], more_ms: int) -> None:
    """Monotone: slowing every first token down cannot turn a breached window into a kept one."""
    slower = [
        replace(s, first_token_after_ns=s.first_token_after_ns + more_ms * 1_000_000)
        if s.first_token_after_ns is not None
        else s
        for s in seen
    ]
    before, after = judge(PROMISE, WINDOW, evidence(*seen)), judge(PROMISE, WINDOW, evidence(*slower))
    assert not (before.verdict is Verdict.BREACHED and after.verdict is Verdict.KEPT)


def test_the_tolerance_is_stated_and_can_be_tightened() -> None:
    probes = (Probe(request(101_000, first_ms=130), request(101_000, first_ms=100)),)
    strict = Tolerance(probe_ns=1_000_000, probe_share=0.0)
    assert judge(PROMISE, WINDOW, evidence(request(102_000), probes=probes), strict).reason is Reason.VIEWS_DISAGREE


def test_every_reason_is_in_the_table_that_users_see() -> None:
    from tenure.resources.reasons import BY_CODE

    assert [str(reason) for reason in Reason if str(reason) not in BY_CODE] == []
