"""Budgets of money and power: kept, exceeded with the figure, or refused where nobody knows what it costs."""

from tenure.controllers.answering.answer import answer
from tenure.controllers.answering.limits import limit_constraints, limits_of
from tenure.placement import Calendar
from tests.controllers.builders import NOW_MS, fleet, knowledge, machine, measured, need, spec

GOOD = [50.0] * 9


def said(cost: str | None, evidence=None, cores: int = 1, **changes):
    wanted = need(**changes)
    constraints = limit_constraints(limits_of(spec(**changes)), {"m": machine(cost)})
    known = knowledge(wanted, evidence or [measured(GOOD)], cost=cost, constraints=constraints)
    return answer(known, fleet(cores), Calendar.of([]), "group", NOW_MS).answer


def test_within_the_budget_it_is_an_offer_in_full() -> None:
    found = said("0.60 EUR", budget={"hourlyMax": "0.60 EUR", "totalMax": "0.10 EUR"})
    assert found.kind == "Offers", "ten minutes at 0.60 EUR an hour are 0.10 EUR"


def test_twin_above_it_is_a_counter_offer_that_says_how_much_it_takes() -> None:
    found = said("0.60 EUR", budget={"hourlyMax": "0.59 EUR"})
    assert found.kind == "CounterOffers"
    (relaxed,) = found.quotes[0].relaxed
    assert (relaxed.axis, relaxed.what, relaxed.asked, relaxed.offered) == (
        "price",
        "budget.hourlyMax",
        "0.59 EUR",
        "0.60 EUR",
    )
    assert found.refusal is not None
    assert found.refusal.binding.constraint == "budget.hourlyMax"
    assert found.refusal.binding.next_step == "allow 0.60 EUR, or ask for less"


def test_the_total_is_a_limit_of_its_own() -> None:
    found = said("0.60 EUR", budget={"totalMax": "0.09 EUR"})
    assert [relaxed.what for relaxed in found.quotes[0].relaxed] == ["budget.totalMax"]


def test_what_nobody_has_priced_is_no_candidate() -> None:
    found = said(None, budget={"hourlyMax": "1 EUR"})
    assert found.kind == "Refusal"
    assert found.refusal is not None
    assert found.refusal.binding.constraint == "spec.budget"
    assert "tenure price set m" in (found.refusal.binding.next_step or "")


def test_another_currency_is_not_converted() -> None:
    found = said("0.60 EUR", budget={"hourlyMax": "100 USD"})
    assert found.refusal is not None
    assert "it is priced in EUR and spec.budget is in USD" in (found.refusal.binding.next_step or "")


def test_power_that_nobody_knows_cannot_be_limited() -> None:
    found = said(None, power="10W")
    assert found.kind == "Refusal"
    assert found.refusal is not None
    assert found.refusal.binding.constraint == "spec.power"


def test_something_lesser_within_the_budget_is_offered_beside_it() -> None:
    cheap = measured([300.0] * 9, threads=1)
    dear = measured(GOOD, threads=2)
    found = said("0.60 EUR", [cheap, dear], cores=2, budget={"hourlyMax": "0.60 EUR"})
    axes = [sorted(relaxed.axis for relaxed in quote.relaxed) for quote in found.quotes]
    assert axes == [["price"], ["slower"]], "one core is priced as the whole of what the machine sells"
