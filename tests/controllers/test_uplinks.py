"""The bandwidth of uplinks: declared of racks or leaves, drawn by members of which others stand elsewhere."""

from pathlib import Path

import pytest

from tenure.cli import exit_codes
from tenure.cli.failures import Failure
from tenure.cli.own.capacity import amount, show
from tenure.cli.recount_facts import limits_of
from tenure.controllers.answering.refusal import refusal_of
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.machine.simulated import as_observed
from tenure.ledger.convert import from_placed
from tenure.ledger.recount_budgets import overbooked
from tenure.placement import Calendar, Fleet, capacity
from tests.controllers.fleets import file_of, fleet, gang, machines_of, planned, refused
from tests.ledger.test_budgets import held

GB = 10**9


@pytest.fixture
def on(tmp_path: Path) -> Fleet:
    """Two racks of two machines, each behind an uplink of 100 GB/s."""
    return fleet(tmp_path, "rack,rack_network", *(f"m-{n},r-{n // 2},800Gb/s" for n in range(4)))


def test_what_stays_in_its_rack_draws_nothing_of_the_uplink(on: Fleet) -> None:
    found = planned(on, gang(2, network="90GB/s"))
    assert {on.machine(name).domain("rack") for name in machines_of(found)} in ({"r-0"}, {"r-1"})
    assert "network:r-0" not in dict(found.draws)


def test_what_crosses_draws_of_each_uplink_that_its_members_stand_behind(on: Fleet) -> None:
    found = planned(on, gang(4, network="50GB/s"))
    assert dict(found.draws) == {"network:r-0": 100 * GB, "network:r-1": 100 * GB}


def test_an_uplink_that_is_too_narrow_is_named_though_gpus_are_idle(on: Fleet) -> None:
    no = refused(on, gang(4, network="60GB/s"))
    assert no.binding.constraint in ("network:r-0", "network:r-1")
    assert (
        refusal_of(no, []).binding.message
        == f"{no.binding.constraint}: 120GB/s needed, 100GB/s available, 100GB/s in all"
    )


def test_what_is_held_leaves_the_rest_of_the_uplink(on: Fleet) -> None:
    calendar = Calendar.of([planned(on, gang(4, 5, network="30GB/s")).hold("a")])
    no = refused(on, gang(4, 3, network="30GB/s"), calendar).binding
    assert (no.constraint.partition(":")[0], no.needed, no.available) == ("network", 60 * GB, 40 * GB)
    report = capacity(on, calendar, "simulated", at_ms=0)
    network = next(limit for limit in report.limits if limit.kind == "network")
    assert (network.used, network.limit, network.unit) == (120 * GB, 200 * GB, "bytes/s")
    assert amount(network.used, network.unit) == "120.0 GB/s"


def test_an_uplink_that_nobody_declared_promises_nothing(tmp_path: Path) -> None:
    no = refused(fleet(tmp_path, "rack", "m-0,r", "m-1,r"), gang(2, network="1GB/s"))
    assert no.binding.constraint == "network"
    assert "Site.spec.budgets" in no.binding.hint


def test_the_recount_counts_what_crosses_and_only_that(tmp_path: Path) -> None:
    made = file_of(
        tmp_path, "leaf", *(f"m-{n},l-{n // 2}" for n in range(4)), budgets=[{"level": "leaf", "network": "100GB/s"}]
    )
    machines = as_observed(made, 0)
    on = fleet_of(made.site, machines, made.profiles)
    limits = limits_of(made.site, machines, {profile.name: profile for profile in made.profiles})
    inside, across = planned(on, gang(2, 4, network="90GB/s")), planned(on, gang(4, 8, network="50GB/s"))
    records = held(from_placed(inside.hold("a")), from_placed(across.hold("b")))
    assert list(overbooked(records, limits)) == []
    twice = held(from_placed(across.hold("b")), from_placed(across.hold("c")))
    assert {subject for subject, _ in overbooked(twice, limits)} == {"network:l-0", "network:l-1"}


def test_a_question_for_units_that_each_take_of_an_uplink_is_turned_away(tmp_path: Path) -> None:
    file = tmp_path / "nodes.csv"
    rows = [f"m-{n},8000,8192,0,,r-{n // 2},800Gb/s" for n in range(4)]
    file.write_text("\n".join(["sn,cpu_milli,memory_mib,gpu,model,rack,rack_network", *rows]))
    with pytest.raises(Failure, match="takes nothing of an uplink") as caught:
        show(fleet=file, draw=["network=1000000000"])
    assert caught.value.exit_code == exit_codes.USAGE
