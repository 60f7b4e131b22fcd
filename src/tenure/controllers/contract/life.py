"""A contract's life as its statements up to one of them tell it: what accounts and credit are drawn from. Pure."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tenure.controllers.contract.credit import credit_of
from tenure.controllers.contract.deadline import completion_of_statements
from tenure.controllers.contract.hard import hard_of_statements, overall
from tenure.controllers.contract.judging import RECENT_PER_PROMISE
from tenure.controllers.contract.stating import verdict_of
from tenure.evidence import Statement
from tenure.promises import (
    JUDGED_ALIKE,
    Account,
    Promise,
    Tally,
    WindowVerdict,
    account_of,
    period_ms_of,
    tally,
)
from tenure.quantities import parse_instant
from tenure.resources.kinds.allocation import Price
from tenure.resources.kinds.standing import Credit

Accounts = Sequence[tuple[Promise, Account]]
_NONE = Tally(windows=0, owed=0, used=0, breached=0)


class Windows:
    """One promise's verdicts, each window once, counted from any instant on without looking at each again."""

    def __init__(self) -> None:
        self._verdicts: dict[int, WindowVerdict] = {}
        self._starts: list[int] = []
        self._newest: list[WindowVerdict] = []
        self._from: list[Tally] = [_NONE]
        """The counts from each window on, in order of time, and of none."""

    def note(self, verdict: WindowVerdict) -> None:
        """Take a verdict; what was said of a window first stands."""
        self._verdicts.setdefault(verdict.window.start_ms, verdict)

    @property
    def starts(self) -> list[int]:
        """When the windows began, in order."""
        if len(self._starts) != len(self._verdicts):
            self._count()
        return self._starts

    def account(self, promise: Promise, since_ms: int, term_ms: int) -> Account:
        """The account as the judge draws it: of the windows since an instant, and by its newest few."""
        place = bisect_left(self.starts, since_ms)
        return account_of(self._from[place], self._newest, promise.assurance, term_ms)

    def _count(self) -> None:
        self._starts = sorted(self._verdicts)
        judged = [self._verdicts[start_ms] for start_ms in self._starts]
        self._newest = judged[-RECENT_PER_PROMISE:]
        sums = [_NONE]
        for verdict in reversed(judged):
            one, rest = tally([verdict]), sums[-1]
            sums.append(
                Tally(
                    windows=rest.windows + one.windows,
                    owed=rest.owed + one.owed,
                    used=rest.used + one.used,
                    breached=rest.breached + one.breached,
                )
            )
        self._from = sums[::-1]


class Life:
    """A contract's terms, and its statements up to one of them."""

    def __init__(self, terms: Mapping[str, Any], promises: Sequence[Promise]) -> None:
        self.terms = terms
        self.percent = 0
        """The largest credit that was stated so far: a period that rolls on takes nothing back."""
        self.unread = ""
        """Why nothing can be counted; empty while it can."""
        term = terms["term"]
        self._end_ms = parse_instant(str(term["end"]))
        self._term_ms = self._end_ms - parse_instant(str(term["start"]))
        self._promises = promises
        self._windows = {promise.name: Windows() for promise in promises}
        self._last_ms: int | None = None
        self._told: list[Statement] = []

    def note(self, statement: Statement) -> None:
        """Take what follows."""
        if statement.predicate == "window-verdict":
            self._note_verdict(statement.body)
        else:
            self._told.append(statement)

    def _note_verdict(self, body: Mapping[str, Any]) -> None:
        version = str(body.get("judge"))
        try:
            verdict = verdict_of(body)
        except (KeyError, TypeError, ValueError):
            self.unread = self.unread or f"it rests on a verdict by judge version {version} that cannot be read here"
            return
        if version not in JUDGED_ALIKE:
            self.unread = self.unread or f"it rests on verdicts by judge version {version}, which this Tenure is not"
        if verdict.promise in self._windows:
            self._windows[verdict.promise].note(verdict)
            self._last_ms = max(self._last_ms or 0, verdict.window.end_ms)

    def last_ms(self, *, default: int) -> int:
        """When the newest window that was judged ended."""
        return default if self._last_ms is None else self._last_ms

    def starts(self, from_ms: int, to_ms: int) -> list[int]:
        """When the windows of any promise began, from an instant to another, in order."""
        found: set[int] = set()
        for windows in self._windows.values():
            starts = windows.starts
            found.update(starts[bisect_left(starts, from_ms) : bisect_left(starts, to_ms)])
        return sorted(found)

    def accounts(self, since_ms: int) -> Accounts:
        """Each promise's account over the windows that were judged by now and began at or after an instant."""
        return [(one, self._windows[one.name].account(one, since_ms, self._term_ms)) for one in self._promises]

    def schedule(self) -> Callable[[Accounts], Credit | None]:
        """What the schedule in the terms gives for accounts, for what was read back, and for how it ended."""
        because = next((str(s.body["because"]) for s in self._told if s.predicate == "ending"), None)
        completion = completion_of_statements(self.terms, self._told)
        counts = completion.counts if completion is not None else ()
        price = Price.model_validate(self.terms.get("price", {}))
        hard = overall([], hard_of_statements(self._told), because)
        return lambda accounts: credit_of(price, accounts, hard, counts)

    def since_ms(self, now_ms: int) -> int:
        """From when on windows count that are judged at an instant."""
        return now_ms - period_ms_of(self._term_ms)

    def ended_ms(self) -> int:
        """When it ended: as stated, and never after its term."""
        at = (parse_instant(str(s.body["at"])) for s in self._told if s.predicate == "ending" and "at" in s.body)
        return min([self._end_ms, *at])
