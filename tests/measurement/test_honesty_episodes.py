"""How soon a fault was noticed counts to when somebody knew it: the look at which the verdict had settled."""

from __future__ import annotations

from benchmarks.honesty.episodes import Said, note_episode
from benchmarks.honesty.row import Row

from tenure.promises import Assurance, Reason, Verdict, Window, WindowVerdict

LENGTH_MS = 4000
ASSURANCE = Assurance(LENGTH_MS, 0.9, 0.9)
STARTS = [0, 4000, 8000, 12_000]


def said(start_ms: int, verdict: Verdict, at_ms: int | None) -> Said:
    """A verdict on the window that begins then, settled at that instant or never."""
    reason = {
        Verdict.KEPT: Reason.WITHIN_BOUND,
        Verdict.BREACHED: Reason.BOUND_EXCEEDED,
        Verdict.UNVERIFIABLE: Reason.NOT_SETTLED if at_ms is None else Reason.STALE,
    }[verdict]
    return Said(WindowVerdict("p", Window(start_ms, start_ms + LENGTH_MS), verdict, reason), at_ms)


def noted(*verdicts: Said) -> Row:
    """The row of one fault that spoilt all windows but the first."""
    row = Row("interference")
    by_start = {one.verdict.window.start_ms: one for one in verdicts}
    note_episode(row, sorted(by_start), by_start, lambda start_ms: start_ms >= LENGTH_MS, ASSURANCE)
    return row


def test_a_breach_that_is_seen_at_the_first_look_took_that_long() -> None:
    row = noted(said(0, Verdict.KEPT, 4200), said(4000, Verdict.BREACHED, 8200))
    assert (row.detected_after_ms, row.detected_after_windows, row.undetected) == ([200], [0], 0)


def test_one_that_took_several_looks_took_until_the_last_of_them() -> None:
    row = noted(said(0, Verdict.KEPT, 4200), said(4000, Verdict.BREACHED, 20_200))
    assert (row.detected_after_ms, row.detected_after_windows) == ([12_200], [3])


def test_a_later_window_may_tell_of_it_sooner() -> None:
    row = noted(
        said(0, Verdict.KEPT, 4200), said(4000, Verdict.BREACHED, 20_200), said(8000, Verdict.UNVERIFIABLE, 12_200)
    )
    assert row.detected_after_ms == [4200]


def test_what_had_not_settled_at_the_last_look_told_nobody() -> None:
    row = noted(said(0, Verdict.KEPT, 4200), said(4000, Verdict.UNVERIFIABLE, None))
    assert (row.detected_after_ms, row.undetected) == ([], 1)


def test_windows_that_were_all_kept_told_nobody() -> None:
    row = noted(said(0, Verdict.KEPT, 4200), said(4000, Verdict.KEPT, 8200))
    assert (row.detected_after_ms, row.undetected) == ([], 1)


def test_a_fault_that_spoilt_no_window_is_no_episode() -> None:
    row = noted(said(0, Verdict.BREACHED, 4200))
    assert (row.detected_after_ms, row.undetected) == ([], 0)


def test_a_remedy_is_called_for_by_what_had_settled_by_then() -> None:
    at_once = noted(*[said(start, Verdict.BREACHED, start + 4200) for start in STARTS])
    late = noted(*[said(start, Verdict.BREACHED, start + 12_200) for start in STARTS])
    assert at_once.remedy_due_after_windows == [one - 2 for one in late.remedy_due_after_windows] != []
