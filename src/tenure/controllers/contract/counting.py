"""What was stated of accounts and credit, drawn again from the verdicts that were stated before it. Pure.

A stranger needs nothing for that but the signed terms, whose schedule it is, and the contract's own statements. What
was stated by other rules than today's, or stands on what cannot be read here, is neither right nor wrong: it is not
counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from tenure.controllers.contract.credit import COUNTED_BY
from tenure.controllers.contract.life import Accounts, Life
from tenure.controllers.contract.terms import promises_of
from tenure.evidence import ContradictionError, Statement, Uncounted, first_difference
from tenure.promises import Account, LatencyObjective, Promise
from tenure.resources.kinds.allocation import Price, Promises
from tenure.resources.kinds.standing import Credit

CREDIT, ACCOUNTING = "$.predicate.body.credit", "$.predicate.body.accounting"
INSTANTS_MAX = 20_000
"""Instants at which the judge may have looked that are tried for one credit: hours of windows of a second."""
UNNAMED_RULES = "0"
"""Statements that name no version of the rules are older than versions, or of a contract that nobody judged."""
Found = ContradictionError | Uncounted


def counted(terms: Mapping[str, Any], statements: Sequence[Statement]) -> Iterator[Found]:
    """Each statement of an account or a credit that does not follow from what was stated before it, by its field; and
    each of which that cannot be told, with why."""
    life = Life(terms, promises_of(Promises.model_validate(terms["promises"])))
    for statement in statements:
        due = statement.predicate == "accounting" and "credit" in statement.body
        if due or (statement.predicate == "ending" and statement.body.get("stage") == "settled"):
            version = str(statement.body.get("countedBy", UNNAMED_RULES))
            if version != COUNTED_BY:
                yield Uncounted(statement.id, f"by version {version} of the rules, which this Tenure does not have")
            elif life.unread:
                yield Uncounted(statement.id, life.unread)
            else:
                yield from (_credit_due if due else _settled)(life, statement)
        life.note(statement)
        if due:
            life.percent = max(life.percent, _percent(statement.body["credit"]))


def _credit_due(life: Life, statement: Statement) -> Iterator[Found]:
    """A credit that is stated when it is first due, or grows, is that of the windows judged by then."""
    said, credit_of = statement.body["credit"], life.schedule()
    instants = _since(life, statement.at_ms)
    for since_ms in islice(instants, INSTANTS_MAX):
        if not _differs(credit_of(life.accounts(since_ms)), said):
            return
    if next(instants, None) is not None:
        yield Uncounted(statement.id, "too many windows may have been judged by then, or not, to try all")
        return
    yield _contradiction(statement, credit_of(life.accounts(life.since_ms(statement.at_ms))), said)


def _since(life: Life, at_ms: int) -> Iterator[int]:
    """From when on windows may have counted for what was stated at an instant, the likeliest first: whoever judged
    looked at the clock between the end of the newest window and then. That is one answer unless the period rolls, or
    the statement came later after the term than the first window after its begin."""
    last_ms = life.last_ms(default=at_ms)
    first_ms, until_ms = life.since_ms(min(last_ms, at_ms)), life.since_ms(max(last_ms, at_ms))
    yield until_ms
    yield from (start_ms + 1 for start_ms in reversed(life.starts(first_ms, until_ms)))
    yield first_ms


def _settled(life: Life, statement: Statement) -> Iterator[Found]:
    """What a contract came to: its accounts over all that was judged, and the largest credit that was ever due."""
    accounts = life.accounts(life.since_ms(life.ended_ms()))
    yield from _rows(accounts, statement)
    due, said = life.schedule()(accounts), statement.body.get("credit")
    if life.percent > (due.percent if due is not None else 0):
        yield from _stands(life, statement, said)
    elif _differs(due, said):
        yield _contradiction(statement, due, said)


def _rows(accounts: Accounts, statement: Statement) -> Iterator[Found]:
    """Each promise's row says what its verdicts say, and there is one for each."""
    missing = {_name(promise): (promise, account) for promise, account in accounts}
    known, rows = dict(missing), statement.body.get("accounting")
    for row in rows if isinstance(rows, list) else ():
        told = row if isinstance(row, Mapping) else {}
        percentile = told.get("percentile")
        name = (str(told.get("metric")), percentile if isinstance(percentile, str) else None)
        if name not in known:
            yield ContradictionError(statement.id, ACCOUNTING, f"the terms promise no {told.get('metric')}")
            continue
        promise, account = known[name]
        missing.pop(name, None)
        for field, value in _row(account).items():
            difference = first_difference(value, told.get(field), f"{ACCOUNTING}.{field}")
            if difference:
                message = f"{promise.name} {field}: states {told.get(field)!r}; its verdicts say {value!r}"
                yield ContradictionError(statement.id, difference, message)
    for promise, _ in missing.values():
        yield ContradictionError(statement.id, ACCOUNTING, f"says nothing of {promise.name}, which the terms promise")


def _stands(life: Life, statement: Statement, said: Any) -> Iterator[Found]:
    """It was more before, and stands. Its windows are those when it was last more: of that there is no statement."""
    total = Price.model_validate(life.terms.get("price", {})).total
    amount = str(total.times(life.percent, 100)) if total is not None else None
    told = said if isinstance(said, Mapping) else {}
    if _percent(said) != life.percent:
        message = f"states {_percent(said)} %; {life.percent} % was due before, and stands"
        yield ContradictionError(statement.id, CREDIT, message)
    elif told.get("amount") != amount:
        message = f"states {told.get('amount')!r}; {life.percent} % of the price is {amount!r}"
        yield ContradictionError(statement.id, f"{CREDIT}.amount", message)


def _row(found: Account) -> dict[str, Any]:
    """An account as the statement that settles a contract says it, but for what rests on more than verdicts."""
    return {
        "windows": found.windows,
        "kept": found.kept,
        "breached": found.breached,
        "unverifiable": found.unverifiable,
        "attainment": found.attainment,
        "budgetWindows": found.budget,
        "budgetLeft": found.budget_left,
        "verdict": str(found.verdict),
    }


def _name(promise: Promise) -> tuple[str, str | None]:
    objective = promise.objective
    percentile = f"p{objective.percentile:g}" if isinstance(objective, LatencyObjective) else None
    return str(objective.metric), percentile


def _percent(said: Any) -> int:
    percent = said.get("percent") if isinstance(said, Mapping) else None
    return percent if isinstance(percent, int) else 0


def _differs(credit: Credit | None, said: Any) -> str:
    return first_difference(credit.to_json() if credit is not None else None, said, CREDIT)


def _contradiction(statement: Statement, credit: Credit | None, said: Any) -> ContradictionError:
    expected = credit.to_json() if credit is not None else None
    message = f"states {said!r}; the terms and the verdicts before it say {expected!r}"
    return ContradictionError(statement.id, _differs(credit, said) or CREDIT, message)
