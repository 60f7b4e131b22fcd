"""Which watts a budget charges: what a machine is rated at, what it is capped to, or what it was measured to draw."""

from dataclasses import replace
from pathlib import Path

import pytest

from tenure.cli.recount_facts import limits_of
from tenure.controllers.machine.register import gpu_limit
from tenure.controllers.machine.simulated import as_observed
from tenure.discovery.fleets.hardware import Hardware, topology_of
from tenure.placement import Calendar, Fleet, capacity
from tests.controllers.fleets import file_of, fleet, gang, planned, refused

COLUMNS = "rack,gpu_power,rated_power,gpu_power_cap,power_cap,measured_power"
EACH = "1kW,10kW,500W,6kW,4.8kW"
"""A machine of eight GPUs: 10 kW rated, 6 kW capped, 4.8 kW at most as measured."""


def drawn(on: Fleet, gpus: int = 8, cores: int = 8) -> int:
    found = planned(on, gang(1, gpus, cores=cores))
    return dict(found.draws)["power:simulated"]


def at(tmp_path: Path, cells: str, basis: str | None) -> Fleet:
    site = {"power": "1000kW"} | ({"powerBasis": basis} if basis else {})
    return fleet(tmp_path, COLUMNS, f"m-0,r,{cells}", every_budget=True, **site)


@pytest.mark.parametrize(
    ("basis", "watts"), [(None, 10_000), ("rated", 10_000), ("capped", 6_000), ("measured", 4_800)]
)
def test_a_full_machine_draws_the_figure_that_its_site_charges(basis: str | None, watts: int, tmp_path: Path) -> None:
    assert drawn(at(tmp_path, EACH, basis)) == watts * 1000


@pytest.mark.parametrize("basis", ["capped", "measured"])
def test_what_is_not_known_is_charged_by_the_stricter_figure_and_never_made_up(basis: str, tmp_path: Path) -> None:
    on = at(tmp_path, "1kW,10kW,,,", basis)
    machine = on.machines[0]
    assert (machine.core_power.capped_mw, machine.core_power.measured_mw) == (None, None)
    assert {(d.power.capped_mw, d.power.measured_mw) for d in machine.devices} == {(None, None)}
    assert drawn(on) == 10_000_000


def test_half_of_a_capped_machine_may_still_draw_each_gpus_own_limit(tmp_path: Path) -> None:
    assert drawn(at(tmp_path, "1kW,10kW,,6kW,", "capped"), gpus=4, cores=1) == 4_000_000
    assert drawn(at(tmp_path, "1kW,10kW,500W,,", "capped"), gpus=4, cores=1) == 4 * 500_000 + 250_000


def test_a_rack_may_charge_by_another_figure_than_its_site(tmp_path: Path) -> None:
    rows = (f"m-0,r-0,{EACH}", f"m-1,r-0,{EACH}", f"m-2,r-1,{EACH}", f"m-3,r-1,{EACH}")
    budgets = [
        {"level": "rack", "power": "12kW"},
        {"level": "rack", "domain": "r-1", "power": "12kW", "powerBasis": "capped"},
    ]
    on = fleet(tmp_path, COLUMNS, *rows, budgets=budgets)
    assert {(budget.id, budget.rating) for budget in on.budgets} == {("power:r-0", "rated")}
    report = capacity(
        fleet(tmp_path, COLUMNS, *rows, budgets=budgets, every_budget=True), Calendar(), "simulated", at_ms=0
    )
    assert report.members == 12 + 16
    binding = refused(on, gang(4, 8, cores=8)).binding
    assert (binding.constraint, binding.available) == ("power:r-0", 12_000_000)


def test_the_recount_charges_the_same_figure(tmp_path: Path) -> None:
    made = file_of(tmp_path, COLUMNS, f"m-0,r,{EACH}", power="12kW", powerBasis="capped")
    (limit,) = limits_of(made.site, as_observed(made, 0), {profile.name: profile for profile in made.profiles})
    assert 8 * limit.by_device["m-0"] + 8 * limit.by_core["m-0"] == 6_000_000


def test_the_limit_that_is_set_on_gpus_is_read_and_unknown_where_one_does_not_tell() -> None:
    whole = topology_of(Hardware(cores=8, memory_bytes=2**30, gpus=2, gpu_power_mw=700_000))
    assert gpu_limit(whole) is None
    assert isinstance(whole.gpus, tuple)
    first, second = whole.gpus
    set_lower = (replace(first, power_limit_mw=400_000), replace(second, power_limit_mw=450_000))
    assert gpu_limit(replace(whole, gpus=set_lower)) == 450_000
    assert gpu_limit(replace(whole, gpus=(set_lower[0], second))) is None
