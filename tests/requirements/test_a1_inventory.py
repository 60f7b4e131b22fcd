"""A1: every machine in detail; a missing attribute is named, never papered over."""

import json
from pathlib import Path

import pytest

from tests.requirements.home import House

pytestmark = pytest.mark.real


def test_scan_lists_the_machine(tmp_path: Path) -> None:
    said = House(tmp_path / "home").must("inventory", "scan", "-o", "json").json
    topology = said["topology"]
    assert topology["packages"]
    assert topology["cores"]
    assert topology["caches"]
    assert {"numaNodes", "pci", "gpus", "nics", "disks"} <= topology.keys()
    assert said["capabilities"], "what can be enforced here"


def test_twin_lint_fails_on_a_missing_attribute_and_names_it(tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    scanned = house.must("inventory", "scan", "-o", "json").json
    scanned["topology"]["numaNodes"][0]["memoryBytes"] = {"unknown": "nobody read it"}
    file = tmp_path / "machine.json"
    file.write_text(json.dumps(scanned))
    said = house.tenure("inventory", "lint", file)
    assert said.code == 1
    assert "nobody read it" in said.out + said.err
