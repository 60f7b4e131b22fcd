"""A share of windows beside what was stated, and how much these counts can say of it.

Windows of one trial stand or fall together: one bound judges them all, and at a confidence of 0.75 one bound in four
may be too optimistic. An interval that took them for independent looks would call the luck of one trial a lie, so the
spread between trials says how many independent windows they are worth: Kish's effective sample size, with which Clopper
and Pearson's interval is drawn (J. N. K. Rao and A. J. Scott, "A simple method for the analysis of clustered binary
data", Biometrics 48, 1992). One trial alone has no spread: it is shown with a plain interval, and contradicts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tenure.promises import binomial_interval

INTERVAL = 0.9
TRIALS_LEAST = 2
"""With fewer, nothing tells the luck of a trial from what all of them share."""
BAR_CELLS = 30


@dataclass(frozen=True, slots=True)
class Count:
    """Windows of one promise that lay within its bound, of those in which there was something to judge."""

    promise: str
    bound_ms: float
    within: int
    windows: int


@dataclass(frozen=True, slots=True)
class Share:
    """A share of windows (or bounds) beside what was stated: its interval says what these counts can tell."""

    within: int
    windows: int
    stated: float
    trials: int
    independent: float
    """How many independent windows they are worth; at most `windows`."""
    low: float
    high: float

    @property
    def contradicted(self) -> bool:
        """Whether the whole interval lies below what was stated, and more than one trial's luck says so."""
        return self.windows > 0 and self.trials >= TRIALS_LEAST and self.high < self.stated

    @property
    def words(self) -> str:
        """What follows from the interval."""
        if self.windows == 0:
            return "nothing was seen"
        if self.contradicted:
            return "[red]below what was stated[/]"
        if self.high < self.stated:
            return "[yellow]below, in one trial alone[/]"
        return "[green]above what was stated[/]" if self.low >= self.stated else "[green]as stated[/]"

    @property
    def text(self) -> str:
        """Share and interval."""
        if self.windows == 0:
            return "–"
        return f"{self.within / self.windows:.0%}  [{self.low:.0%}, {self.high:.0%}]"


def share_of(by_trial: Mapping[int, Sequence[Count]], stated: float) -> Share:
    """The pooled windows of several trials, with an interval that knows that they come in trials."""
    clusters = [(sum(c.within for c in counts), sum(c.windows for c in counts)) for counts in by_trial.values()]
    clusters = [(within, windows) for within, windows in clusters if windows]
    within, windows = sum(w for w, _ in clusters), sum(n for _, n in clusters)
    independent = windows / design_effect(clusters) if windows else 0.0
    worth = max(1, round(independent)) if windows else 0
    low, high = binomial_interval(round(within / windows * worth) if windows else 0, worth, INTERVAL)
    return Share(within, windows, stated, len(clusters), independent, low, high)


def design_effect(clusters: Sequence[tuple[int, int]]) -> float:
    """How many times the variance of the pooled share exceeds that of independent windows; at least 1.

    `clusters`: within the bound, and judged, for each trial. 1 where a share of none or all leaves nothing to compare.
    """
    within, windows = sum(w for w, _ in clusters), sum(n for _, n in clusters)
    if len(clusters) < TRIALS_LEAST or within in (0, windows):
        return 1.0
    share, count = within / windows, len(clusters)
    between = count / (count - 1) * sum((w - share * n) ** 2 for w, n in clusters) / windows**2
    return max(1.0, between / (share * (1 - share) / windows))


def bounds_held(by_bound: Mapping[tuple[int, object], Sequence[Count]], stated: float, confidence: float) -> Share:
    """Of all bounds (keyed by trial and what they bound), how many kept their share over the windows seen of them.

    What is stated of bounds is the confidence. A bound of which few windows were seen may miss its share by chance
    alone, so this is the stricter look of the two.
    """
    held: dict[int, list[Count]] = {}
    for (trial, _), counts in by_bound.items():
        within, windows = sum(c.within for c in counts), sum(c.windows for c in counts)
        if windows:
            held.setdefault(trial, []).append(Count("bound", 0.0, int(within >= stated * windows), 1))
    return share_of(held, confidence)


def bar(share: Share) -> str:
    """The share as a dot, its interval as a line, what was stated as a mark, between 0 and 1."""
    if not share.windows:
        return ""

    def cell(value: float) -> int:
        return min(BAR_CELLS - 1, int(value * BAR_CELLS))

    cells = ["·"] * BAR_CELLS
    for at in range(cell(share.low), cell(share.high) + 1):
        cells[at] = "─"
    cells[cell(share.within / share.windows)] = "●"
    if cells[cell(share.stated)] != "●":
        cells[cell(share.stated)] = "┃"
    return "".join(cells)
