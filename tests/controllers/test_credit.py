"""Credit by the schedule in the terms: none while the budget lasts, then its largest step; no amount is invented."""

from dataclasses import replace
from pathlib import Path

import pytest

from tenure.controllers.contract.credit import credit_of, once_due, state_credit
from tenure.controllers.contract.stating import stated
from tenure.promises import Account, Assurance, LatencyObjective, Load, Metric, Promise, Verdict
from tenure.quantities import Money
from tenure.resources import Contract
from tenure.resources.kinds.allocation import CreditBand, Price
from tenure.resources.kinds.contract import ContractStatus
from tenure.resources.kinds.standing import Credit
from tests.controllers.watched import Watched

SCHEDULE = [
    CreditBand(below_percent=100, credit_percent=10),
    CreditBand(below_percent=95, credit_percent=25),
    CreditBand(below_percent=80, credit_percent=100),
]
PRICED = Price(hourly=Money.parse("0.30 EUR"), total=Money.parse("3.00 EUR"), credit=SCHEDULE)
FIRST = Promise(
    LatencyObjective(Metric.TIME_TO_FIRST_TOKEN, 95, 10**8), Load(10**6, 40, 3), Assurance(60_000, 0.95, 0.9)
)
OTHER = replace(FIRST, objective=LatencyObjective(Metric.REQUEST_LATENCY, 95, 10**9))


CREDIT = Credit(percent=10, promise=FIRST.name, windows_used=60, windows_in_period=1000)


def stands(used: int, of: int = 1000) -> Account:
    budget = of * 5 // 100
    return Account(
        verdict=Verdict.BREACHED if used > budget else Verdict.KEPT,
        windows=of,
        owed=of,
        kept=of - used,
        used=used,
        breached=used,
        not_owed=0,
        owed_in_period=of,
        budget=budget,
        attainment=1 - used / of,
        burn_short=0,
        burn_long=0,
        remedy_due=False,
    )


@pytest.mark.parametrize(
    ("used", "percent", "amount"),
    [(0, None, None), (50, None, None), (51, 10, "0.30 EUR"), (98, 25, "0.75 EUR"), (300, 100, "3.00 EUR")],
)
def test_credit_is_the_largest_step_reached(used: int, percent: int | None, amount: str | None) -> None:
    found = credit_of(PRICED, [(FIRST, stands(used))])
    assert (found.percent if found else None, str(found.amount) if found else None) == (percent, amount)


def test_a_broken_hard_promise_is_a_shortfall_and_earns_the_first_step() -> None:
    found = credit_of(PRICED, [(FIRST, stands(0))], Verdict.BREACHED)
    assert found is not None
    assert (found.promise, found.percent, str(found.amount)) == ("hard promises", 10, "0.30 EUR")
    assert "broken by read-back" in str(found)


@pytest.mark.parametrize("hard", [Verdict.KEPT, Verdict.UNVERIFIABLE])
def test_twin_one_that_holds_or_could_not_be_read_earns_none(hard: Verdict) -> None:
    assert credit_of(PRICED, [(FIRST, stands(0))], hard) is None


def test_a_larger_step_of_the_windows_stands_beside_a_broken_hard_promise() -> None:
    found = credit_of(PRICED, [(FIRST, stands(98))], Verdict.BREACHED)
    assert found is not None
    assert (found.promise, found.percent) == (FIRST.name, 25)
    assert credit_of(Price(total=PRICED.total), [], Verdict.BREACHED) is None, "no schedule was signed"


def test_the_promise_that_fell_furthest_short_counts_and_they_are_not_added_up() -> None:
    found = credit_of(PRICED, [(FIRST, stands(60)), (OTHER, stands(120))])
    assert found is not None
    assert (found.promise, found.percent, found.windows_used) == (OTHER.name, 25, 120)


def test_without_a_price_the_share_stands_and_the_amount_is_unknown() -> None:
    found = credit_of(Price(unknown_because="nobody has declared it", credit=SCHEDULE), [(FIRST, stands(60))])
    assert found is not None
    assert (found.percent, found.amount, found.unknown_because) == (10, None, "nobody has declared it")
    assert str(found) == "10 % of the price (amount unknown: nobody has declared it), 60 of 1000 windows failed"


def test_twin_terms_without_a_schedule_owe_no_credit() -> None:
    assert credit_of(Price(hourly=PRICED.hourly, total=PRICED.total), [(FIRST, stands(900))]) is None


def test_a_credit_once_due_is_not_taken_back() -> None:
    def given(percent: int | None) -> Contract:
        credit = None if percent is None else CREDIT.model_copy(update={"percent": percent})
        return Contract.model_construct(status=ContractStatus(credit=credit))

    ten, all_of_it = CREDIT.model_copy(update={"percent": 10}), CREDIT.model_copy(update={"percent": 100})
    assert once_due(given(None), ten) == ten
    assert once_due(given(10), None) == ten, "the period rolled on"
    assert once_due(given(10), all_of_it) == all_of_it
    assert once_due(given(None), None) is None


@pytest.mark.anyio
async def test_a_credit_that_was_stated_before_a_crash_stands_though_the_status_never_showed_it(tmp_path: Path) -> None:
    watched = Watched(tmp_path, price={"total": "3.00 EUR", "credit": [step.to_json() for step in SCHEDULE]})
    quarter = credit_of(PRICED, [(FIRST, stands(98))])
    assert await state_credit(watched.plane, watched.contract, quarter) == quarter
    before = stated(watched.plane, watched.contract, "accounting", "credit/25")
    assert before is not None
    assert before.body["countedBy"] == "1", "by which rules"
    ten = credit_of(PRICED, [(FIRST, stands(51))])
    for less in (ten, None):  # killed before it was shown, and the period rolled on
        assert await state_credit(watched.plane, watched.contract, less) == quarter
    assert stated(watched.plane, watched.contract, "accounting", "credit/10") is None
    more = credit_of(PRICED, [(FIRST, stands(300))])
    assert await state_credit(watched.plane, watched.contract, more) == more
