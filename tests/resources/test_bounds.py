"""What nothing could answer is refused where it is written: too many, too long, too late, or not to be handed over."""

from typing import Any

import pytest
from pydantic import ValidationError

from tenure.resources import Workload
from tenure.resources.kinds.machine import MachineSpec
from tests.controllers.builders import spec

RUN = {"command": ["true"]}
JOB = {"inference": None, "load": None, "assurance": None, "objectives": None, "command": {}, "run": RUN}


def refused(**changes: Any) -> tuple[str, str]:
    """(code, path) of the one error."""
    with pytest.raises(ValidationError) as caught:
        spec(**changes)
    (error,) = caught.value.errors()
    return error["type"], ".".join(str(step) for step in error["loc"])


@pytest.mark.parametrize(
    "resources",
    [
        {"members": 100_001},
        {"members": 100_000, "membersMin": 100_001},
        {"cores": 100_001},
        {"sizes": [{"members": 100_001, "value": 1}]},
        {"roles": [{"name": "a", "members": 100_001}]},
        {"devices": [{"class": "gpu", "count": 100_001}]},
    ],
)
def test_no_more_are_asked_for_than_can_be_counted_with(resources: dict[str, Any]) -> None:
    code, path = refused(**JOB, resources=resources)
    assert code == "less_than_equal"
    assert path.startswith("resources.")
    assert spec(**JOB, resources={"members": 100_000}).resources is not None, "twin"


@pytest.mark.parametrize("name", ["n" * 254, "", "a/b", "Upper", "n" * 100_000])
def test_a_reference_is_a_name_that_an_object_can_have(name: str) -> None:
    assert refused(inference={"model": name}) == ("InvalidName", "inference.model")
    assert spec(inference={"model": "n" * 253}).inference is not None, "twin"


@pytest.mark.parametrize(
    ("run", "path"),
    [
        ({"command": ["a\0b"]}, "run.command.0"),
        (RUN | {"env": [{"name": "A", "value": "a\0b"}]}, "run.env.0.value"),
        (RUN | {"files": [{"path": "a", "content": "a\0b"}]}, "run.files.0.content"),
        (RUN | {"files": [{"path": "a\0b", "content": ""}]}, "run.files.0.path"),
    ],
)
def test_a_nul_character_is_handed_to_no_program(run: dict[str, Any], path: str) -> None:
    assert refused(**(JOB | {"run": run}))[1] == path


def test_lines_are_handed_over_as_they_are() -> None:
    said = spec(**(JOB | {"run": {"command": ["sh", "-c", "a\nb\n"], "files": [{"path": "a", "content": "\n\r\t"}]}}))
    assert said.run is not None
    assert said.run.command[2] == "a\nb\n"


@pytest.mark.parametrize(("metadata", "allowed"), [({"name": 63}, 1), ({"name": 64}, 0), ({"generateName": 59}, 0)])
def test_a_workloads_name_serves_as_a_label(metadata: dict[str, int], allowed: int) -> None:
    content = {"metadata": {key: "n" * length for key, length in metadata.items()}, "spec": spec().to_json()}
    if allowed:
        Workload.model_validate(content)
        return
    with pytest.raises(ValidationError) as caught:
        Workload.model_validate(content)
    assert [(error["type"], error["loc"]) for error in caught.value.errors()] == [("InvalidName", ("metadata",))]


@pytest.mark.parametrize(
    "term",
    [
        {"duration": "10m"},
        {"start": "2030-01-01T00:00:00Z", "end": "2030-01-01T00:59:59Z"},
    ],
)
def test_a_window_is_no_longer_than_the_term(term: dict[str, str]) -> None:
    assert refused(assurance={"window": "1h"}, term=term)[0] == "InvalidWindow"
    assert spec(assurance={"window": "1h"}, term={"duration": "1h"}).term is not None, "twin"


def test_a_window_is_no_longer_than_what_is_accounted() -> None:
    assert refused(assurance={"window": "31d"}, term={"duration": "100d"}) == ("InvalidWindow", "assurance")


@pytest.mark.parametrize(
    ("term", "code"),
    [
        ({"start": "9999-12-31T23:59:59Z", "duration": "1h"}, "InvalidTerm"),
        ({"startBy": "9999-12-31T23:59:59Z", "duration": "1h"}, "InvalidTerm"),
        ({"start": "8990-12-31T23:59:59Z", "duration": "10000d"}, "InvalidTerm"),
        ({"end": "9999-12-31T23:59:59Z"}, "InvalidTerm"),
        ({"start": "9999-12-31T23:59:59-14:00"}, "InvalidInstant"),
        ({"start": "0001-01-01T00:00:00+14:00"}, "InvalidInstant"),
    ],
)
def test_what_has_no_time_that_can_be_written_is_no_term(term: dict[str, str], code: str) -> None:
    assert refused(term=term)[0] == code
    assert spec(term={"start": "8000-01-01T00:00:00Z", "duration": "1h"}).term.start is not None, "twin"


@pytest.mark.parametrize(
    ("budget", "code"),
    [
        ({"hourlyMax": "1 EUR", "totalMax": "2 USD"}, "CurrenciesDiffer"),
        ({"hourlyMax": "1 credits"}, "InvalidQuantity"),
        ({"hourlyMax": "99999999999999999999 EUR"}, "InvalidQuantity"),
    ],
)
def test_a_budget_is_in_one_currency(budget: dict[str, str], code: str) -> None:
    assert refused(budget=budget)[0] == code
    assert spec(budget={"hourlyMax": "1 EUR", "totalMax": "2 EUR"}).budget is not None, "twin"
    assert spec(budget={"hourlyMax": "5 GPU"}).budget is not None, "a platform may bill in credits of its own"


def test_a_price_is_an_amount_that_can_be_kept() -> None:
    assert (
        str(MachineSpec.model_validate({"site": "s", "profile": "p", "hourlyCost": "1000000 EUR"}).hourly_cost)
        == "1000000.00 EUR"
    ), "twin"
    with pytest.raises(ValidationError, match=r"is more than 1000000000000\.00 EUR"):
        MachineSpec.model_validate({"site": "s", "profile": "p", "hourlyCost": "99999999999999999999 EUR"})
