"""Countries are the 249 that ISO 3166-1 names; what is no country is refused where it is written."""

import pytest
from pydantic import ValidationError

from tenure.controllers.answering.residency import JURISDICTIONS
from tenure.resources.countries import CODES, MEANT, wrong_code
from tenure.resources.kinds.site import Location


def test_there_are_249_of_two_letters() -> None:
    assert len(CODES) == 249
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in CODES)


@pytest.mark.parametrize("name", JURISDICTIONS)
def test_every_member_of_a_jurisdiction_is_one(name: str) -> None:
    assert JURISDICTIONS[name] <= CODES


def test_what_is_written_for_another_code_is_told() -> None:
    assert not set(MEANT) & CODES
    assert set(MEANT.values()) <= CODES
    assert wrong_code("UK").endswith("write GB")
    assert wrong_code("de").endswith("write DE")
    assert wrong_code("DE") == ""


def test_a_location_in_no_country_is_refused() -> None:
    with pytest.raises(ValidationError, match="no ISO 3166-1 alpha-2 code"):
        Location(country="XX", asserted_by="Somebody")
    assert Location(country="DE", asserted_by="Somebody").country == "DE"
