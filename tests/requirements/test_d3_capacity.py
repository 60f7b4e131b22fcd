"""D3: `tenure capacity` explains a site at full power with an empty floor, and what one more unit unlocks."""

from pathlib import Path

import jsonschema_rs
import yaml

from tenure.cli.schemas import OUTPUTS
from tenure.discovery.fleets import read_fleet
from tests.requirements.fleets import fleet, hopper
from tests.requirements.home import House


def site(folder: Path, *, power: str, rack_units: int) -> Path:
    """The partner's site: 10.2 kW machines of 8 units each, as manifests."""
    found = read_fleet(fleet(folder / "rows.csv", *(hopper(f"m-{n}", "rack-0") for n in range(4))))
    spec = {"power": power, "rackUnits": rack_units}
    documents = [
        {"apiVersion": "tenure.dev/v1alpha1", "kind": "Site", "metadata": {"name": "simulated"}, "spec": spec},
        *(obj.to_json() for obj in (*found.profiles, *found.machines)),
    ]
    path = folder / "partner.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return path


def test_full_power_and_an_empty_floor_are_told_apart(tmp_path: Path) -> None:
    path = site(tmp_path, power="11200W", rack_units=160)
    said = House(tmp_path / "home").must("capacity", "--fleet", path, "-o", "json").json
    limits = {limit["kind"]: limit for limit in said["limits"]}
    assert said["verdict"] == "power-bound"
    assert limits["rackUnits"]["share"] == 0.2  # 4 machines of 8 units in 160
    assert said["members"] == 16  # GPUs of 700 W
    assert said["oneMore"] == 700_000
    assert said["unlocks"] == 16
    assert said["nextLimit"] == "devices:gpu"
    jsonschema_rs.validate(OUTPUTS["Capacity"], said)


def test_it_reads_as_a_person_would_say_it(tmp_path: Path) -> None:
    said = House(tmp_path / "home").must("capacity", "--fleet", site(tmp_path, power="11200W", rack_units=160)).out
    assert "power-bound" in said
    assert "one more megawatt" in said
    assert "20%" in said


def test_twin_with_power_to_spare_the_devices_end_it(tmp_path: Path) -> None:
    path = site(tmp_path, power="1MW", rack_units=160)
    said = House(tmp_path / "home").must("capacity", "--fleet", path, "-o", "json").json
    assert said["verdict"] == "gpu-bound"
    assert said["members"] == 32
