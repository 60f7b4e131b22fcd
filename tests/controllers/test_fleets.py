"""From a site's objects to the fleet that placement plans on: levels, islands, power and budgets."""

from pathlib import Path

from tenure.controllers.answering.explicit import Wanted, limits_of_engine, wanted_of, with_wanted
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.machine.simulated import as_observed
from tenure.discovery.fleets import read_fleet
from tenure.placement import Calendar, Demand, Fleet, Plan, Refusal, Role, plan
from tenure.resources.kinds.workload import WorkloadSpec

HEADER = "sn,cpu_milli,memory_mib,gpu,model,rack,row,island,gpu_power,rated_power,rack_power,rack_units\n"


def fleet(folder: Path, *rows: str, every_budget: bool = False) -> Fleet:
    path = folder / "fleet.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n")
    found = read_fleet(path)
    return fleet_of(found.site, as_observed(found, 0), found.profiles, every_budget=every_budget)


def asked(**spec: object) -> WorkloadSpec:
    body = {"training": {}, "run": {"command": ["train"]}, **spec}
    return WorkloadSpec.model_validate(body)


def decided(site: Fleet, spec: WorkloadSpec) -> Plan | Refusal:
    resources = spec.resources
    assert resources is not None
    one = Demand("gang", (Role(cores=resources.cores),), duration_ms=1000)
    return plan(site, Calendar(), with_wanted(one, wanted_of(spec), site), now_ms=0)


GANG = {"members": 2, "cores": 1, "devices": [{"class": "gpu", "count": 4}]}


def test_a_full_machine_draws_its_rated_power(tmp_path: Path) -> None:
    machine = fleet(tmp_path, "m,8000,1024,8,H100,r,,8,700W,10kW,,").machines[0]
    devices = sum(device.power.rated_mw or 0 for device in machine.devices)
    assert devices + len(machine.cores) * (machine.core_power.rated_mw or 0) == 10_000_000


def test_unknown_power_stays_unknown(tmp_path: Path) -> None:
    machine = fleet(tmp_path, "m,8000,1024,8,H100,r,,8,,,,").machines[0]
    assert machine.core_power.rated_mw is None
    assert machine.devices[0].power.rated_mw is None


def test_a_budget_that_full_machines_cannot_exceed_is_no_constraint(tmp_path: Path) -> None:
    rows = ("m,8000,1024,8,H100,tight,,8,700W,10kW,9kW,", "n,8000,1024,8,H100,loose,,8,700W,10kW,11kW,")
    assert [budget.id for budget in fleet(tmp_path, *rows).budgets] == ["power:tight"]
    assert {b.id for b in fleet(tmp_path, *rows, every_budget=True).budgets} == {"power:tight", "power:loose"}


def test_what_a_rack_can_cool_limits_work_as_what_it_can_power(tmp_path: Path) -> None:
    path = tmp_path / "cooled.csv"
    path.write_text(HEADER.replace("rack_power", "rack_cooling") + "m,8000,1024,8,H100,rack-7,,8,700W,10kW,6kW,\n")
    found = read_fleet(path)
    site = fleet_of(found.site, as_observed(found, 0), found.profiles)
    refused = decided(site, asked(resources={"members": 2, "cores": 1, "devices": [{"class": "gpu", "count": 4}]}))
    assert isinstance(refused, Refusal)
    assert (refused.binding.constraint, refused.binding.unit) == ("cooling:rack-7", "mW")
    one = decided(site, asked(resources={"members": 1, "cores": 1, "devices": [{"class": "gpu", "count": 4}]}))
    assert isinstance(one, Plan)
    assert dict(one.draws)["cooling:rack-7"] == 4 * 700_000 + 550_000


def test_space_and_weight_are_taken_by_machines(tmp_path: Path) -> None:
    path = tmp_path / "heavy.csv"
    header = HEADER.replace("rack_power", "rack_weight,weight")
    path.write_text(header + "".join(f"m{n},8000,1024,8,H100,r,,8,,,1200,130,8\n" for n in range(2)))
    found = read_fleet(path)
    budgets = fleet_of(found.site, as_observed(found, 0), found.profiles, every_budget=True).budgets
    assert [(b.id, b.base, b.limit, b.unit) for b in budgets] == [("weight:r", 260, 1200, "kg")]


def test_levels_are_ordered_as_the_machines_nest(tmp_path: Path) -> None:
    rows = (f"m-{n},8000,1024,8,H100,rack-{n // 2},row-{n // 4},8,,,," for n in range(8))
    assert fleet(tmp_path, *rows).level_names() == ("machine", "nvlinkDomain", "rack", "row", "site")


def test_members_that_must_share_an_island_are_not_put_where_it_is_not_sure(tmp_path: Path) -> None:
    site = fleet(tmp_path, "a-split,8000,1024,8,H100,r,,4,,,,", "b-whole,8000,1024,8,H100,r,,8,,,,")
    found = decided(site, asked(resources=GANG, topology={"must": [{"share": "nvlinkDomain"}]}))
    assert isinstance(found, Plan)
    assert {claim.machine for claim in found.claims} == {"b-whole"}


def test_twin_without_a_whole_island_it_is_infeasible(tmp_path: Path) -> None:
    site = fleet(tmp_path, "a-split,8000,1024,8,H100,r,,4,,,,", "b-whole,8000,1024,4,H100,r,,4,,,,")
    found = decided(site, asked(resources=GANG, topology={"must": [{"share": "nvlinkDomain"}]}))
    assert isinstance(found, Refusal)


def test_of_several_levels_that_must_be_shared_all_are(tmp_path: Path) -> None:
    spec = asked(resources=GANG, topology={"must": [{"share": "rack"}, {"share": "rail"}]})
    site = fleet(tmp_path, "a,8000,1024,8,H100,r,,8,,,,", "b,8000,1024,8,H100,r,,8,,,,")
    found = with_wanted(Demand("d", (Role(),)), wanted_of(spec), site)
    assert found.required_levels == ("rail", "rack")


def test_sharing_inside_and_between_is_told_apart() -> None:
    spec = asked(
        resources=GANG, topology={"must": [{"share": "numaNode"}, {"share": "row"}], "prefer": [{"share": "rack"}]}
    )
    wanted = wanted_of(spec)
    assert wanted.requires == {"numa"}
    assert (wanted.required_levels, wanted.preferred_level) == (("row",), "rack")


def test_what_an_engine_cannot_do_is_a_constraint_with_a_next_step() -> None:
    assert not limits_of_engine(asked(resources=GANG), simulated=True)
    (members,) = limits_of_engine(asked(resources=GANG), simulated=False)
    assert "tenure up --fleet" in members.hint
    served = WorkloadSpec.model_validate(
        {
            "inference": {"model": "m"},
            "load": {"requestsPerSecond": 1, "promptTokens": 1, "outputTokens": 1},
            "objectives": {"timeToFirstToken": {"p95": "1s"}},
        }
    )
    (unmeasured,) = limits_of_engine(served, simulated=True)
    assert "spec.resources" in unmeasured.hint
    assert wanted_of(served) == Wanted()
