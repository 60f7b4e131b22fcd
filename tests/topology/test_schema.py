"""What `-o json` prints has a schema; the file in the reference is that schema."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tenure.topology import Unknown, machine_schema, to_json
from tests.topology.builders import a_machine, an_observed

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "reference" / "inventory.schema.json"


def test_the_published_schema_is_the_one_of_the_code() -> None:
    assert json.loads(PUBLISHED.read_text()) == machine_schema(), (
        "write it anew: python -c 'import json, tenure.topology as t; print(json.dumps(t.machine_schema(), indent=1))'"
    )


def test_machines_known_and_unknown_fit_the_schema() -> None:
    validator = jsonschema_rs.validator_for(machine_schema())
    validator.validate(to_json(an_observed()))
    validator.validate(to_json(an_observed(a_machine(gpus=Unknown("no bus"), numa_distances=Unknown("none")))))


@pytest.mark.parametrize("spoil", [{"hostname": None}, {"hostname": {"unknown": 3}}, {"colour": "red"}])
def test_what_is_no_machine_does_not_fit(spoil: dict[str, Any]) -> None:
    assert not jsonschema_rs.validator_for(machine_schema()).is_valid({**to_json(an_observed()), **spoil})


def test_every_field_is_described() -> None:
    for name, definition in machine_schema()["$defs"].items():
        for key, value in definition.get("properties", {}).items():
            assert value.get("description") or name == "Unknown", f"{name}.{key} has no description"
