"""From windows to a period: attainment, error budget, burn rates, verdict, credit.

The period is the term of the contract or 30 days rolling, whichever is shorter. Its windows that are not owed (too much
load, nobody asked) are left out on both sides: they neither use the budget nor enlarge it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tenure.promises.objectives import Assurance
from tenure.promises.verdicts import Fault, Reason, Verdict, WindowVerdict

PERIOD_MS_MAX = 30 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class BurnPolicy:
    """When a remedy begins: the budget burns fast now (short) and has done so for a while (long).

    A burn rate of 1 uses up the budget exactly at the end of the period (Beyer et al., "The Site Reliability Workbook",
    chapter 5). Counted in windows, so that it means the same for windows of a second and of an hour.
    """

    short_windows: int = 2
    long_windows: int = 8
    short_rate: float = 2.0
    long_rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Account:
    """The state of a promise over its period."""

    verdict: Verdict
    windows: int
    """Windows of the period judged so far, not counting those still open."""
    owed: int
    kept: int
    used: int
    """Windows that used the budget: breached, or unverifiable through the operator's fault."""
    breached: int
    """Windows that were broken; the others that used the budget were not seen."""
    not_owed: int
    owed_in_period: int
    """Windows of the whole period, those to come included, without those not owed."""
    budget: int
    """How many windows of the whole period may fail."""
    attainment: float | None
    """Kept among the windows that were owed; None before the first."""
    burn_short: float
    burn_long: float
    remedy_due: bool

    @property
    def budget_left(self) -> int:
        """Windows that may still fail; below zero when the promise is breached."""
        return self.budget - self.used

    @property
    def unverifiable(self) -> int:
        """Windows of which nobody can say, whoever's fault that is."""
        return self.windows - self.kept - self.breached


def budget_of(windows_in_period: int, share: float) -> int:
    """How many windows of a period may fail when `share` of them is promised: the floor of the rest, exactly."""
    return math.floor(windows_in_period * (1 - Fraction(str(share))))


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over the settled windows of a period: all that its account needs of the older ones."""

    windows: int
    owed: int
    used: int
    breached: int


def period_ms_of(term_ms: int | None) -> int:
    """Length of the accounting period of a contract; a term of None has no end."""
    return min(term_ms or PERIOD_MS_MAX, PERIOD_MS_MAX)


def owed(verdict: WindowVerdict) -> bool:
    """Whether a window counts at all: not one that is unverifiable through its user, or still open."""
    return verdict.settled and (verdict.verdict is not Verdict.UNVERIFIABLE or verdict.fault is Fault.OPERATOR)


def tally(verdicts: Sequence[WindowVerdict], since_ms: int = 0) -> Tally:
    """Count the settled windows that began at or after an instant."""
    settled = [v for v in verdicts if v.settled and v.window.start_ms >= since_ms]
    return Tally(
        windows=len(settled),
        owed=sum(owed(v) for v in settled),
        used=sum(v.uses_budget for v in settled),
        breached=sum(v.verdict is Verdict.BREACHED for v in settled),
    )


def account(
    verdicts: Sequence[WindowVerdict],
    assurance: Assurance,
    term_ms: int | None,
    burn: BurnPolicy | None = None,
) -> Account:
    """Account of one promise. `verdicts` in order of time, one a window, over the whole contract so far.

    `term_ms` is the length of the contract, None where it has no end. Windows older than the period do not count.
    """
    settled = [verdict for verdict in verdicts if verdict.settled]
    since_ms = settled[-1].window.end_ms - period_ms_of(term_ms) if settled else 0
    return account_of(tally(settled, since_ms), settled, assurance, term_ms, burn)


def account_of(
    counts: Tally,
    newest: Sequence[WindowVerdict],
    assurance: Assurance,
    term_ms: int | None,
    burn: BurnPolicy | None = None,
) -> Account:
    """The same from the counts of the period and its newest windows in order of time, at least those that the burn
    policy looks back on. For periods of many thousand windows, whose counts a store can make."""
    burn = burn or BurnPolicy()
    settled = [verdict for verdict in newest if verdict.settled]
    not_owed = counts.windows - counts.owed
    owed_in_period = max(counts.owed, period_ms_of(term_ms) // assurance.window_ms - not_owed)
    budget = budget_of(owed_in_period, assurance.share)
    recent = [verdict for verdict in settled if owed(verdict)]
    short, long = _burn(recent, burn.short_windows, assurance), _burn(recent, burn.long_windows, assurance)
    # A window that the end cut off tells nothing of the promise, not even that nobody looked.
    newest_that_tells = next((v for v in reversed(settled) if v.reason is not Reason.CUT_BY_END), None)
    verdict = Verdict.KEPT
    if counts.used > budget:
        verdict = Verdict.BREACHED
    elif newest_that_tells is None or newest_that_tells.verdict is Verdict.UNVERIFIABLE:
        verdict = Verdict.UNVERIFIABLE
    return Account(
        verdict=verdict,
        windows=counts.windows,
        owed=counts.owed,
        kept=counts.owed - counts.used,
        used=counts.used,
        breached=counts.breached,
        not_owed=not_owed,
        owed_in_period=owed_in_period,
        budget=budget,
        attainment=(counts.owed - counts.used) / counts.owed if counts.owed else None,
        burn_short=short,
        burn_long=long,
        remedy_due=short >= min(burn.short_rate, _most(assurance)) and long >= burn.long_rate,
    )


def _most(assurance: Assurance) -> float:
    """The burn rate when every window fails: with a modest share even that is a small number."""
    return 1 / (1 - assurance.share)


def _burn(recent: Sequence[WindowVerdict], windows: int, assurance: Assurance) -> float:
    """Share of the newest windows that used the budget, over the share that may."""
    newest = recent[-windows:]
    if not newest:
        return 0.0
    return sum(v.uses_budget for v in newest) / windows / (1 - assurance.share)


def ready(
    verdicts: Sequence[WindowVerdict], now_ms: int, window_ms: int, *, settling_ms: int = 0, heard_ms: int | None = None
) -> bool:
    """Whether `Ready` may be shown: the newest settled window was kept, no later one is overdue, and the youngest
    evidence is no older than a window.

    A window is over `settling_ms` before it can be judged at the latest. Until then what was written since the newest
    judged one is the youngest evidence: `heard_ms` is the newest sign of life of whoever writes it down.
    """
    evidence_ms = evidence_until_ms(verdicts, heard_ms)
    settled = [verdict for verdict in verdicts if verdict.settled]
    if evidence_ms is None or settled[-1].verdict is not Verdict.KEPT:
        return False
    return now_ms - settled[-1].window.end_ms <= window_ms + settling_ms and now_ms - evidence_ms <= window_ms


def evidence_until_ms(verdicts: Sequence[WindowVerdict], heard_ms: int | None = None) -> int | None:
    """The instant up to which there is evidence: the end of the newest settled window, or what was heard since."""
    settled = [verdict for verdict in verdicts if verdict.settled]
    return max(settled[-1].window.end_ms, heard_ms or 0) if settled else None


@dataclass(frozen=True, slots=True)
class CreditStep:
    """Below this attainment (a share of the owed windows), this share of the price comes back."""

    below: float
    share: float


DEFAULT_CREDIT = (CreditStep(1.0, 0.10), CreditStep(0.95, 0.25), CreditStep(0.80, 1.0))
"""Relative to the promised share: any shortfall a tenth, under 95 % of it a quarter, under 80 % all."""


def credit_share(account_: Account, assurance: Assurance, schedule: Sequence[CreditStep] = DEFAULT_CREDIT) -> Fraction:
    """Which share of the period's price comes back: that of the largest step reached, from 0 to 1.

    Nothing is owed while the promise is not breached. Steps compare attainment over the *whole* period's owed windows,
    windows to come counted as kept, with the promised share.
    """
    if account_.verdict is not Verdict.BREACHED:
        return Fraction(0)
    attained = 1 - Fraction(account_.used, account_.owed_in_period)
    relative = attained / Fraction(str(assurance.share))
    steps = [step for step in schedule if relative < Fraction(str(step.below))]
    return max((Fraction(str(step.share)) for step in steps), default=Fraction(0))


def credit_micro(
    account_: Account, assurance: Assurance, price_micro: int, schedule: Sequence[CreditStep] = DEFAULT_CREDIT
) -> int:
    """The same in micro-units of the currency for the price of the period, rounded up."""
    return math.ceil(credit_share(account_, assurance, schedule) * price_micro)
