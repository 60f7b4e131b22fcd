"""What checking a bundle found: a verdict, and each thing that does not hold by statement and field."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tenure.evidence.entries import Entry
from tenure.quantities import format_instant

FAILURES_MAX = 100


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that does not hold: of which part or statement, which field, and why."""

    where: str
    field: str
    message: str
    index: int | None = None
    statement_id: str | None = None


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A span of a promise on which no verdict was ever stated (RFC 3339). It reads as unverifiable, never as kept."""

    promise: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A statement of an account or a credit that cannot be drawn again, None for all of them, and why."""

    statement_id: str | None
    because: str


@dataclass(slots=True)
class Report:
    """What checking a bundle found. `ok` is the verdict; the rest is for people.

    `complete` says that the user's own checkpoint was given and proved, and that every window which is owed has its
    verdict, up to when the bundle was made. Without the checkpoint, whoever holds the signing key could still have
    written a shorter history anew.
    """

    subject: str = ""
    log: str = ""
    size: int = 0
    statements: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    recomputed: int = 0
    retired: int = 0
    """Verdicts that stand as they were signed: what they stood on was given up when its retention was over."""
    complete: bool = False
    checkpoint: str = ""
    keys: tuple[str, ...] = ()
    unjudged: list[Unjudged] = field(default_factory=list)
    other_judges: Counter[str] = field(default_factory=Counter)
    """Verdicts that this program cannot compute again, by the version of the judge that they name."""
    uncounted: list[Uncounted] = field(default_factory=list)
    """Accounts and credits that this program cannot draw again from their verdicts."""
    created_ms: int | None = None
    """When the bundle says that it was made (Unix ms). Only its maker vouches for that."""
    judged_until_ms: int | None = None
    """Until when every promise that was ever judged has been (Unix ms)."""
    as_of_ms: int | None = None
    """The verifier's time (Unix ms), beside which the first is seen; None when no clock was given."""
    settled: bool = False
    """Whether the contract has ended and nothing more is owed, so that an old bundle is as good as a new one."""
    untimely: str = ""
    """Why this bundle is no answer about its contract as of then; empty when it is one."""
    failures: list[Failure] = field(default_factory=list)
    more_failures: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return not self.failures

    @property
    def verifiable(self) -> bool:
        """Whether no window that is owed lacks a verdict, every verdict was computed again, with what was counted of
        them, and it is no old state."""
        return not self.unjudged and not self.other_judges and not self.uncounted and not self.untimely

    @property
    def failed(self) -> int:
        """How many things do not hold."""
        return len(self.failures) + self.more_failures

    def fail(self, failure: Failure) -> None:
        """Add a failure, up to a bound."""
        if len(self.failures) < FAILURES_MAX:
            self.failures.append(failure)
        else:
            self.more_failures += 1

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON for programs."""
        return {
            "ok": self.ok,
            "subject": self.subject,
            "log": self.log,
            "logSize": self.size,
            "statements": dict(sorted(self.statements.items())),
            "verdicts": dict(sorted(self.verdicts.items())),
            "recomputed": self.recomputed,
            "retired": self.retired,
            "complete": self.complete,
            "unjudged": [{"promise": gap.promise, "start": gap.start, "end": gap.end} for gap in self.unjudged],
            "otherJudges": dict(sorted(self.other_judges.items())),
            "uncounted": [{"statementId": one.statement_id, "because": one.because} for one in self.uncounted],
            "created": _instant(self.created_ms),
            "judgedUntil": _instant(self.judged_until_ms),
            "asOf": _instant(self.as_of_ms),
            "settled": self.settled,
            "untimely": self.untimely or None,
            "keys": list(self.keys),
            "failures": [
                {
                    "where": failure.where,
                    "field": failure.field,
                    "message": failure.message,
                    "index": failure.index,
                    "statementId": failure.statement_id,
                }
                for failure in self.failures
            ],
            "moreFailures": self.more_failures,
        }


def of(entry: Entry, field: str, message: str) -> Failure:
    """A failure of one statement."""
    return Failure(entry.where, field, message, entry.index, entry.id)


def _instant(ms: int | None) -> str | None:
    return None if ms is None else format_instant(ms)
