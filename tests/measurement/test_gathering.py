"""Each view's trouble reaches the windows that it touches, and no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenure.measurement import Damage, DamageKind, Declared, JournalReading, gather
from tenure.measurement.scrape import Scrape
from tenure.promises import Outcome, Reason, RequestSample, Verdict, View, Window, WindowEvidence, judge
from tests.promises.builders import MS, promise, request

WINDOW = Window(100_000, 110_000)
PROMISE = promise(bound_ms=200)
S = 1000 * MS


def tap(
    *users: RequestSample, probes: tuple[RequestSample, ...] = (), damages: tuple[Damage, ...] = ()
) -> JournalReading:
    return JournalReading(
        samples={"user": list(users), "prober": list(probes)},
        damages=list(damages),
        oldest_ns=0,
        newest_ns=111 * S,
        lived_ns=[(0, 111 * S)],
    )


def probing(*sent: RequestSample, skipped: tuple[int, ...] = (), newest_ns: int = 111 * S) -> JournalReading:
    return JournalReading(
        samples={"probe": list(sent)},
        skipped_ns=list(skipped),
        oldest_ns=0,
        newest_ns=newest_ns,
        lived_ns=[(0, newest_ns)],
    )


def reason(evidence: WindowEvidence) -> Reason:
    return judge(PROMISE, WINDOW, evidence).reason


def test_a_window_gets_its_own_requests_those_carried_and_the_arrivals_before() -> None:
    long = request(95_000, end_ms=9000)
    seen = gather(WINDOW, 111_000, tap(request(85_000), long, request(100_000), request(109_999), request(110_000)))
    assert [s.arrival_ns for s in seen.requests] == [100 * S, 109_999 * MS]
    assert seen.carried == (long,)
    assert seen.arrivals_before == (1, 1, 0)
    assert judge(PROMISE, WINDOW, seen).verdict is Verdict.KEPT


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (DamageKind.GAP, Reason.JOURNAL_DAMAGED),
        (DamageKind.ALTERED, Reason.JOURNAL_DAMAGED),
        (DamageKind.SILENT, Reason.SENSOR_GONE),
        (DamageKind.ASLEEP, Reason.ASLEEP),
        (DamageKind.CLOCK_JUMPED, Reason.CLOCK_JUMPED),
    ],
)
def test_damage_touches_the_windows_that_it_overlaps(kind: DamageKind, found: Reason) -> None:
    before = Damage(kind, 90 * S, 99 * S, "x")
    assert reason(gather(WINDOW, 111_000, tap(request(101_000), damages=(before,)))) is Reason.WITHIN_BOUND
    across = Damage(kind, 99 * S, 101 * S, "x")
    assert reason(gather(WINDOW, 111_000, tap(request(101_000), damages=(across,)))) is found


def test_a_window_older_than_the_journal_was_not_seen() -> None:
    reading = replace(tap(request(105_000)), oldest_ns=102 * S)
    assert reason(gather(WINDOW, 111_000, reading)) is Reason.SENSOR_GONE


def test_a_window_that_the_clock_leapt_over() -> None:
    reading = replace(tap(), lived_ns=[(0, 90 * S), (110 * S, 111 * S)])
    assert reason(gather(WINDOW, 111_000, reading)) is Reason.CLOCK_JUMPED


def test_no_journal_at_all() -> None:
    assert reason(gather(WINDOW, 111_000, None)) is Reason.SENSOR_GONE
    assert reason(gather(WINDOW, 111_000, JournalReading())) is Reason.SENSOR_GONE


class TestProber:
    DECLARED = Declared(frozenset({View.TAP, View.PROBER}), probes_per_second=1.0)

    def gather(self, reading: JournalReading | None, inside: tuple[RequestSample, ...] = ()) -> WindowEvidence:
        return gather(WINDOW, 111_000, tap(request(101_000), probes=inside), declared=self.DECLARED, prober=reading)

    def test_probes_are_paired_by_their_name(self) -> None:
        sent = request(103_000, request_id="p1")
        seen = self.gather(probing(sent), (request(103_000, request_id="p1"), request(104_000, request_id="p2")))
        assert [(p.outside.request_id, p.inside is not None) for p in seen.probes] == [("p1", True)]
        assert reason(seen) is Reason.WITHIN_BOUND

    def test_a_tap_that_omits_a_probe(self) -> None:
        assert reason(self.gather(probing(request(103_000, request_id="p1")))) is Reason.VIEWS_DISAGREE

    def test_a_probe_under_way_keeps_the_window_open(self) -> None:
        reading = replace(probing(request(103_000, request_id="p1")), pending_ns=[104 * S, 115 * S])
        seen = self.gather(reading, (request(103_000, request_id="p1"),))
        assert (seen.probes_pending, reason(seen)) == (1, Reason.NOT_SETTLED)

    @pytest.mark.parametrize(("lost", "windows"), [((104, 109), 1), ((95, 101), 1), ((95, 99), 0), ((111, 120), 0)])
    def test_a_probe_that_hung_when_its_prober_died_keeps_the_windows_in_which_it_waited_open(
        self, lost: tuple[int, int], windows: int
    ) -> None:
        reading = replace(probing(request(103_000, request_id="p1")), lost_ns=[(lost[0] * S, lost[1] * S)])
        seen = self.gather(reading, (request(103_000, request_id="p1"),))
        assert seen.probes_pending == windows
        late = replace(seen, asof_ms=201_000)
        assert reason(late) is (Reason.PROBER_CUT_OFF if windows else Reason.WITHIN_BOUND)

    def test_none_where_ten_were_due(self) -> None:
        assert reason(self.gather(probing())) is Reason.PROBER_CUT_OFF

    def test_held_back_for_users_is_not_cut_off(self) -> None:
        held = tuple(round((100 + i) * S) for i in range(10))
        assert reason(self.gather(probing(skipped=held))) is Reason.WITHIN_BOUND

    def test_no_sign_of_life_is_cut_off_however_small_the_budget(self) -> None:
        small = replace(self.DECLARED, probes_per_second=0.001)
        for reading in (None, probing(newest_ns=90 * S)):
            seen = gather(WINDOW, 111_000, tap(request(101_000)), declared=small, prober=reading)
            assert reason(seen) is Reason.PROBER_CUT_OFF

    def test_a_small_budget_may_miss_a_window(self) -> None:
        small = replace(self.DECLARED, probes_per_second=0.01)
        seen = gather(WINDOW, 111_000, tap(request(101_000)), declared=small, prober=probing())
        assert reason(seen) is Reason.WITHIN_BOUND


def test_a_probe_that_a_damaged_journal_lost_is_that_times_trouble() -> None:
    declared = Declared(frozenset({View.TAP, View.PROBER}), probes_per_second=0.1)
    prober = probing(request(95_000, request_id="p1"))
    whole = gather(WINDOW, 111_000, tap(request(101_000)), declared=declared, prober=prober)
    assert reason(whole) is Reason.VIEWS_DISAGREE
    damaged = tap(request(101_000), damages=(Damage(DamageKind.GAP, 94 * S, 96 * S, "x"),))
    assert reason(gather(WINDOW, 111_000, damaged, declared=declared, prober=prober)) is Reason.WITHIN_BOUND


class TestMetrics:
    DECLARED = Declared(frozenset({View.TAP, View.METRICS}))
    USERS = tuple(request(100_000 + 700 * i, output_tokens=4, gaps_ms=(10, 10, 10)) for i in range(10))

    def judged(self, *counts: tuple[float, float | None, float | None], asof_ms: int = 111_000) -> Reason:
        scrapes = [Scrape(round(at * S), tokens, seconds, None, None) for at, tokens, seconds in counts]
        return reason(gather(WINDOW, asof_ms, tap(*self.USERS), declared=self.DECLARED, scrapes=scrapes))

    def test_agreement(self) -> None:
        assert self.judged((99, 1000, 50.0), (110.5, 1040, 50.4)) is Reason.WITHIN_BOUND

    def test_a_page_that_is_gone(self) -> None:
        assert self.judged() is Reason.SENSOR_GONE
        assert self.judged((99, 1000, None)) is Reason.NOT_SETTLED
        assert self.judged((99, 1000, None), asof_ms=120_000) is Reason.SENSOR_GONE

    def test_a_page_that_is_frozen_replayed_or_lying(self) -> None:
        assert self.judged((99, 1000, None), (110.5, 1000, None)) is Reason.SENSOR_GONE
        assert self.judged((99, 1000, None), (104, 1020, None), (110.5, 1010, None)) is Reason.SENSOR_GONE
        assert self.judged((99, 1000, None), (110.5, 1400, None)) is Reason.VIEWS_DISAGREE
        assert self.judged((99, 1000, 50.0), (110.5, 1040, 51.6)) is Reason.VIEWS_DISAGREE

    def test_a_server_that_was_started_anew_begins_from_zero(self) -> None:
        assert self.judged((99, 1000, 50.0), (104, 1016, 50.2), (105, 4, 0.1), (110.5, 24, 0.3)) is Reason.WITHIN_BOUND

    def test_tokens_for_a_user_who_left_are_no_disagreement(self) -> None:
        left = request(103_000, end_ms=50, outcome=Outcome.ABANDONED, output_tokens=0)
        scrapes = [Scrape(99 * S, 1000, None, None, None), Scrape(111 * S, 1043, None, None, None)]
        for users, found in ((self.USERS, Reason.VIEWS_DISAGREE), ((*self.USERS, left), Reason.WITHIN_BOUND)):
            assert reason(gather(WINDOW, 111_000, tap(*users), declared=self.DECLARED, scrapes=scrapes)) is found

    @pytest.mark.parametrize(
        ("left_s", "waited_s", "counted", "found"),
        [
            (70, 40, 4, Reason.TOO_FEW_SAMPLES),  # a step of the server may take as long again as he had waited
            (70, 20, 4, Reason.VIEWS_DISAGREE),  # its steps are quicker than that, so it has noticed since
            (95, 1, 4, Reason.TOO_FEW_SAMPLES),  # ten seconds it has in any case
            (88, 1, 4, Reason.VIEWS_DISAGREE),
            (70, 40, 5, Reason.VIEWS_DISAGREE),  # but an answer of the declared length is all that one can come to
            (-22, 200, 4, Reason.VIEWS_DISAGREE),  # and two minutes are the most
        ],
    )
    def test_a_starved_server_may_go_on_for_as_long_as_whoever_left_had_waited_for_a_token(
        self, left_s: int, waited_s: int, counted: int, found: Reason
    ) -> None:
        at_ms = (left_s - waited_s) * 1000
        gone = request(at_ms, first_ms=None, end_ms=waited_s * 1000, outcome=Outcome.ABANDONED, output_tokens=0)
        scrapes = [Scrape(99 * S, 1000, None, None, None), Scrape(111 * S, 1000 + counted, None, None, None)]
        declared = replace(self.DECLARED, output_tokens=4)
        assert reason(gather(WINDOW, 111_000, tap(gone), declared=declared, scrapes=scrapes)) is found

    def test_a_user_who_reads_a_long_answer_and_leaves_makes_a_server_no_slower(self) -> None:
        gone = request(30_000, gaps_ms=(1000,) * 40, outcome=Outcome.ABANDONED, end_ms=40_000, output_tokens=41)
        scrapes = [Scrape(99 * S, 1000, None, None, None), Scrape(111 * S, 1004, None, None, None)]
        assert reason(gather(WINDOW, 111_000, tap(gone), declared=self.DECLARED, scrapes=scrapes)) is (
            Reason.VIEWS_DISAGREE
        )

    def test_undeclared_metrics_are_not_missed(self) -> None:
        assert reason(gather(WINDOW, 111_000, tap(*self.USERS))) is Reason.WITHIN_BOUND


def test_abandoned_and_failed_requests_are_not_carried_beyond_their_end() -> None:
    gone = request(95_000, first_ms=None, end_ms=100, outcome=Outcome.ABANDONED)
    lost = request(95_000, first_ms=None, outcome=Outcome.FAILED)
    assert gather(WINDOW, 111_000, tap(gone, lost)).carried == ()


class TestCountersThatAreLate:
    """A server that is slow to answer for its counters delays what is kept; a breach that was seen is said at once."""

    DECLARED = Declared(frozenset({View.TAP, View.METRICS}))
    BEFORE = (Scrape(99 * S, 1000, None, None, None),)

    def judged(self, first_ms: int, asof_ms: int, window: Window = WINDOW) -> Verdict:
        users = tap(request(103_000, first_ms=first_ms, end_ms=first_ms + 100))
        seen = gather(window, asof_ms, users, declared=self.DECLARED, scrapes=self.BEFORE)
        return judge(PROMISE, window, seen).verdict

    def test_a_breach_need_not_wait_for_them(self) -> None:
        assert self.judged(900, 111_000) is Verdict.BREACHED
        assert self.judged(90, 111_000) is Verdict.UNVERIFIABLE

    def test_a_short_window_waits_longer_than_it_lasts(self) -> None:
        short = Window(103_000, 104_000)
        users = tap(request(103_000))
        for asof_ms, found in ((105_900, Reason.NOT_SETTLED), (106_000, Reason.SENSOR_GONE)):
            seen = gather(short, asof_ms, users, declared=self.DECLARED, scrapes=self.BEFORE)
            assert judge(PROMISE, short, seen).reason is found

    def test_what_is_under_way_while_they_are_read_may_be_on_either_side(self) -> None:
        users = tap(request(110_800, end_ms=200, output_tokens=50))
        for took_s, found in ((0.0, Reason.VIEWS_DISAGREE), (1.5, Reason.TOO_FEW_SAMPLES)):
            scrapes = (*self.BEFORE, Scrape(round(110.5 * S), 1050, None, None, None, took_ns=round(took_s * S)))
            seen = gather(WINDOW, 113_000, users, declared=self.DECLARED, scrapes=scrapes)
            assert judge(PROMISE, WINDOW, seen).reason is found

    def test_counters_of_short_windows_are_compared_over_a_longer_span(self) -> None:
        short = Window(103_000, 104_000)
        users = tap(*(request(95_000 + 500 * i, output_tokens=4) for i in range(18)))
        for lie, found in ((1, Verdict.KEPT), (2, Verdict.UNVERIFIABLE)):
            scrapes = [Scrape(90 * S + i * S // 2, 8.0 * i // 2 * lie, None, None, None) for i in range(30)]
            assert (
                judge(PROMISE, short, gather(short, 106_000, users, declared=self.DECLARED, scrapes=scrapes)).verdict
                is found
            )


@pytest.mark.parametrize(
    ("arriving_ms", "asof_ms", "found"),
    [
        (105_000, 111_000, Reason.NOT_SETTLED),  # what arrived in the window is still being sent: it will count there
        (105_000, 114_999, Reason.NOT_SETTLED),
        (105_000, 115_000, Reason.WITHIN_BOUND),  # half a window later its sender has had time enough
        (110_500, 111_000, Reason.WITHIN_BOUND),  # of a later window
        (95_000, 111_000, Reason.WITHIN_BOUND),  # of an earlier one
    ],
)
def test_a_window_waits_for_requests_that_are_still_being_sent_but_not_for_ever(
    arriving_ms: int, asof_ms: int, found: Reason
) -> None:
    reading = tap(request(101_000))
    reading.arriving_ns = [arriving_ms * MS]
    assert reason(gather(WINDOW, asof_ms, reading)) is found


def test_a_window_of_hours_waits_for_ten_seconds_at_most() -> None:
    hours = Window(0, 7_200_000)
    reading = JournalReading(oldest_ns=0, newest_ns=7_300 * S, lived_ns=[(0, 7_300 * S)], arriving_ns=[7_199 * S])
    assert gather(hours, 7_209_999, reading).tap_asof_ms == 7_199_000
    assert gather(hours, 7_210_000, reading).tap_asof_ms == 7_300_000
