"""Notice: when both parties are told that a term is over soon."""

import pytest

from tenure.controllers.contract.notice import NOTICE_MS_MAX, notice_at_ms, until_next
from tenure.quantities import Duration, format_instant
from tenure.resources import Contract, ObjectMeta
from tenure.resources.kinds.contract import ContractSpec, ContractTerm
from tests.controllers.builders import NOW_MS


def contract(starts_in: str, lasts: str) -> Contract:
    start_ms = NOW_MS + Duration.parse(starts_in).ms
    term = ContractTerm(start=format_instant(start_ms), end=format_instant(start_ms + Duration.parse(lasts).ms))
    return Contract.model_construct(metadata=ObjectMeta(name="c"), spec=ContractSpec.model_construct(term=term))


@pytest.mark.parametrize("starts_in", ["0s", "2h", "30d"])
@pytest.mark.parametrize(("lasts", "before"), [("10m", "1m"), ("5h", "30m"), ("10h", "1h"), ("30d", "1h")])
def test_it_is_due_a_tenth_of_the_term_before_its_end_and_an_hour_at_most(
    starts_in: str, lasts: str, before: str
) -> None:
    """Also of a contract that starts later: never before its own start, however long that is away."""
    made = contract(starts_in, lasts)
    start_ms, end_ms = int(made.spec.term.start), int(made.spec.term.end)
    assert end_ms - notice_at_ms(made) == Duration.parse(before).ms <= NOTICE_MS_MAX
    assert start_ms < notice_at_ms(made)


def test_the_term_asks_for_the_notice_and_then_for_the_end() -> None:
    made = contract("0s", "10m")
    assert until_next(made, NOW_MS) == Duration.parse("9m").ms
    assert until_next(made, NOW_MS + Duration.parse("9m").ms) == Duration.parse("1m").ms
