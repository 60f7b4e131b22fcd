"""Part of G4: one contract is provisioned, measured, breached by real interference and remedied, all on its record.

It is the quickstart's own story, with what it leaves kept: the figures come from the contract's signed evidence.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tenure.catalog import artifact_of, cached_path, models
from tests.requirements.home import House

pytestmark = pytest.mark.real
STEP = "Breach and remedy"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A home of its own, since the story begins with nothing."""
    made = House(tmp_path_factory.mktemp("story") / "home")
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def told(here: House) -> dict[str, Any]:
    """What each step came to; what it started is left running."""
    if cached_path(artifact_of(models()[0])) is None:
        pytest.skip("the model is not here: tenure model fetch smollm2-135m-instruct")
    said = here.tenure("quickstart", "--keep", "-o", "json")
    assert said.code == 0, said.out + said.err
    return {one["step"]: one for one in said.json["outcomes"]} | {"running": said.json["running"]}


def audits(here: House) -> list[dict[str, Any]]:
    """Of every contract that was signed."""
    names = here.must("get", "contracts", "-o", "name").out.split()
    found = [here.tenure("contract", "audit", name.rpartition("/")[2], "-o", "json") for name in names]
    return [said.json for said in found if said.out]


def test_one_contract_is_provisioned_measured_breached_and_remedied(here: House, told: dict[str, Any]) -> None:
    if told[STEP]["outcome"] == "NotShown":
        pytest.skip(f"this machine could not show it: {told[STEP]['said']}")
    assert told[STEP]["outcome"] == "Held", told[STEP]
    remedied = [one for one in audits(here) if any(step["outcome"] == "Helped" for step in one["remedies"])]
    assert remedied, "a rung of the ladder helped, by the signed evidence"
    story = remedied[0]
    assert all(promise["account"]["kept"] for promise in story["promises"]), "measured, and kept"
    assert story["episodes"], "the breach is on record, with when it was detected"


def test_what_was_told_with_keep_is_left_running(here: House, told: dict[str, Any]) -> None:
    assert told["running"] is True
    assert here.tenure("status").code in (0, 1, 7), "its control plane answers"
    assert "Active" in here.must("get", "contracts").out


def test_twin_what_nobody_disturbed_has_no_remedy_on_record(here: House, told: dict[str, Any]) -> None:
    said = here.tenure("contract", "audit", "sovereign", "-o", "json")
    assert said.code == 3, "what was refused was never provisioned, and has no record"
