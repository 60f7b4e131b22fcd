"""A5: `tenure why` names every constraint, how many candidates it removed, and a minimal conflicting set."""

import pytest

from tests.requirements.home import House

pytestmark = pytest.mark.real
FITS = "memory: 64Mi"


def test_an_impossible_need_is_explained_with_its_numbers(home: House) -> None:
    path = home.command("huge", extra=f"  resources: {{cores: 4096, {FITS}}}\n")
    assert home.tenure("request", "-f", path).code == 5
    said = home.tenure("why", "huge", "-o", "json")
    refusal = said.json["answer"]["refusal"] if "answer" in said.json else said.json["refusal"]
    assert refusal["binding"]["constraint"] == "cores"
    assert refusal["binding"]["needed"] == 4096
    assert refusal["binding"]["capacity"] < 4096
    assert sum(step["removed"] for step in refusal["funnel"]) >= 1
    assert refusal["conflicting"] == ["cores"], "nothing that would fit is blamed"


def test_the_conflicting_set_is_minimal(home: House) -> None:
    """Of two things that cannot be had, each enough for a no, one is named; without the one of the first it fits."""
    both = home.command("both", extra=f"  resources: {{cores: 4096, {FITS}}}\n  residency: {{jurisdictions: [EU]}}\n")
    assert home.tenure("request", "-f", both).code == 5
    assert len(home.tenure("why", "both", "-o", "json").json["answer"]["refusal"]["conflicting"]) == 1
    assert home.tenure("ask", "-f", home.command("fits", extra=f"  resources: {{{FITS}}}\n")).code == 0


def test_twin_a_feasible_need_has_nothing_that_binds(home: House) -> None:
    path = home.command("small")
    assert home.tenure("request", "-f", path).code == 0
    said = home.tenure("why", "small", "-o", "json")
    found = said.json.get("answer", said.json)
    assert found["kind"] == "Offers"
    assert not found.get("refusal")
