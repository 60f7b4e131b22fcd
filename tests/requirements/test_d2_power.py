"""D2: a rack's power and cooling limit admission as devices do, and are named when they bind although GPUs are idle.

Space and weight are taken by machines, so it is more machines that the floor refuses.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.discovery.fleets import read_fleet
from tenure.resources.kinds.site import SiteSpec
from tests.requirements.fleets import HEADER, fleet, gang, hopper, house_of
from tests.requirements.home import House

pytestmark = pytest.mark.real
COUNTER_OFFERED = 6
"""The need is refused, and a smaller gang is offered."""


@pytest.fixture(scope="module")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Three machines of 10.2 kW in a rack that is given 15 kW."""
    rows = (hopper(f"m-{n}", "rack-7", rack_power="15kW") for n in range(3))
    with house_of(tmp_path_factory.mktemp("power"), *rows) as home:
        yield home


def gone(home: House, name: str) -> None:
    """What was offered instead is given back."""
    home.must("delete", "workload", name)
    home.tenure("delete", "offers", "--all")  # they go by themselves, a little later


def test_admission_is_refused_by_the_rack_although_gpus_idle(rack: House) -> None:
    assert rack.tenure("request", "-f", gang(rack, "hungry", members=3, gpus=8)).code == COUNTER_OFFERED
    answer = rack.must("why", "hungry", "-o", "json").json["answer"]
    gone(rack, "hungry")
    assert answer["quotes"][0]["relaxed"] == [
        {"axis": "less", "what": "resources.members", "asked": "3", "offered": "2"}
    ]
    binding = answer["refusal"]["binding"]
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


def test_the_recount_adds_budgets_up_and_agrees(rack: House) -> None:
    said = rack.must("ledger", "check", "-o", "json").json
    assert said["holds"] >= 1
    assert said["agrees"] is True


def test_twin_a_rack_given_less_than_is_held_there_is_found_overbooked(rack: House) -> None:
    # Also when it is run by itself, there is something to find.
    rack.must("request", "-f", gang(rack, "standing", members=1, gpus=2))
    site = rack.must("get", "site", "simulated", "-o", "json").json
    spec = site["spec"] | {"budgets": [part | {"power": "1kW"} for part in site["spec"]["budgets"]]}
    path = rack.manifest(
        "less",
        json.dumps({k: site[k] for k in ("apiVersion", "kind")} | {"metadata": {"name": "simulated"}, "spec": spec}),
    )
    rack.must("apply", "-f", path)
    said = rack.tenure("ledger", "check", "-o", "json")
    assert said.code == 1
    assert [f["code"] for f in said.json["findings"]] == ["BudgetOverbooked"]
    assert said.json["findings"][0]["subject"] == "budget/power:rack-7"


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Three machines of 10.2 kW in a rack that is given all their power and rid of 15 kW."""
    rows = (hopper(f"m-{n}", "rack-7", rack_power="40kW") + ",15kW" for n in range(3))
    with house_of(tmp_path_factory.mktemp("cooling"), *rows, header=HEADER + ",rack_cooling") as home:
        yield home


def test_admission_is_refused_by_the_racks_cooling_although_power_and_gpus_are_left(warm: House) -> None:
    assert warm.tenure("request", "-f", gang(warm, "hot", members=3, gpus=8)).code == COUNTER_OFFERED
    binding = warm.must("why", "hot", "-o", "json").json["answer"]["refusal"]["binding"]
    gone(warm, "hot")
    assert (binding["constraint"], binding["capacity"]) == ("cooling:rack-7", 15_000_000)
    assert warm.must("capacity", "-o", "json").json["verdict"] == "cooling-bound"


def test_twin_what_can_be_cooled_is_held(warm: House) -> None:
    warm.must("request", "-f", gang(warm, "lukewarm", members=2, gpus=8))
    assert warm.must("ledger", "check", "-o", "json").json["agrees"] is True


@pytest.mark.parametrize(("added", "code"), [(1, 0), (2, 5)])
def test_machines_may_be_added_until_the_floor_bears_no_more(tmp_path: Path, added: int, code: int) -> None:
    rows = (hopper(f"m-{n}", f"rack-{n}") + ",130" for n in range(2))
    given = read_fleet(fleet(tmp_path / "heavy.csv", *rows, header=HEADER + ",weight"))
    site = given.site.model_copy(update={"spec": SiteSpec(weight_kg=400)})
    objects = [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in (site, *given.profiles)]
    objects += [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in given.machines]
    path = tmp_path / "heavy.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    trace = tmp_path / "trace.csv"
    trace.write_text("name,arrival_s,duration_s,members,gpus\nj,0,60,1,8\n")
    said = House(tmp_path / "home").tenure("simulate", path, trace, "--what-if", f"add={added}")
    assert said.code == code, said.err
    if code:
        assert "weight:simulated would be 520 of 400 kg" in said.err
