"""Was it done by its deadline? The verdict on a promised completion: two instants compared, nothing forecast."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tenure.promises.verdicts import Verdict
from tenure.quantities import format_instant, parse_instant

COMPLETION = "completion"
"""How the promise is named beside those over windows."""


class Work(StrEnum):
    """How the work stood when its supervisor was asked."""

    RUNNING = "Running"
    COMPLETED = "Completed"
    """It ended by itself and said that it had succeeded."""
    FAILED = "Failed"
    """It ended by itself, said that it had failed, and is not started again."""
    BROKEN_OFF = "BrokenOff"
    """Its contract ended before it did: by its term, or through whoever provides it."""
    UNKNOWN = "Unknown"
    """It is over, and nobody was there to see how it ended."""
    WITHDRAWN = "Withdrawn"
    """Its user ended the contract, or took new terms in its place."""


class DeadlineReason(StrEnum):
    """Why a deadline is judged as it is."""

    KEPT = "DeadlineKept"
    MISSED = "DeadlineMissed"
    WORK_FAILED = "WorkFailed"
    END_UNKNOWN = "EndUnknown"
    CUT_BY_END = "CutByEnd"


@dataclass(frozen=True, slots=True)
class WorkSeen:
    """What the supervisor recorded of the work, and when it was asked (Unix ms). `ended_ms` is None where nobody wrote
    down when it ended."""

    how: Work
    seen_ms: int
    ended_ms: int | None = None

    def as_record(self) -> dict[str, Any]:
        """As it is stated."""
        ended = None if self.ended_ms is None else format_instant(self.ended_ms)
        return {"work": str(self.how), "seen": format_instant(self.seen_ms), "ended": ended}

    @staticmethod
    def from_record(record: Any) -> WorkSeen:
        """The inverse. Raises ValueError or KeyError for what is no such record."""
        ended = record["ended"]
        return WorkSeen(
            Work(record["work"]),
            parse_instant(str(record["seen"])),
            None if ended is None else parse_instant(str(ended)),
        )


@dataclass(frozen=True, slots=True)
class DeadlineVerdict:
    """What is said of a promised completion, once and for all."""

    verdict: Verdict
    reason: DeadlineReason

    @property
    def counts(self) -> bool:
        """Whether it speaks for the contract: not where its user ended it first."""
        return self.reason is not DeadlineReason.CUT_BY_END


def judge_deadline(by_ms: int, seen: WorkSeen) -> DeadlineVerdict | None:
    """The verdict on work that was promised to be done by `by_ms` (Unix ms); None while it can go either way.

    Only the work's own success in time is kept. Work that failed for good, or that its contract left undone, will not
    be done by then, whatever time is left.
    """
    if seen.how is Work.COMPLETED:
        return _judge_completed(by_ms, seen)
    if seen.how is Work.UNKNOWN:
        return DeadlineVerdict(Verdict.UNVERIFIABLE, DeadlineReason.END_UNKNOWN)
    if seen.how is Work.FAILED:
        return DeadlineVerdict(Verdict.BREACHED, DeadlineReason.WORK_FAILED)
    if seen.how is Work.BROKEN_OFF or seen.seen_ms > by_ms:
        return DeadlineVerdict(Verdict.BREACHED, DeadlineReason.MISSED)
    if seen.how is Work.WITHDRAWN:
        return DeadlineVerdict(Verdict.UNVERIFIABLE, DeadlineReason.CUT_BY_END)
    return None


def _judge_completed(by_ms: int, seen: WorkSeen) -> DeadlineVerdict:
    # Where nobody recorded the end, it lies before it was seen; that may be in time, and may not.
    latest_ms = seen.seen_ms if seen.ended_ms is None else seen.ended_ms
    if latest_ms <= by_ms:
        return DeadlineVerdict(Verdict.KEPT, DeadlineReason.KEPT)
    if seen.ended_ms is None:
        return DeadlineVerdict(Verdict.UNVERIFIABLE, DeadlineReason.END_UNKNOWN)
    return DeadlineVerdict(Verdict.BREACHED, DeadlineReason.MISSED)
