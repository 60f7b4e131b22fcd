"""What was stated of accounts and credit follows from the verdicts stated before it, or is named by its field."""

from dataclasses import replace
from typing import Any

import pytest

from tenure.controllers.contract import counting
from tenure.controllers.contract.counting import counted
from tenure.controllers.contract.judging import RECENT_PER_PROMISE
from tenure.evidence import Statement, Uncounted, contract_source, contract_subject
from tenure.quantities import format_instant
from tests.evidence.builders import AT_MS
from tests.evidence.test_command import PROMISES, SPEC, UID, WHO, a_verdict

BANDS = [{"belowPercent": 100, "creditPercent": 10}, {"belowPercent": 95, "creditPercent": 25}]
TERMS: dict[str, Any] = {**SPEC, "price": {"total": "2.00 EUR", "credit": BANDS}}
JUDGED = [a_verdict(number, 900 if number == 2 else 200).statement for number in range(4)]
"""Three windows kept and one breached, of four: a quarter of the price by this schedule."""
DUE = {"percent": 25, "amount": "0.50 EUR", "promise": "timeToFirstToken.p95", "windowsUsed": 1, "windowsInPeriod": 4}
ACCOUNT = {
    "metric": "timeToFirstToken",
    "percentile": "p95",
    "windows": 4,
    "kept": 3,
    "breached": 1,
    "unverifiable": 0,
    "attainment": 0.75,
    "budgetWindows": 0.0,
    "budgetLeft": -1.0,
    "verdict": "Breached",
}
ENDED = {"because": "EndedByTerm", "at": "2026-01-01T00:00:45Z"}

WEEK_MS = 7 * 24 * 3_600_000


def stated(predicate: str, key: str, body: dict[str, Any]) -> Statement:
    return Statement(
        predicate=predicate,
        id=f"{contract_source(UID)}/{predicate}/{key}",
        source=contract_source(UID),
        sequence=0,
        at_ms=JUDGED[-1].at_ms,
        subjects=(contract_subject(**WHO, spec=SPEC),),
        body=body,
    )


def credit(**changes: Any) -> Statement:
    body = {"promise": DUE["promise"], "verdict": "Breached", "credit": DUE | changes, "countedBy": "1"}
    return stated("accounting", "credit/25", body)


def settled(credit: Any = DUE, **account: Any) -> list[Statement]:
    body = {"because": "EndedByTerm", "stage": "settled", "credit": credit, "accounting": [ACCOUNT | account]}
    return [stated("ending", "ending", ENDED), stated("ending", "settled", body | {"countedBy": "1"})]


def said(statement: Statement, **changes: Any) -> Statement:
    """A statement that says something else."""
    return replace(statement, body={**statement.body, **changes})


def wrong(*statements: Statement, terms: dict[str, Any] = TERMS) -> list[tuple[str, str]]:
    """Which statements contradict those before them, and in which field; "not counted" for what cannot be told."""
    return [
        (str(found.statement_id).rpartition("c9f/")[2], "not counted")
        if isinstance(found, Uncounted)
        else (found.statement_id.rpartition("c9f/")[2], found.field.removeprefix("$.predicate.body."))
        for found in counted(terms, statements)
    ]


def test_what_follows_from_the_verdicts_and_the_schedule_is_as_it_is() -> None:
    assert wrong(*JUDGED[:3], credit(), JUDGED[3], *settled()) == []


def test_twin_nothing_is_due_before_the_window_that_broke_it() -> None:
    assert wrong(*JUDGED[:2], credit(), *JUDGED[2:]) == [("accounting/credit/25", "credit")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"percent": 10, "amount": "0.20 EUR"}, "credit.amount"),
        ({"amount": "0.05 EUR"}, "credit.amount"),
        ({"windowsUsed": 0}, "credit.windowsUsed"),
        ({"promise": "hard promises"}, "credit.promise"),
    ],
)
def test_a_forged_credit_is_named(changes: dict[str, Any], field: str) -> None:
    assert wrong(*JUDGED, credit(**changes)) == [("accounting/credit/25", field)]


@pytest.mark.parametrize("said", [None, DUE | {"percent": 10, "amount": "0.20 EUR"}])
def test_a_contract_settled_with_less_than_is_due_is_named(said: Any) -> None:
    ((statement, field),) = wrong(*JUDGED, *settled(said))
    assert statement == "ending/settled"
    assert field.startswith("credit")


def test_a_broken_hard_promise_is_due_the_first_step_and_keeps_it() -> None:
    lost = stated("read-back", "first-difference", {"facts": [{"agrees": False}]})
    first = {"percent": 10, "amount": "0.20 EUR", "promise": "hard promises", "windowsUsed": 0, "windowsInPeriod": 0}
    body = {"promise": "hard promises", "verdict": "Breached", "credit": first, "countedBy": "1"}
    due = stated("accounting", "credit/10", body)
    kept = JUDGED[0]
    account = {"windows": 1, "kept": 1, "breached": 0, "attainment": 1.0, "budgetLeft": 0.0, "verdict": "Kept"}
    assert wrong(kept, lost, due, *settled(first, **account)) == []
    assert wrong(kept, lost, due, *settled(None, **account)) == [("ending/settled", "credit")]
    assert wrong(kept, due, *settled(first, **account)) == [("accounting/credit/10", "credit")], "nothing was broken"


@pytest.mark.parametrize("field", ["windows", "kept", "breached", "attainment", "budgetLeft"])
def test_a_forged_account_is_named(field: str) -> None:
    assert wrong(*JUDGED, *settled(**{field: 1})) == (
        [] if ACCOUNT[field] == 1 else [("ending/settled", f"accounting.{field}")]
    )


def test_an_end_through_its_provider_is_due_the_first_step() -> None:
    kept = JUDGED[:2]
    account = {"windows": 2, "kept": 2, "breached": 0, "attainment": 1.0, "budgetLeft": 0.0, "verdict": "Kept"}
    _, end = settled(None, **account)
    lost = stated("ending", "ending", {"because": "Lost", "at": "2026-01-01T00:00:20Z"})
    assert wrong(*kept, lost, end) == [("ending/settled", "credit")]


def test_a_credit_that_is_stated_late_counts_the_windows_that_began_late() -> None:
    """The judge looked at the clock when the last window was over; the statement came seconds after the term, and the
    first window, which was broken, began a second after the term did."""
    judged = [a_verdict(number, 200 if number else 900).statement for number in range(4)]
    terms = TERMS | {"term": {"start": "2025-12-31T23:59:59Z", "end": "2026-01-01T00:00:41Z"}}
    late = replace(credit(), at_ms=AT_MS + 47_000)
    assert wrong(*judged, late, *settled(), terms=terms) == []


def test_windows_that_do_not_divide_the_period_are_those_of_some_instant() -> None:
    """Windows of a week in a term of two months: the one that was broken was in the period when the last one was over,
    and not when the credit was stated."""
    promises: dict[str, Any] = {**PROMISES}
    weekly = promises | {"statistical": [promises["statistical"][0] | {"window": "168h"}]}
    span = {"start": "2026-01-01T00:00:00Z", "end": "2026-03-01T00:00:00Z"}
    weeks = []
    for number in range(5):
        start_ms = AT_MS + number * WEEK_MS
        window = {"start": format_instant(start_ms), "end": format_instant(start_ms + WEEK_MS)}
        weeks.append(said(JUDGED[2 if number == 1 else 0], **window))
    late = replace(credit(), at_ms=AT_MS + 5 * WEEK_MS + WEEK_MS // 2)
    assert wrong(*weeks, late, terms=TERMS | {"term": span, "promises": weekly}) == []


def test_a_credit_for_which_too_many_instants_would_do_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    terms = TERMS | {"term": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:00:41Z"}}
    late = replace(credit(windowsUsed=0), at_ms=AT_MS + 70_000)
    assert wrong(*JUDGED, late, terms=terms) == [("accounting/credit/25", "credit")]
    monkeypatch.setattr(counting, "INSTANTS_MAX", 2)
    assert wrong(*JUDGED, late, terms=terms) == [("accounting/credit/25", "not counted")]


def test_what_other_rules_gave_is_not_counted_and_never_called_wrong() -> None:
    """Before versions, broken windows and windows that nobody saw were counted together."""
    older = {"breached": 2, "unverifiable": 1}
    ended, end = settled(**older)
    body = {name: value for name, value in end.body.items() if name != "countedBy"}
    assert wrong(*JUDGED, ended, replace(end, body=body)) == [("ending/settled", "not counted")]
    assert wrong(*JUDGED, ended, said(end, countedBy="2")) == [("ending/settled", "not counted")]
    assert [field for _, field in wrong(*JUDGED, ended, end)] == ["accounting.breached", "accounting.unverifiable"]


@pytest.mark.parametrize("changes", [{"judge": "2"}, {"reason": "SomethingOlder"}])
def test_what_rests_on_another_judge_s_verdicts_is_not_counted(changes: dict[str, Any]) -> None:
    older = said(JUDGED[0], **changes)
    assert wrong(older, *JUDGED[1:], *settled(budgetLeft=7.0)) == [("ending/settled", "not counted")]


def test_the_newest_windows_that_tell_are_those_that_the_judge_looks_at() -> None:
    cut = {"verdict": "Unverifiable", "reason": "CutByEnd", "fault": "None", "detail": "the contract ended"}
    kept = JUDGED[0]
    many = []
    for number in range(1, RECENT_PER_PROMISE + 1):
        span = {"start": AT_MS + 10_000 * number, "end": AT_MS + 10_000 * (number + 1)}
        many.append(said(kept, **cut, **{name: format_instant(ms) for name, ms in span.items()}))
    terms = TERMS | {"term": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:06:50Z"}}
    account = {"windows": 41, "kept": 1, "breached": 0, "unverifiable": 40, "attainment": 1.0, "budgetLeft": 0.0}
    end = said(settled(None, **account, verdict="Unverifiable")[1], because="EndedByTerm")
    ended = stated("ending", "ending", {"because": "EndedByTerm", "at": "2026-01-01T00:06:50Z"})
    assert wrong(kept, *many, ended, end, terms=terms) == []


@pytest.mark.parametrize("rows", [[], None, "none", [{"metric": ["timeToFirstToken"]}]])
def test_a_promise_that_is_left_out_of_what_a_contract_came_to_is_named(rows: Any) -> None:
    ended, end = settled()
    found = wrong(*JUDGED, ended, said(end, accounting=rows))
    assert ("ending/settled", "accounting") in found


def test_an_account_that_says_more_than_there_is_is_named() -> None:
    """Nothing was owed: there is no attainment."""
    unseen = said(JUDGED[0], verdict="Unverifiable", reason="TooFewSamples", fault="User")
    none = {"windows": 1, "kept": 0, "breached": 0, "unverifiable": 1, "budgetLeft": 0.0, "verdict": "Unverifiable"}
    assert wrong(unseen, *settled(None, **none, attainment=None)) == []
    assert wrong(unseen, *settled(None, **none, attainment=1.0)) == [("ending/settled", "accounting.attainment")]


def test_a_credit_that_stands_is_the_price_s_share_of_it() -> None:
    """A hard promise earned a tenth; a quarter that was stated before by other rules stands."""
    account = {"windows": 1, "kept": 1, "breached": 0, "attainment": 1.0, "budgetLeft": 0.0, "verdict": "Kept"}
    before = said(credit(), countedBy="0")
    assert wrong(JUDGED[0], before, *settled(**account)) == [("accounting/credit/25", "not counted")]
    less = settled(DUE | {"amount": "0.05 EUR"}, **account)
    assert wrong(JUDGED[0], before, *less)[1:] == [("ending/settled", "credit.amount")]
    assert wrong(JUDGED[0], before, *settled(None, **account))[1:] == [("ending/settled", "credit")]


def test_a_window_that_is_judged_twice_counts_once() -> None:
    again = replace(JUDGED[0], id=f"{JUDGED[0].id}/again")
    assert wrong(*JUDGED, again, *settled()) == []
    assert wrong(*JUDGED, again, *settled(windows=5, kept=4, attainment=0.8)) != []
