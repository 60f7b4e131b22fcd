"""One line of the table: the verdicts on the windows of one kind of fault, against the truth."""

from __future__ import annotations

from dataclasses import dataclass, field

from tenure.promises import Reason, Verdict, WindowVerdict

_EXAMPLES_MAX = 5


@dataclass
class Row:
    """Counts of windows."""

    kind: str
    windows: int = 0
    kept: int = 0
    breached: int = 0
    unverifiable: int = 0
    truly_bad: int = 0
    false_kept: int = 0
    unprobed: int = 0
    """Kept wrongly although a sensor lied, before a probe came that could show it: the price of the prober's budget."""
    false_breached: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    """A few details of each reason, to see what is behind it."""
    detected_after_windows: list[int] = field(default_factory=list)
    """For each episode of bad service: windows from the first that was spoilt to the first verdict other than kept."""
    remedy_due_after_windows: list[int] = field(default_factory=list)
    """For each that lasted long enough: windows from the same until the burn rates call for a remedy."""

    def add(
        self, verdict: WindowVerdict, *, bad: bool, fine: bool, unprobed: bool = False, truth: object = None
    ) -> None:
        """Count one verdict. `bad`: users saw a breach beyond the measurement error; `fine`: they clearly saw none."""
        self.windows += 1
        self.truly_bad += bad
        self.kept += verdict.verdict is Verdict.KEPT
        self.breached += verdict.verdict is Verdict.BREACHED
        self.unverifiable += verdict.verdict is Verdict.UNVERIFIABLE
        if bad and verdict.verdict is Verdict.KEPT:
            self.unprobed += unprobed
            self.false_kept += not unprobed
            self.examples.setdefault("FALSE KEPT", []).append(f"{verdict.promise} {verdict.observed} {truth}")
        # A window without users is judged by its probes, of which the users' truth says nothing.
        if fine and verdict.verdict is Verdict.BREACHED and "probes" not in verdict.detail:
            self.false_breached += 1
        if verdict.reason is not Reason.WITHIN_BOUND:
            self.reasons[verdict.reason] = self.reasons.get(verdict.reason, 0) + 1
            details = self.examples.setdefault(verdict.reason, [])
            if len(details) < _EXAMPLES_MAX:
                details.append(verdict.detail)
