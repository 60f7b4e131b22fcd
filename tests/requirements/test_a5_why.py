"""A5: `tenure why` names every constraint, how many candidates it removed, and a minimal conflicting set."""

import pytest

from tests.requirements.home import House

pytestmark = pytest.mark.real


def test_an_impossible_need_is_explained_with_its_numbers(home: House) -> None:
    path = home.command("huge", extra="  resources: {cores: 4096}\n")
    assert home.tenure("request", "-f", path).code == 5
    said = home.tenure("why", "huge", "-o", "json")
    refusal = said.json["answer"]["refusal"] if "answer" in said.json else said.json["refusal"]
    assert refusal["binding"]["constraint"] == "cores"
    assert refusal["binding"]["needed"] == 4096
    assert refusal["binding"]["capacity"] < 4096
    assert sum(step["removed"] for step in refusal["funnel"]) >= 1
    assert refusal["conflicting"]


def test_twin_a_feasible_need_has_nothing_that_binds(home: House) -> None:
    path = home.command("small")
    assert home.tenure("request", "-f", path).code == 0
    said = home.tenure("why", "small", "-o", "json")
    found = said.json.get("answer", said.json)
    assert found["kind"] == "Offers"
    assert not found.get("refusal")
