"""Budgets are exact, burn rates start remedies, credit follows the schedule."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from tenure.promises import (
    Assurance,
    CreditStep,
    ReadBack,
    Reason,
    Verdict,
    Window,
    WindowVerdict,
    account,
    budget_of,
    credit_micro,
    hard_verdict,
    judge_read_back,
    ready,
    worst,
)

REASONS = {
    "k": (Verdict.KEPT, Reason.WITHIN_BOUND),
    "b": (Verdict.BREACHED, Reason.BOUND_EXCEEDED),
    "o": (Verdict.UNVERIFIABLE, Reason.SENSOR_GONE),
    "u": (Verdict.UNVERIFIABLE, Reason.LOAD_ABOVE_DECLARED),
    "n": (Verdict.UNVERIFIABLE, Reason.NOT_SETTLED),
}
ASSURANCE = Assurance(window_ms=1000, share=0.9, confidence=0.9)


def history(letters: Iterable[str]) -> list[WindowVerdict]:
    """k kept, b breached, o unverifiable by the operator, u by the user, n not settled; a window of one second each."""
    return [
        WindowVerdict("ttft", Window(at * 1000, at * 1000 + 1000), *REASONS[letter])
        for at, letter in enumerate(letters)
    ]


def test_the_budget_is_exact() -> None:
    assert budget_of(100, 0.9) == 10
    assert budget_of(43_200, 0.95) == 2160
    assert budget_of(9, 0.9) == 0


def test_a_promise_is_breached_once_its_budget_is_used_up_and_not_before() -> None:
    at_the_edge = account(history("k" * 40 + "b" * 10 + "k"), ASSURANCE, term_ms=100_000)
    assert (at_the_edge.verdict, at_the_edge.budget_left) == (Verdict.KEPT, 0)
    beyond = account(history("k" * 40 + "b" * 11 + "k"), ASSURANCE, term_ms=100_000)
    assert (beyond.verdict, beyond.budget_left) == (Verdict.BREACHED, -1)


def test_the_operators_blindness_uses_the_budget_and_the_users_excess_does_not() -> None:
    assert account(history("kkko"), ASSURANCE, 100_000).used == 1
    busy = account(history("kkku" + "k"), ASSURANCE, 100_000)
    assert (busy.used, busy.not_owed, busy.attainment, busy.owed_in_period) == (0, 1, 1.0, 99)


def test_broken_windows_and_windows_that_nobody_saw_are_counted_apart() -> None:
    found = account(history("kkbou"), ASSURANCE, 100_000)
    assert (found.kept, found.breached, found.unverifiable) == (2, 1, 2)
    assert (found.used, found.not_owed) == (2, 1), "the operator's blindness uses the budget, as a breach does"


def test_the_newest_window_decides_between_kept_and_unverifiable() -> None:
    assert account(history("kkku"), ASSURANCE, 100_000).verdict is Verdict.UNVERIFIABLE
    assert account(history("kkkuk"), ASSURANCE, 100_000).verdict is Verdict.KEPT
    assert account([], ASSURANCE, 100_000).verdict is Verdict.UNVERIFIABLE


def test_windows_still_open_count_for_nothing_yet() -> None:
    assert account(history("kkn"), ASSURANCE, 100_000).windows == 2


def test_the_period_rolls() -> None:
    long_ago = account(history("b" * 20 + "k" * 100), ASSURANCE, term_ms=100_000)
    assert (long_ago.used, long_ago.verdict) == (0, Verdict.KEPT)


def test_burn_starts_a_remedy_at_the_first_breach_of_a_tight_promise() -> None:
    tight, modest = Assurance(1000, 0.95, 0.9), Assurance(1000, 0.8, 0.8)
    assert account(history("kkkkkkkb"), tight, None).remedy_due
    assert not account(history("kkkkkkkb"), modest, None).remedy_due
    assert account(history("kkkkkkbb"), modest, None).remedy_due


def test_a_breach_that_is_over_starts_nothing() -> None:
    assert not account(history("bbkkkk"), ASSURANCE, None).remedy_due


@given(st.text("kbou", max_size=60), st.integers(1, 200))
def test_the_parts_make_the_whole(letters: str, term_windows: int) -> None:
    found = account(history(letters), ASSURANCE, term_windows * 1000)
    assert found.kept + found.used == found.owed
    assert found.owed + found.not_owed == found.windows <= term_windows
    assert (found.verdict is Verdict.BREACHED) == (found.budget_left < 0)


@given(st.text("kbou", min_size=1, max_size=60), st.data())
def test_turning_a_breach_into_kept_never_hurts(letters: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(letters) - 1))
    better = letters[:at] + "k" + letters[at + 1 :]
    before, after = account(history(letters), ASSURANCE, 60_000), account(history(better), ASSURANCE, 60_000)
    assert after.verdict.severity <= before.verdict.severity or letters[at] == "u"


def test_ready_needs_a_kept_window_no_older_than_a_window() -> None:
    assert ready(history("kk"), now_ms=3000, window_ms=1000)
    assert not ready(history("kk"), now_ms=3001, window_ms=1000)
    assert not ready(history("ku"), now_ms=2000, window_ms=1000)
    assert ready(history("kkn"), now_ms=2900, window_ms=1000)
    assert not ready([], now_ms=0, window_ms=1000)


def test_credit_follows_the_schedule_and_only_a_breach() -> None:
    steps = (CreditStep(1.0, 0.1), CreditStep(0.9, 0.5))
    kept = account(history("k" * 90 + "b" * 10), ASSURANCE, 100_000)
    little = account(history("k" * 89 + "b" * 11), ASSURANCE, 100_000)
    much = account(history("k" * 70 + "b" * 30), ASSURANCE, 100_000)
    assert [credit_micro(a, ASSURANCE, 1_000_001, steps) for a in (kept, little, much)] == [0, 100_001, 500_001]


def test_hard_promises_have_no_budget() -> None:
    window = Window(0, 1000)
    right = judge_read_back(window, ReadBack("cores", "1", "1", True))
    wrong = judge_read_back(window, ReadBack("cores", "1", "0-1", False))
    blind = judge_read_back(window, ReadBack("cores", "1", None, False, "no such process"))
    assert [right.verdict, wrong.verdict, blind.verdict] == [Verdict.KEPT, Verdict.BREACHED, Verdict.UNVERIFIABLE]
    assert hard_verdict([right, wrong, right]) is Verdict.BREACHED
    assert hard_verdict([right, blind]) is Verdict.UNVERIFIABLE
    assert hard_verdict([]) is Verdict.UNVERIFIABLE


def test_the_worst_promise_speaks_for_the_contract() -> None:
    assert worst([Verdict.KEPT, Verdict.UNVERIFIABLE, Verdict.BREACHED]) is Verdict.BREACHED
    assert worst([Verdict.KEPT, Verdict.UNVERIFIABLE]) is Verdict.UNVERIFIABLE
    assert worst([]) is Verdict.UNVERIFIABLE
