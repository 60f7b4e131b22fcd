"""Kept is only what was done by its deadline and said so itself; what nobody recorded is never kept by a guess."""

import pytest

from tenure.promises import Verdict, Work, WorkSeen, judge_deadline

BY_MS = 1_000_000
BEFORE, AFTER = BY_MS - 1, BY_MS + 1
KEPT, BREACHED, UNVERIFIABLE = Verdict.KEPT, Verdict.BREACHED, Verdict.UNVERIFIABLE


@pytest.mark.parametrize(
    ("seen", "verdict", "reason"),
    [
        (WorkSeen(Work.COMPLETED, AFTER, BY_MS), KEPT, "DeadlineKept"),
        (WorkSeen(Work.COMPLETED, AFTER + 9, AFTER), BREACHED, "DeadlineMissed"),
        (WorkSeen(Work.RUNNING, AFTER), BREACHED, "DeadlineMissed"),
        (WorkSeen(Work.FAILED, BEFORE, BEFORE), BREACHED, "WorkFailed"),
        (WorkSeen(Work.BROKEN_OFF, BEFORE, BEFORE), BREACHED, "DeadlineMissed"),
        (WorkSeen(Work.COMPLETED, BY_MS), KEPT, "DeadlineKept"),
        (WorkSeen(Work.COMPLETED, AFTER), UNVERIFIABLE, "EndUnknown"),
        (WorkSeen(Work.UNKNOWN, BEFORE), UNVERIFIABLE, "EndUnknown"),
        (WorkSeen(Work.UNKNOWN, AFTER), UNVERIFIABLE, "EndUnknown"),
        (WorkSeen(Work.WITHDRAWN, BEFORE), UNVERIFIABLE, "CutByEnd"),
        (WorkSeen(Work.WITHDRAWN, AFTER), BREACHED, "DeadlineMissed"),
    ],
)
def test_the_end_of_the_work_is_compared_with_its_deadline(seen: WorkSeen, verdict: Verdict, reason: str) -> None:
    found = judge_deadline(BY_MS, seen)
    assert found is not None
    assert (found.verdict, str(found.reason)) == (verdict, reason)
    assert WorkSeen.from_record(seen.as_record()) == seen, "a stranger reads what was seen"


@pytest.mark.parametrize("seen_ms", [BEFORE, BY_MS])
def test_while_it_runs_before_its_deadline_nothing_is_said(seen_ms: int) -> None:
    assert judge_deadline(BY_MS, WorkSeen(Work.RUNNING, seen_ms)) is None


def test_what_its_user_ended_first_counts_for_nobody_and_all_else_counts() -> None:
    cut = judge_deadline(BY_MS, WorkSeen(Work.WITHDRAWN, BEFORE))
    missed = judge_deadline(BY_MS, WorkSeen(Work.RUNNING, AFTER))
    assert cut is not None
    assert missed is not None
    assert (cut.counts, missed.counts) == (False, True)
