"""Of several ways that meet a need, the one that its user prefers is named first."""

import pytest

from tenure.controllers.answering.answer import answer
from tenure.placement import Calendar
from tests.controllers.builders import NOW_MS, fleet, knowledge, measured, need

FAST = measured([20.0] * 9, threads=2)
FRUGAL = measured([50.0] * 9, threads=1)


def order(preference: str, cost: str | None) -> list[int]:
    known = knowledge(need(preference=preference), [FAST, FRUGAL], cost=cost)
    found = answer(known, fleet(2), Calendar.of([]), "group", NOW_MS).answer
    assert found.kind == "Offers"
    return [quote.cores for quote in found.quotes]


@pytest.mark.parametrize(
    ("preference", "cost", "cores"),
    [
        ("speed", "0.60 EUR", [2, 1]),
        ("cost", "0.60 EUR", [1, 2]),
        ("cost", None, [1, 2]),
        ("power", None, [1, 2]),
    ],
)
def test_the_order_follows_the_preference(preference: str, cost: str | None, cores: list[int]) -> None:
    assert order(preference, cost) == cores
