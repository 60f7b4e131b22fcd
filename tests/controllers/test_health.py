"""What is reported broken is not sold, keeps its place, and what is left of its domain is sold in slices."""

from pathlib import Path

import pytest

from tenure.controllers.machine.health import state_wanted
from tenure.controllers.machine.simulated import as_observed
from tenure.discovery.fleets import FleetFile
from tenure.placement import Calendar, capacity, fewer_members
from tenure.resources.kinds.machine import MachineHealth, MachineSpec
from tenure.resources.problems import ProblemsFound
from tests.controllers.fleets import demand_of, file_of, fleet, gang, machines_of, planned, refused

ISLAND = {"must": [{"share": "nvlinkDomain"}]}


def test_an_nvlink_domain_with_failed_machines_offers_slices_of_what_is_left(tmp_path: Path) -> None:
    rows = [f"m-{n},nvl-0,{'machine' if n in (3, 7) else ''}" for n in range(18)]
    on = fleet(tmp_path, "nvlink_domain,failed", *rows)
    whole = refused(on, gang(18, topology=ISLAND))
    binding = whole.binding
    assert (binding.needed, binding.available, binding.capacity) == (18 * 8, 16 * 8, 16 * 8)
    assert whole.funnel[0].removed == 2
    assert binding.hint == "2 out of service: it has failed"
    assert not machines_of(planned(on, gang(16, topology=ISLAND))) & {"m-3", "m-7"}
    fewer = fewer_members(on, Calendar(), demand_of(on, gang(18, topology=ISLAND)), now_ms=0)
    assert fewer is not None
    assert fewer.demand.roles[0].count == 16


def test_of_several_domains_the_refusal_says_what_the_nearest_lacks(tmp_path: Path) -> None:
    rows = [f"m-{n:02},nvl-{n // 4},{'machine' if n % 4 == 0 else ''}" for n in range(8)]
    binding = refused(fleet(tmp_path, "nvlink_domain,failed", *rows), gang(4, topology=ISLAND)).binding
    assert (binding.constraint, binding.needed, binding.available) == ("level:nvlinkDomain", 4, 3)
    assert binding.hint == "1 of the 4 machines of nvl-0 are out of service"


def test_a_failed_gpu_is_not_sold_and_the_others_of_its_machine_are(tmp_path: Path) -> None:
    on = fleet(tmp_path, "island,failed", "m-0,8,gpu-2 gpu-5")
    assert [device.id for device in on.machines[0].devices if not device.healthy] == ["gpu-2", "gpu-5"]
    taken = {device.id for claim in planned(on, gang(1, 6, topology=ISLAND)).claims for device in claim.devices}
    assert not taken & {"gpu-2", "gpu-5"}
    binding = refused(on, gang(1, 7, topology=ISLAND)).binding
    assert (binding.constraint, binding.needed, binding.available) == ("devices:gpu", 7, 6)
    report = capacity(on, Calendar(), "simulated", at_ms=0)
    assert (report.members, report.machines_out, report.devices_out) == (6, 0, 2)


def test_what_stands_on_a_gpu_that_fails_stands_in_nobodys_way(tmp_path: Path) -> None:
    held = planned(fleet(tmp_path, "failed", "m-0,"), gang(1, 1))
    broken = held.claims[0].devices[0].id
    on = fleet(tmp_path, "failed", f"m-0,{broken}")
    assert len(planned(on, gang(1, 7), Calendar.of([held.hold("h")])).claims[0].devices) == 7


def test_a_machine_that_fails_is_failed_and_one_that_also_drains_too() -> None:
    spec = MachineSpec(site="s", profile="p")
    broken = spec.model_copy(update={"health": MachineHealth(failed=True), "drain": True})
    assert [state_wanted(one) for one in (spec, broken)] == ["Ready", "Failed"]


def test_a_device_that_a_machine_does_not_have_is_an_error_of_its_row(tmp_path: Path) -> None:
    with pytest.raises(ProblemsFound, match="row 2, column failed: 'gpu-8' is none of its 8 GPUs"):
        file_of(tmp_path, "failed", "m-0,gpu-8")


def test_a_file_says_of_each_machine_that_it_failed_or_is_whole_or_says_nothing(tmp_path: Path) -> None:
    made: FleetFile = file_of(tmp_path, "failed", "m-0,machine", "m-1,none", "m-2,")
    assert [m.status.state for m in as_observed(made, 0) if m.status] == ["Failed", "Ready", "Ready"]
    assert [m.spec.health for m in made.machines] == [MachineHealth(failed=True), MachineHealth(), None]


def test_a_fleet_that_has_failed_altogether_says_so(tmp_path: Path) -> None:
    binding = refused(fleet(tmp_path, "failed", "m-0,machine", "m-1,machine"), gang(1, 1)).binding
    assert (binding.constraint, binding.hint) == ("schedulable", "2 out of service: it has failed")
