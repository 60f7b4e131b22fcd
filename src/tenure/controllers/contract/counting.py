"""What was stated of accounts and credit, drawn again from the verdicts that were stated before it. Pure.

A stranger needs nothing for that but the signed terms, whose schedule it is, and the contract's own statements.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tenure.controllers.contract.credit import credit_of
from tenure.controllers.contract.deadline import completion_of_statements
from tenure.controllers.contract.hard import hard_of_statements, overall
from tenure.controllers.contract.stating import verdict_of
from tenure.controllers.contract.terms import promises_of
from tenure.evidence import ContradictionError, Statement, first_difference
from tenure.promises import (
    Account,
    LatencyObjective,
    Promise,
    WindowVerdict,
    account_of,
    period_ms_of,
    tally,
)
from tenure.quantities import parse_instant
from tenure.resources.kinds.allocation import Price, Promises
from tenure.resources.kinds.contract import Credit

CREDIT, ACCOUNTING = "$.predicate.body.credit", "$.predicate.body.accounting"


@dataclass
class Life:
    """A contract's statements up to one of them."""

    terms: Mapping[str, Any]
    promises: Sequence[Promise]
    verdicts: dict[str, list[WindowVerdict]]
    told: list[Statement] = field(default_factory=list)
    percent: int = 0
    """The largest credit that was stated so far: a period that rolls on takes nothing back."""

    def note(self, statement: Statement) -> None:
        """Take what follows."""
        self.told.append(statement)
        if statement.predicate == "window-verdict":
            self.verdicts.setdefault(str(statement.body["promise"]), []).append(verdict_of(statement.body))

    def accounts(self, since_ms: int) -> list[tuple[Promise, Account]]:
        """Each promise's account over the windows that were judged by now and began at or after an instant."""
        term = self.terms["term"]
        term_ms = parse_instant(str(term["end"])) - parse_instant(str(term["start"]))
        found = []
        for promise in self.promises:
            judged = sorted(self.verdicts.get(promise.name, ()), key=lambda verdict: verdict.window.start_ms)
            found.append((promise, account_of(tally(judged, since_ms), judged, promise.assurance, term_ms)))
        return found

    def credit(self, accounts: Sequence[tuple[Promise, Account]]) -> Credit | None:
        """What the schedule in the terms gives for them, for what was read back, and for how it ended."""
        because = next((str(s.body["because"]) for s in self.told if s.predicate == "ending"), None)
        completion = completion_of_statements(self.terms, self.told)
        counts = completion.counts if completion is not None else ()
        price = Price.model_validate(self.terms.get("price", {}))
        return credit_of(price, accounts, overall([], hard_of_statements(self.told), because), counts)

    def since_ms(self, now_ms: int) -> int:
        """From when on windows count that are judged at an instant."""
        term = self.terms["term"]
        return now_ms - period_ms_of(parse_instant(str(term["end"])) - parse_instant(str(term["start"])))

    def ended_ms(self) -> int:
        """When it ended: as stated, and never after its term."""
        at = (parse_instant(str(s.body["at"])) for s in self.told if s.predicate == "ending" and "at" in s.body)
        return min([parse_instant(str(self.terms["term"]["end"])), *at])


def counted(terms: Mapping[str, Any], statements: Sequence[Statement]) -> Iterator[ContradictionError]:
    """Each statement of an account or a credit that does not follow from what was stated before it, by its field."""
    promises = promises_of(Promises.model_validate(terms["promises"]))
    life = Life(terms, promises, {promise.name: [] for promise in promises})
    for statement in statements:
        if statement.predicate == "accounting" and "credit" in statement.body:
            yield from _credit_due(life, statement)
        elif statement.predicate == "ending" and statement.body.get("stage") == "settled":
            yield from _settled(life, statement)
        life.note(statement)


def _credit_due(life: Life, statement: Statement) -> Iterator[ContradictionError]:
    """A credit that is stated when it is first due, or grows, is that of the windows judged by then."""
    said = statement.body["credit"]
    expected = [life.credit(life.accounts(since_ms)) for since_ms in _since(life, statement.at_ms)]
    if not any(_differs(credit, said) == "" for credit in expected):
        yield _contradiction(statement, expected[-1], said)
    life.percent = max(life.percent, _percent(said))


def _settled(life: Life, statement: Statement) -> Iterator[ContradictionError]:
    """What a contract came to: its accounts over all that was judged, and the largest credit that was ever due."""
    accounts = life.accounts(life.since_ms(life.ended_ms()))
    rows = statement.body.get("accounting", ())
    for row in rows:
        found = next((one for one in accounts if _name(one[0]) == (row.get("metric"), row.get("percentile"))), None)
        if found is None:
            yield ContradictionError(statement.id, ACCOUNTING, f"the terms promise no {row.get('metric')}")
            continue
        for name, value in _row(found[1]).items():
            if row.get(name) != value:
                message = f"{found[0].name} {name}: states {row.get(name)!r}; its verdicts say {value!r}"
                yield ContradictionError(statement.id, f"{ACCOUNTING}.{name}", message)
    due, said = life.credit(accounts), statement.body.get("credit")
    least = due.percent if due is not None else 0
    if life.percent > least:  # it was more before, and stands: the last that was said of it has no statement
        if _percent(said) != life.percent:
            yield ContradictionError(
                statement.id, CREDIT, f"states {_percent(said)} %; {life.percent} % was due before, and stands"
            )
    elif _differs(due, said):
        yield _contradiction(statement, due, said)


def _since(life: Life, at_ms: int) -> list[int]:
    """From when on windows may have counted for what was stated at an instant: whoever judged looked at the clock
    between the end of the newest window and then. Only where the period rolls is that more than one answer."""
    last = max((v.window.end_ms for judged in life.verdicts.values() for v in judged), default=at_ms)
    first_ms, last_ms = life.since_ms(min(last, at_ms)), life.since_ms(at_ms)
    starts = {v.window.start_ms + 1 for judged in life.verdicts.values() for v in judged}
    return [*sorted(start for start in starts if first_ms < start < last_ms), last_ms]


def _row(found: Account) -> dict[str, Any]:
    """An account as the statement that settles a contract says it, but for what rests on more than verdicts."""
    row = {
        "windows": found.windows,
        "kept": found.kept,
        "breached": found.breached,
        "unverifiable": found.unverifiable,
        "attainment": found.attainment,
        "budgetWindows": found.budget,
        "budgetLeft": found.budget_left,
        "verdict": str(found.verdict),
    }
    return {name: value for name, value in row.items() if value is not None}


def _name(promise: Promise) -> tuple[str, str | None]:
    objective = promise.objective
    percentile = f"p{objective.percentile:g}" if isinstance(objective, LatencyObjective) else None
    return str(objective.metric), percentile


def _percent(said: Any) -> int:
    return int(said.get("percent", 0)) if isinstance(said, Mapping) else 0


def _differs(credit: Credit | None, said: Any) -> str:
    return first_difference(credit.to_json() if credit is not None else None, said, CREDIT)


def _contradiction(statement: Statement, credit: Credit | None, said: Any) -> ContradictionError:
    expected = credit.to_json() if credit is not None else None
    message = f"states {said!r}; the terms and the verdicts before it say {expected!r}"
    return ContradictionError(statement.id, _differs(credit, said) or CREDIT, message)
