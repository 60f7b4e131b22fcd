"""From statements to a contract's story: windows, episodes of breach, remedies, attainment. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tenure.controllers.contract.credit import credit_of
from tenure.controllers.contract.deadline import Completion, completion_of_statements
from tenure.controllers.contract.hard import hard_of_statements, overall
from tenure.controllers.contract.stating import verdict_of
from tenure.controllers.contract.terms import promises_of
from tenure.evidence import Statement
from tenure.promises import Account, Promise, Verdict, WindowVerdict, account
from tenure.quantities import format_instant, parse_instant
from tenure.resources.kinds.allocation import Price, Promises
from tenure.resources.kinds.standing import Credit


@dataclass(frozen=True, slots=True)
class Window:
    """One promise in one window, and when that was stated."""

    verdict: WindowVerdict
    stated_ms: int
    cause: Mapping[str, Any] | None = None  # what the kernel says took time in it


def unverifiable_text(windows: Sequence[Window]) -> str:
    """Why nobody can say of some of them, the commonest reason first: ``12 ViewsDisagree, 3 Stale``. Empty where all
    could be judged."""
    found = Counter(str(w.verdict.reason) for w in windows if w.verdict.verdict is Verdict.UNVERIFIABLE)
    return ", ".join(f"{count} {reason}" for reason, count in sorted(found.items(), key=lambda one: (-one[1], one[0])))


@dataclass(frozen=True, slots=True)
class RemedyTaken:
    """One step of the ladder, from its two statements."""

    rung: str
    cause: str
    cost: str
    began_ms: int
    outcome: str | None = None
    judged_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """Breached windows without a kept one between them, what was done about it, and how long both took."""

    promise: str
    start_ms: int
    end_ms: int
    windows: int
    detected_after_ms: int  # from the end of the first breached window until it was stated
    remedies: tuple[RemedyTaken, ...]
    kept_again_ms: int | None  # end of the first window kept afterwards
    cause: str | None = None  # that of most of its windows

    @property
    def remedied_after_ms(self) -> int | None:
        """From the first step until a window was kept again."""
        if not self.remedies or self.kept_again_ms is None:
            return None
        return self.kept_again_ms - self.remedies[0].began_ms


@dataclass(frozen=True, slots=True)
class Audit:
    """The story of one contract."""

    name: str
    terms: dict[str, Any]
    promises: tuple[Promise, ...]
    windows: dict[str, list[Window]] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    episodes: tuple[Episode, ...] = ()
    remedies: tuple[RemedyTaken, ...] = ()
    hard: Verdict = Verdict.UNVERIFIABLE
    """Of what is reserved and where: by the read-backs that were stated."""
    completion: Completion | None = None
    """Of the deadline, where one was promised."""
    ended: str | None = None
    credit: Credit | None = None
    statements: int = 0

    @property
    def verdict(self) -> Verdict:
        """The worst of all that was promised, as the contract's status says it."""
        promised = [found.verdict for found in self.accounts.values()]
        return overall([*promised, *_counts(self.completion)], self.hard, self.ended)


def _counts(completion: Completion | None) -> list[Verdict]:
    return [] if completion is None else completion.counts


def replay(name: str, statements: Sequence[Statement], now_ms: int | None = None) -> Audit:
    """Replay a contract's statements, in the log's order. Raises ValueError when its terms were never stated.

    `now_ms` is when it is asked (Unix ms): a deadline that is over by then and was not judged is unverifiable.
    """
    terms = next((s.body["terms"] for s in statements if s.predicate == "contract"), None)
    if terms is None:
        raise ValueError(f"{name} was never signed: its terms are not in the log")
    promises = tuple(promises_of(Promises.model_validate(terms["promises"])))
    windows: dict[str, list[Window]] = {promise.name: [] for promise in promises}
    caused = {parse_instant(str(s.body["window"])): s.body for s in statements if s.predicate == "cause"}
    for statement in statements:
        if statement.predicate == "window-verdict":
            verdict = verdict_of(statement.body)
            broken = verdict.verdict is Verdict.BREACHED
            found = Window(verdict, statement.at_ms, caused.get(verdict.window.start_ms) if broken else None)
            windows.setdefault(found.verdict.promise, []).append(found)
    for judged in windows.values():
        judged.sort(key=lambda window: window.verdict.window.start_ms)
    term_ms = parse_instant(terms["term"]["end"]) - parse_instant(terms["term"]["start"])
    remedies = _remedies(statements)
    accounts = {p.name: account([w.verdict for w in windows[p.name]], p.assurance, term_ms) for p in promises}
    hard = hard_of_statements(statements)
    ended = next((str(s.body["because"]) for s in statements if s.predicate == "ending"), None)
    completion = completion_of_statements(terms, statements, now_ms)
    return Audit(
        name=name,
        terms=terms,
        promises=promises,
        windows=windows,
        accounts=accounts,
        episodes=tuple(e for promise in promises for e in _episodes(promise.name, windows[promise.name], remedies)),
        remedies=remedies,
        hard=hard,
        completion=completion,
        ended=ended,
        credit=credit_of(
            Price.model_validate(terms.get("price", {})),
            [(p, accounts[p.name]) for p in promises],
            overall([], hard, ended),
            _counts(completion),
        ),
        statements=len(statements),
    )


def _remedies(statements: Sequence[Statement]) -> tuple[RemedyTaken, ...]:
    taken: dict[str, RemedyTaken] = {}
    for statement in (s for s in statements if s.predicate == "remedy"):
        body = statement.body
        key = statement.id.rpartition("/")[0]  # both statements of a step are named after it
        if body["stage"] == "begins":
            taken[key] = RemedyTaken(body["rung"], body["cause"], str(body.get("cost", "")), statement.at_ms)
        elif (one := taken.get(key)) is not None:
            ended_ms = one.began_ms + int(body["tookMs"])
            taken[key] = replace(one, outcome=str(body["outcome"]), judged_ms=ended_ms)
    return tuple(taken.values())


def _episodes(promise: str, windows: Sequence[Window], remedies: Sequence[RemedyTaken]) -> list[Episode]:
    found: list[Episode] = []
    open_ones: list[Window] = []
    for window in [*windows, None]:
        verdict = window.verdict.verdict if window else None
        if window is not None and verdict is Verdict.BREACHED:
            open_ones.append(window)
        elif open_ones and (window is None or verdict is Verdict.KEPT):
            first, last = open_ones[0], open_ones[-1]
            until = window.verdict.window.end_ms if window else last.verdict.window.end_ms
            during = tuple(r for r in remedies if first.verdict.window.start_ms <= r.began_ms <= until)
            found.append(
                Episode(
                    promise=promise,
                    start_ms=first.verdict.window.start_ms,
                    end_ms=last.verdict.window.end_ms,
                    windows=len(open_ones),
                    detected_after_ms=max(0, first.stated_ms - first.verdict.window.end_ms),
                    remedies=during,
                    kept_again_ms=until if window else None,
                    cause=_likeliest(open_ones),
                )
            )
            open_ones = []
    return found


def _likeliest(windows: Sequence[Window]) -> str | None:
    """What is said of the likeliest cause of most of these windows, by the newest of them; None where nobody looked."""
    found = [window.cause for window in windows if window.cause is not None]
    codes = Counter(str(cause["likeliest"]) for cause in found)
    if not codes:
        return None
    code = codes.most_common(1)[0][0]
    return next(str(cause["said"]) for cause in reversed(found) if cause["likeliest"] == code)


def to_json(audit: Audit) -> dict[str, Any]:
    """The story as JSON."""
    return {
        "contract": audit.name,
        "verdict": str(audit.verdict),
        "hardPromises": str(audit.hard),
        "completion": _completion_json(audit.completion),
        "ended": audit.ended,
        "credit": audit.credit.to_json() if audit.credit else None,
        "statements": audit.statements,
        "promises": [
            {
                "promise": promise.name,
                "windows": [
                    {
                        **window.verdict.as_record(),
                        "statedAt": format_instant(window.stated_ms),
                        "cause": window.cause,
                    }
                    for window in audit.windows[promise.name]
                ],
                "account": _account_json(audit.accounts[promise.name]),
            }
            for promise in audit.promises
        ],
        "episodes": [_episode_json(episode) for episode in audit.episodes],
        "remedies": [_remedy_json(remedy) for remedy in audit.remedies],
    }


def _completion_json(found: Completion | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "by": format_instant(found.by_ms),
        "verdict": str(found.verdict) if found.verdict is not None else None,
        "reason": found.reason,
        "said": found.said,
    }


def _account_json(found: Account) -> dict[str, Any]:
    return {
        "verdict": str(found.verdict),
        "windows": found.windows,
        "kept": found.kept,
        "used": found.used,
        "notOwed": found.not_owed,
        "attainment": found.attainment,
        "budget": found.budget,
        "budgetLeft": found.budget_left,
        "burnRateShort": found.burn_short,
        "burnRateLong": found.burn_long,
    }


def _episode_json(episode: Episode) -> dict[str, Any]:
    return {
        "promise": episode.promise,
        "start": format_instant(episode.start_ms),
        "end": format_instant(episode.end_ms),
        "windows": episode.windows,
        "detectedAfterMs": episode.detected_after_ms,
        "cause": episode.cause,
        "remedies": [_remedy_json(remedy) for remedy in episode.remedies],
        "remediedAfterMs": episode.remedied_after_ms,
    }


def _remedy_json(remedy: RemedyTaken) -> dict[str, Any]:
    return {
        "rung": remedy.rung,
        "cause": remedy.cause,
        "cost": remedy.cost,
        "began": format_instant(remedy.began_ms),
        "outcome": remedy.outcome,
        "judged": format_instant(remedy.judged_ms) if remedy.judged_ms else None,
    }
