"""What was declared of a fleet through the door outlives every start; where its file says otherwise, that is told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from tenure.controllers.machine.merging import declared_of, merged
from tenure.controllers.machine.simulated import register_fleet
from tenure.discovery.fleets import FleetFile, Hardware, profile_of, read_fleet
from tenure.quantities import SystemClock
from tenure.resources import HardwareProfile, Machine, ObjectMeta, Site
from tenure.resources.kinds.site import SiteSpec
from tests.support.embedded import embedded

LEVELS = {"levels": [{"level": "leaf", "bandwidth": "50GB/s"}]}


def site(**spec: Any) -> SiteSpec:
    return SiteSpec.model_validate(spec)


def table(path: Path, columns: str = "", cells: str = "") -> FleetFile:
    """A table of one machine, with these columns more."""
    path.write_text(f"sn,cpu_milli,memory_mib,gpu,model{columns}\nm,8000,65536,0,{cells}\n")
    return read_fleet(path)


def after(there: SiteSpec, wanted: SiteSpec, before: SiteSpec | None = None) -> tuple[dict[str, Any], list[str]]:
    """What a Site says then, and what is told."""
    spec, told = merged(there, wanted, before or wanted, "spec")
    return {key: value for key, value in spec.to_json().items() if value != []}, told


def test_what_a_file_does_not_name_stays() -> None:
    declared = site(power="40kW", scores=[{"score": "cost", "weight": 1}], **LEVELS)
    assert after(declared, site()) == (after(declared, declared)[0], [])
    assert after(declared, site(cooling="9kW"))[0]["levels"] == LEVELS["levels"]


def test_what_a_file_names_is_as_the_file_says_and_that_is_told_where_it_was_declared_otherwise() -> None:
    spec, told = after(site(power="40kW"), site(power="50kW"))
    assert spec == {"power": "50kW"}
    assert told == ["spec.power is 50kW, as the file says, and no longer 40kW"]
    assert after(site(), site(power="50kW"), site())[1] == [], "nobody had said anything"
    assert after(site(power="50kW"), site(power="60kW"), site(power="50kW")) == ({"power": "60kW"}, [])


def test_what_a_file_named_and_names_no_more_goes_unless_it_was_changed_since() -> None:
    assert after(site(power="40kW"), site(), site(power="40kW")) == ({}, [])
    assert after(site(power="50kW"), site(), site(power="40kW")) == ({"power": "50kW"}, [])
    place = {"location": {"country": "DE", "assertedBy": "me"}}
    assert "location" in after(site(**place), site(), site(**place))[0], "it stands there all the same"


def test_items_of_a_list_are_told_apart_by_what_they_are_of() -> None:
    def rack(name: str, **more: Any) -> dict[str, Any]:
        return {"level": "rack", "domain": name, **more}

    there = site(budgets=[rack("a", power="40kW", network="9GB/s"), rack("b", power="40kW"), {"level": "row"}])
    wanted = site(budgets=[rack("a", power="30kW"), rack("c", power="1kW")])
    before = site(budgets=[rack("b", power="40kW"), rack("c", power="1kW")])
    spec, told = after(there, wanted, before)
    assert [(b["level"], b.get("domain"), b.get("power"), b.get("network")) for b in spec["budgets"]] == [
        ("rack", "a", "30kW", "9GB/s"),
        ("row", None, None, None),
        ("rack", "c", "1kW", None),
    ]
    assert told == [
        "spec.budgets[rack a].power is 30kW, as the file says, and no longer 40kW",
        "spec.budgets[rack c] is level rack, domain c, power 1kW, as the file says, and no longer undeclared",
    ]


def test_two_limits_of_one_domain_both_stay() -> None:
    rows = [{"level": "row", "power": "9kW"}, {"level": "row", "power": "8kW"}, {"level": "row", "cooling": "7kW"}]
    declared, said = site(budgets=rows), site(budgets=[{"level": "row", "power": "9kW"}, {"level": "rack"}])
    spec, told = after(declared, said)
    assert [(b["level"], b.get("power"), b.get("cooling")) for b in spec["budgets"]] == [
        ("row", "9kW", None),
        ("row", "8kW", None),
        ("row", None, "7kW"),
        ("rack", None, None),
    ]
    assert after(declared, declared)[0] == after(declared, site())[0]
    assert told == ["spec.budgets[rack] is level rack, as the file says, and no longer undeclared"]


async def test_a_start_over_a_table_leaves_what_was_declared_of_site_and_machines(tmp_path: Path) -> None:
    async with embedded(tmp_path / "home") as host, host.client("controllers") as client, host.client() as user:
        fleet = table(tmp_path / "fleet.csv")
        await register_fleet(client, SystemClock(), fleet)
        await user.patch(Site, "simulated", {"spec": {**LEVELS, "powerBasis": "capped"}})
        spec = {"hourlyCost": "3 EUR", "owner": "us", "drain": True, "reserved": {"cores": [0]}}
        labels = {"topology.tenure.dev/leaf": "l-1", "team": "blue"}
        await user.patch(Machine, "m", {"metadata": {"labels": labels}, "spec": spec})
        before = [(await user.get(Site, "simulated")).to_json(), (await user.get(Machine, "m")).to_json()["spec"]]
        other = table(tmp_path / "other.csv", ",rack,rack_power", ",r,40kW")
        for kept, last in ((fleet, None), (other, fleet), (fleet, other)):
            registered = await register_fleet(client, SystemClock(), kept, last)
            assert registered.overruled == ()
            machine = await user.get(Machine, "m")
            assert machine.metadata.labels == labels
            assert machine.to_json()["spec"] == {**before[1], **({"rack": "r"} if kept is other else {})}
            assert (await user.get(Site, "simulated")).to_json()["spec"].keys() - before[0]["spec"].keys() == set()
        assert (await user.get(Site, "simulated")).spec.to_json() == before[0]["spec"]
        priced = table(tmp_path / "fleet.csv", ",hourly_cost", ",4 EUR")
        registered = await register_fleet(client, SystemClock(), priced, fleet)
        assert registered.overruled == (
            "Machine/m spec.hourlyCost is 4.00 EUR, as the file says, and no longer 3.00 EUR",
        )
        assert (await user.get(Site, "simulated")).metadata.annotations == {"tenure.dev/fleet": "fleet"}


async def test_hardware_that_a_file_changes_under_its_name_is_what_is_planned_on(tmp_path: Path) -> None:
    def of(cores: int) -> FleetFile:
        made = profile_of(Hardware(cores=cores, memory_bytes=2**36))
        profile = made.model_copy(update={"metadata": ObjectMeta(name="p")})
        fleet = table(tmp_path / "fleet.csv")
        (machine,) = fleet.machines
        named = machine.model_copy(update={"spec": machine.spec.model_copy(update={"profile": "p"})})
        return replace(fleet, profiles=(profile,), machines=(named,))

    async with embedded(tmp_path / "home") as host, host.client("controllers") as client:
        await register_fleet(client, SystemClock(), of(8))
        registered = await register_fleet(client, SystemClock(), of(4), of(8))
        assert registered.overruled == ()
        assert len((await client.get(HardwareProfile, "p")).spec.topology["cores"]) == 4
        await client.patch(HardwareProfile, "p", {"spec": {"summary": "mine"}})
        registered = await register_fleet(client, SystemClock(), of(4))
        assert [told.partition(" is ")[0] for told in registered.overruled] == ["HardwareProfile/p spec.summary"]


def test_labels_are_merged_as_fields_are() -> None:
    def labelled(**labels: str) -> Machine:
        wire = {"metadata": {"name": "m", "labels": labels}, "spec": {"site": "s", "profile": "p"}}
        return Machine.model_validate(wire)

    made, told = declared_of(labelled(a="1", b="2", c="3"), labelled(a="9", d="4"), labelled(a="1", b="2"))
    assert made.metadata.labels == {"a": "9", "c": "3", "d": "4"}
    assert told == []
    _, told = declared_of(labelled(a="2"), labelled(a="9"), labelled(a="1"))
    assert told == ["Machine/m metadata.labels[a] is 9, as the file says, and no longer 2"]
