"""A gang larger than a fleet hears what would fit, and does not keep the fleet from others by having asked."""

import pytest

from tests.requirements.fleets import gang, hopper, house_of
from tests.requirements.home import House

pytestmark = pytest.mark.real
COUNTER_OFFERED = 6


def test_what_nobody_asked_for_is_quoted_and_not_held_and_is_held_when_asked_for(tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    with house_of(tmp_path_factory.mktemp("unheld"), *(hopper(f"m-{n}", "rack-0") for n in range(4))) as home:
        said = home.tenure("request", "-f", gang(home, "huge", members=9, gpus=4))
        assert said.code == COUNTER_OFFERED
        assert "not held" in said.out
        quote = answer(home, "huge")["quotes"][0]
        assert quote["relaxed"][0]["offered"] == "8"
        assert "counter-offers together hold at most a quarter" in quote["unheldBecause"]
        assert "offer" not in quote
        assert home.must("ledger", "show", "-o", "json").json["holds"] == []
        home.must("request", "-f", gang(home, "just-that", members=8, gpus=4))
        assert answer(home, "just-that")["quotes"][0]["offer"]


def answer(home: House, name: str) -> dict:  # type: ignore[type-arg]
    return home.must("why", name, "-o", "json").json["answer"]  # type: ignore[no-any-return]
