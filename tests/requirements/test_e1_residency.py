"""E1 and part of H11: what must stay somewhere is refused until that place is asserted, citing the rule."""

import pytest

from tests.requirements.home import House

pytestmark = pytest.mark.real
EU = "  residency: {jurisdictions: [EU]}\n"


def test_a_place_that_nobody_asserted_is_refused_and_the_command_is_named(home: House) -> None:
    said = home.tenure("request", "-f", home.command("eu", extra=EU))
    assert said.code == 5
    assert f"{home.path.name} site assert local" in " ".join((said.out + said.err).split()), "of this home"


def test_the_wrong_place_is_refused_by_the_rule(home: House) -> None:
    home.must("site", "assert", "local", "--country", "US", "--by", "the landlord")
    said = home.tenure("request", "-f", home.command("eu-again", extra=EU), "-o", "json")
    assert said.code == 5
    assert "residency: EU" in said.out + said.err


def test_twin_the_right_place_is_offered(home: House) -> None:
    home.must("delete", "workload", "eu", "eu-again")  # their needs stand, and would be met now
    home.must("site", "assert", "local", "--country", "DE", "--by", "the landlord")
    assert home.tenure("request", "-f", home.command("eu-at-last", extra=EU)).code == 0
