"""The words of a verdict: what it can be, why, and who bears it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tenure.promises.samples import Window


class Verdict(StrEnum):
    """What is said of a promise in a window, or over its period."""

    KEPT = "Kept"
    BREACHED = "Breached"
    UNVERIFIABLE = "Unverifiable"

    @property
    def severity(self) -> int:
        """A contract's verdict is the worst of its promises'."""
        return (Verdict.KEPT, Verdict.UNVERIFIABLE, Verdict.BREACHED).index(self)


class Fault(StrEnum):
    """Who bears an unverifiable window. The operator's uses the error budget as a breach does."""

    NONE = "None"
    OPERATOR = "Operator"
    USER = "User"


class Reason(StrEnum):
    """Stable codes. Each belongs to one verdict, and each unverifiable one to one party."""

    WITHIN_BOUND = "WithinBound"
    NOT_DEMANDED = "NotDemanded"
    """A rate floor in a window in which that much was never asked for."""

    BOUND_EXCEEDED = "BoundExceeded"
    FLOOR_MISSED = "FloorMissed"
    REQUESTS_FAILED = "RequestsFailed"
    """So many requests failed that the percentile is one of them."""
    READ_BACK_DIFFERS = "ReadBackDiffers"
    """A hard promise that the kernel or the hardware does not confirm."""

    LOAD_ABOVE_DECLARED = "LoadAboveDeclared"
    TOO_FEW_SAMPLES = "TooFewSamples"
    """Nobody asked anything and no probe was owed."""

    NOT_SETTLED = "NotSettled"
    """Answers of this window are still running and could go either way; judged again later."""
    CUT_BY_END = "CutByEnd"
    """The same, and the contract ended first: nothing more will come that could settle it."""
    STALE = "Stale"
    SENSOR_GONE = "SensorGone"
    JOURNAL_DAMAGED = "JournalDamaged"
    PROBER_CUT_OFF = "ProberCutOff"
    VIEWS_DISAGREE = "ViewsDisagree"
    CLOCK_JUMPED = "ClockJumped"
    ASLEEP = "Asleep"
    EVIDENCE_TOO_LARGE = "EvidenceTooLarge"
    """What was seen of the window takes more than the log keeps in one piece."""
    NOT_READ_BACK = "NotReadBack"
    """A hard promise that nobody could check."""


FAULTS: dict[Reason, Fault] = {
    Reason.LOAD_ABOVE_DECLARED: Fault.USER,
    Reason.TOO_FEW_SAMPLES: Fault.USER,
    Reason.NOT_SETTLED: Fault.NONE,
    Reason.CUT_BY_END: Fault.NONE,
    Reason.STALE: Fault.OPERATOR,
    Reason.SENSOR_GONE: Fault.OPERATOR,
    Reason.JOURNAL_DAMAGED: Fault.OPERATOR,
    Reason.PROBER_CUT_OFF: Fault.OPERATOR,
    Reason.VIEWS_DISAGREE: Fault.OPERATOR,
    Reason.CLOCK_JUMPED: Fault.OPERATOR,
    Reason.ASLEEP: Fault.OPERATOR,
    Reason.EVIDENCE_TOO_LARGE: Fault.OPERATOR,
    Reason.NOT_READ_BACK: Fault.OPERATOR,
}
"""Who bears each unverifiable reason."""


@dataclass(frozen=True, slots=True)
class WindowVerdict:
    """The verdict on one promise in one window, with the figures it rests on."""

    promise: str
    window: Window
    verdict: Verdict
    reason: Reason
    detail: str = ""
    observed: float | None = None
    """The percentile (ns) or rate (micro/s) that was seen; None where nothing was."""
    bound: float | None = None
    requests: int = 0

    @property
    def fault(self) -> Fault:
        """Who bears it, where it is unverifiable."""
        return FAULTS.get(self.reason, Fault.NONE) if self.verdict is Verdict.UNVERIFIABLE else Fault.NONE

    @property
    def uses_budget(self) -> bool:
        """Breached windows do, and unverifiable ones through the operator's fault."""
        return self.verdict is Verdict.BREACHED or self.fault is Fault.OPERATOR

    @property
    def settled(self) -> bool:
        """Whether a later look cannot change it for want of time."""
        return self.reason is not Reason.NOT_SETTLED

    def as_record(self) -> dict[str, Any]:
        """Plain JSON for statements and the store; infinite figures become None, the reason says why."""
        finite = {"observed": self.observed, "bound": self.bound}
        return {
            "promise": self.promise,
            "startMs": self.window.start_ms,
            "endMs": self.window.end_ms,
            "verdict": str(self.verdict),
            "reason": str(self.reason),
            "fault": str(self.fault),
            "detail": self.detail,
            "requests": self.requests,
        } | {name: None if value is None or value == float("inf") else round(value) for name, value in finite.items()}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> WindowVerdict:
        """Inverse of `as_record`, up to rounding."""
        return cls(
            record["promise"],
            Window(record["startMs"], record["endMs"]),
            Verdict(record["verdict"]),
            Reason(record["reason"]),
            record["detail"],
            record["observed"],
            record["bound"],
            record["requests"],
        )


def worst(verdicts: list[Verdict]) -> Verdict:
    """The worst of several; without any, nothing is known."""
    return max(verdicts, key=lambda verdict: verdict.severity, default=Verdict.UNVERIFIABLE)
