"""D2: a rack's power limits admission as devices do, and is named when it binds although GPUs are idle."""

from collections.abc import Iterator

import pytest

from tests.requirements.fleets import gang, hopper, house_of
from tests.requirements.home import House

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Three machines of 10.2 kW in a rack that is given 15 kW."""
    rows = (hopper(f"m-{n}", "rack-7", rack_power="15kW") for n in range(3))
    with house_of(tmp_path_factory.mktemp("power"), *rows) as home:
        yield home


def test_admission_is_refused_by_the_rack_although_gpus_idle(rack: House) -> None:
    assert rack.tenure("request", "-f", gang(rack, "hungry", members=3, gpus=8)).code == 5
    binding = rack.must("why", "hungry", "-o", "json").json["answer"]["refusal"]["binding"]
    assert binding["constraint"] == "power:rack-7"
    assert binding["capacity"] == 15_000_000
    assert binding["needed"] > 15_000_000


def test_capacity_names_the_same_limit_at_the_door(rack: House) -> None:
    said = rack.must("capacity", "-o", "json").json
    assert said["verdict"] == "power-bound"
    assert said["binding"]["kind"] == "power"


def test_twin_what_the_rack_can_power_is_held_contracted_and_accounted_for(rack: House) -> None:
    rack.must("request", "-f", gang(rack, "modest", members=2, gpus=8))
    offer = rack.must("why", "modest", "-o", "json").json["answer"]["quotes"][0]["offer"]
    rack.must("accept", offer)
    contract = rack.must("get", "contract", offer, "-o", "json").json
    assert contract["status"]["phase"] == "Active"
    assert contract["status"].get("verdict") != "Kept"  # nothing was measured
    assert "simulated" in str(contract["status"]["conditions"])
    assert rack.must("ledger", "check", "-o", "json").json["runs"] == 1
