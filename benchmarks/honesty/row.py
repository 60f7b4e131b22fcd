"""One line of the table: the verdicts on the windows of one kind of fault, against the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tenure.promises import Reason, Verdict, WindowVerdict

_EXAMPLES_MAX = 5
FALSE_KEPT, UNPROBED, FALSE_BREACHED = "FALSE KEPT", "UNPROBED", "FALSE BREACHED"
"""Under these names a row keeps the details of each window that was judged wrongly: what was judged, what users saw,
and of a false breach what explains it."""
UNEXPLAINED = "nothing explains it"
_PROBED_WITH = 0.999
"""Probes come at random instants, so no interval is the longest; this share of them is shorter than the bound."""


def unprobed_windows_max(probes_per_s: float, window_ms: int) -> int:
    """How many windows of a lie may be over before its first probe: one interval, and the window in which it began."""
    interval_s = -math.log(1 - _PROBED_WITH) / probes_per_s
    return math.ceil(interval_s * 1000 / window_ms) + 1


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
    unprobed: list[int] = field(default_factory=list)
    """Kept wrongly because a tap lied and no probe had met the lie yet: which window of its lie each of them was. Later
    ones are false kept. This is the price of the prober's budget, and it has a bound."""
    unprobed_windows_max: int = 0
    """That bound."""
    false_breached: int = 0
    unexplained_breached: int = 0
    """Of these, those for which the benchmark knows no explanation."""
    reasons: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    """A few details of each reason, to see what is behind it."""
    detected_after_ms: list[int] = field(default_factory=list)
    """For each episode of bad service that was noticed: from the end of the first window that it spoilt to the look at
    which the first verdict other than kept had settled."""
    detected_after_windows: list[int] = field(default_factory=list)
    """The same in whole windows."""
    undetected: int = 0
    """Episodes that spoilt a window and of which no verdict told, or none that had settled at the last look."""
    remedy_due_after_windows: list[int] = field(default_factory=list)
    """For each that lasted long enough: whole windows from the same until the burn rates call for a remedy."""

    @property
    def honest(self) -> bool:
        """Nothing was kept wrongly, but for windows of a lie that no probe could have shown yet."""
        return not self.false_kept and max(self.unprobed, default=0) <= self.unprobed_windows_max

    def add(
        self,
        verdict: WindowVerdict,
        *,
        bad: bool,
        fine: bool,
        unprobed: int = 0,
        explained: str = "",
        truth: object = None,
    ) -> None:
        """Count one verdict. `bad`: users saw a breach beyond the measurement error; `fine`: they clearly saw none;
        `unprobed`: the how-manieth window this is of a lie that no probe has met yet, 0 where there is none;
        `explained`: why a breach that those users did not see may be one nevertheless, where something tells."""
        self.windows += 1
        self.truly_bad += bad
        self.kept += verdict.verdict is Verdict.KEPT
        self.breached += verdict.verdict is Verdict.BREACHED
        self.unverifiable += verdict.verdict is Verdict.UNVERIFIABLE
        if bad and verdict.verdict is Verdict.KEPT:
            if unprobed:
                self.unprobed.append(unprobed)
            self.false_kept += not unprobed
            name = UNPROBED if unprobed else FALSE_KEPT
            self.examples.setdefault(name, []).append(f"{verdict.promise} {verdict.observed} {truth}")
        # A window without users is judged by its probes, of which the users' truth says nothing.
        if fine and verdict.verdict is Verdict.BREACHED and "probes" not in verdict.detail:
            self.false_breached += 1
            self.unexplained_breached += not explained
            said = f"{verdict.promise} {verdict.reason}, {verdict.detail}, observed {verdict.observed}; users: {truth}"
            self.examples.setdefault(FALSE_BREACHED, []).append(f"{explained or UNEXPLAINED}: {said}")
        if verdict.reason is not Reason.WITHIN_BOUND:
            self.reasons[verdict.reason] = self.reasons.get(verdict.reason, 0) + 1
            details = self.examples.setdefault(verdict.reason, [])
            if len(details) < _EXAMPLES_MAX:
                details.append(verdict.detail)
