"""What-if changes the fleet and nothing else, and refuses what means nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from tenure.cli.failures import Failure
from tenure.cli.simulate.command import simulate
from tenure.cli.simulate.page import page
from tenure.cli.simulate.run import Outage
from tenure.cli.simulate.what_if import changed
from tenure.discovery.fleets import read_fleet
from tenure.resources.kinds.site import SiteSpec
from tests.cli.simulation.builders import HOUR_MS, a_fleet, job, placed, run


def test_what_if_changes_the_fleet_and_nothing_else() -> None:
    other = changed(a_fleet(), ["add=2,power=9kW", "outage=r-1@2h"])
    assert len(other.fleet.machines) == 6
    assert str(other.fleet.site.spec.power) == "9kW"
    assert other.outages == (Outage("r-1", 2 * HOUR_MS, "rack"),)


def test_machines_that_the_floor_cannot_carry_are_refused_with_the_limit() -> None:
    given = a_fleet()
    heavy = tuple(m.model_copy(update={"spec": m.spec.model_copy(update={"weight_kg": 130})}) for m in given.machines)
    site = given.site.model_copy(update={"spec": SiteSpec(weight_kg=700)})
    fleet = replace(given, site=site, machines=heavy)
    assert len(changed(fleet, ["add=1"]).fleet.machines) == 5
    with pytest.raises(Failure) as refused:
        changed(fleet, ["add=2"])
    assert (refused.value.exit_code, refused.value.reason) == (5, "Infeasible")
    assert "weight:simulated would be 780 of 700 kg" in refused.value.message


def test_added_racks_have_the_limits_of_the_rack_that_they_are_like_and_stand_in_its_row(tmp_path: Path) -> None:
    file = tmp_path / "nodes.csv"
    header = "sn,cpu_milli,memory_mib,gpu,model,rack,row,nvlink_domain,leaf,gpu_power,rack_power"
    rows = [f"m-{n},96000,65536,8,H100,rack-{n // 2},row-0,nvl-{n // 2},leaf-0,700W,2800W" for n in range(4)]
    file.write_text("\n".join([header, *rows]))
    fleet = placed(changed(read_fleet(file), ["add=3"]).fleet)
    limits = {budget.id: budget.limit for budget in fleet.budgets}
    assert limits == {f"power:{rack}": 2_800_000 for rack in ("rack-0", "rack-1", "added-0", "added-1")}
    added = [dict(fleet.machine(f"added-{n:05d}").place) for n in range(3)]
    assert {(at["row"], at["leaf"]) for at in added} == {("row-0", "leaf-0")}
    assert [(at["rack"], at["nvlinkDomain"]) for at in added] == [
        ("added-0", "added-0-nvl-0"),
        ("added-0", "added-0-nvl-0"),
        ("added-1", "added-1-nvl-0"),
    ]


def test_another_limit_of_cooling_leaves_a_racks_power_as_it_was() -> None:
    told = changed(a_fleet(), ["power=r-0:5kW", "cooling=r-0:4kW"]).fleet.site.spec.budgets
    assert [(part.domain, str(part.power), str(part.cooling)) for part in told] == [("r-0", "5kW", "4kW")]


def test_a_name_of_two_domains_is_refused_until_it_is_said_which(tmp_path: Path) -> None:
    file = tmp_path / "nodes.csv"
    rows = [f"m-{n},8000,8192,8,X,{n // 2},{n // 4}" for n in range(8)]
    file.write_text("\n".join(["sn,cpu_milli,memory_mib,gpu,model,rack,row", *rows]))
    fleet = read_fleet(file)
    for wish in ("power=1:5kW", "outage=1"):
        with pytest.raises(Failure, match="rack and row are both called 1; write rack/1 or row/1"):
            changed(fleet, [wish])
    told = changed(fleet, ["power=row/1:5kW", "power=rack/1:4kW", "outage=row/1@1h"])
    assert [(p.level, p.domain, str(p.power)) for p in told.fleet.site.spec.budgets] == [
        ("row", "1", "5kW"),
        ("rack", "1", "4kW"),
    ]
    assert told.outages == (Outage("1", HOUR_MS, "row"),)
    first = run(job("a", 0, 2, 64), fleet=fleet, outages=[Outage("1", HOUR_MS, "row")])
    assert first["series"][-1]["map"] == "0000xxxx"


@pytest.mark.parametrize("wish", ["add=none", "add=0", "power=9", "power=r-9:1kW", "outage=moon", "price=1", "add"])
def test_a_wish_that_means_nothing_is_refused_with_an_example(wish: str) -> None:
    with pytest.raises(Failure) as refused:
        changed(a_fleet(), [wish])
    assert "--what-if" in refused.value.next_step


def test_the_page_carries_no_markup_of_its_inputs() -> None:
    told = run(job("a", 0, 1, 1))
    machines = [["</script><b>", "", 8]] * 4
    text = page({"fleet": "<f>", "trace": "<t>", "seed": 0, "runs": {"<r>": {**told, "machines": machines}}})
    assert text.count("</script>") == 2, "its own data and its own script"
    assert "<f>" not in text
    assert "<r>" not in text


def test_a_page_is_not_written_where_its_figures_go(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="its figures go to") as refused:
        simulate(tmp_path / "fleet.csv", tmp_path / "trace.csv", html=tmp_path / "r.json")
    assert refused.value.exit_code == 2
