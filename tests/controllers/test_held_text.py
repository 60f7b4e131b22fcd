"""The event of an answer counts what is held, in words that fit the number."""

import pytest

from tenure.controllers.workload.offering import held_text
from tests.cli.answers import answer, quote


@pytest.mark.parametrize(
    ("offers", "said"),
    [
        ((), "no offer is held"),
        ((None,), "no offer is held"),
        (("a",), "1 offer is held"),
        (("a", None), "1 offer is held"),
        (("a", "b"), "2 offers are held"),
    ],
)
def test_it_counts_what_is_held(offers: tuple[str | None, ...], said: str) -> None:
    assert held_text(answer(quotes=[quote(offer) for offer in offers])) == said
