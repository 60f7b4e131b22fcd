"""What was stated of accounts and credit follows from the verdicts stated before it, or is named by its field."""

from typing import Any

import pytest

from tenure.controllers.contract.counting import counted
from tenure.evidence import Statement, contract_source, contract_subject
from tests.evidence.test_command import SPEC, UID, WHO, a_verdict

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
    body = {"promise": DUE["promise"], "verdict": "Breached", "credit": DUE | changes}
    return stated("accounting", "credit/25", body)


def settled(credit: Any = DUE, **account: Any) -> list[Statement]:
    body = {"because": "EndedByTerm", "stage": "settled", "credit": credit, "accounting": [ACCOUNT | account]}
    return [stated("ending", "ending", ENDED), stated("ending", "settled", body)]


def wrong(*statements: Statement) -> list[tuple[str, str]]:
    """Which statements contradict those before them, and in which field."""
    found = counted(TERMS, statements)
    return [
        (error.statement_id.rpartition("c9f/")[2], error.field.removeprefix("$.predicate.body.")) for error in found
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
    due = stated("accounting", "credit/10", {"promise": "hard promises", "verdict": "Breached", "credit": first})
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
