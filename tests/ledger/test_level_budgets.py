"""Every limit of every level of a site is recounted by itself, and what is over says which level's it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tenure.cli.recount_facts import limits_of
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.machine.simulated import as_observed
from tenure.discovery.fleets import FleetFile
from tenure.ledger.convert import from_placed
from tenure.ledger.recount_budgets import overbooked
from tests.controllers.fleets import file_of, gang, planned, refused
from tests.ledger.test_budgets import held

LEVELS = ("nvlink_domain", "rail", "leaf", "spine", "rack", "row", "feed")
COLUMNS = ",".join((*LEVELS, "gpu_power", "rated_power"))
WANTS: Mapping[str, Any] = {"network": "50GB/s", "draws": [{"budget": "licence:x", "amount": 3}]}
"""What each member of the gang takes, beside a machine of 8 kW."""


def site(folder: Path, level: str, less: int = 0) -> FleetFile:
    """Four machines, two in each domain of every level; a level's domains are given what a full gang takes there, or a
    little less."""
    each = 1 if level == "machine" else 2
    budget = {
        "level": level,
        "power": f"{each * 8000 - less}W",
        "cooling": f"{each * 8000 - less}W",
        "network": f"{each * 50 - less}GB/s",
        "named": [{"name": "licence:x", "limit": each * 3 - less, "unit": "seats"}],
    }
    rows = (f"m-{n}," + ",".join(f"{name[:2]}-{n // 2}" for name in LEVELS) + ",1kW,8kW" for n in range(4))
    return file_of(folder, COLUMNS, *rows, budgets=[budget])


@pytest.mark.parametrize("level", ["machine", "nvlinkDomain", "rail", "leaf", "spine", "rack", "row", "feed"])
def test_what_a_level_carries_is_found_kept_and_its_twin_one_less_is_found_over(tmp_path: Path, level: str) -> None:
    given = site(tmp_path, level)
    machines, profiles = as_observed(given, 0), {profile.name: profile for profile in given.profiles}
    full = planned(fleet_of(given.site, machines, given.profiles), gang(4, 8, **WANTS))
    records = held(from_placed(full.hold("full")))
    assert list(overbooked(records, limits_of(given.site, machines, profiles))) == []

    over = list(overbooked(records, limits_of(site(tmp_path, level, less=1).site, machines, profiles)))
    domains = 4 if level == "machine" else 2
    assert sorted(id.rpartition(":")[0] for id, _ in over) == sorted(
        ["power", "cooling", "network", "licence:x"] * domains
    )
    assert all(f" of {level} " in message for _, message in over), over


def test_a_rack_and_a_row_of_one_name_have_a_budget_each(tmp_path: Path) -> None:
    budgets = [{"level": "row", "power": "20kW"}, {"level": "rack", "domain": "1", "power": "5500W"}]
    given = file_of(
        tmp_path, "rack,row,gpu_power,rated_power", *(f"m-{n},{n + 1},1,1kW,8kW" for n in range(3)), budgets=budgets
    )
    machines, profiles = as_observed(given, 0), {profile.name: profile for profile in given.profiles}
    on = fleet_of(given.site, machines, given.profiles)
    assert planned(on, gang(1, 6)).claims[0].machine != "m-0", "rack 1 has not the watts, and row 1 has"
    assert refused(on, gang(3, 6)).binding.constraint == "power:rack/1"
    assert {limit.id for limit in limits_of(given.site, machines, profiles)} == {"power:row/1", "power:rack/1"}


def test_of_two_limits_of_one_rack_the_lower_holds(tmp_path: Path) -> None:
    twice = [{"level": "rack", "domain": "r", "power": power} for power in ("5kW", "7kW")]
    given = file_of(tmp_path, "rack,gpu_power,rated_power", "m-0,r,1kW,8kW", budgets=twice)
    on = fleet_of(given.site, as_observed(given, 0), given.profiles)
    assert planned(on, gang(1, 5))
    assert refused(on, gang(1, 6)).binding.constraint == "power:r"


def test_a_machine_whose_profile_is_gone_still_counts_by_its_own_word(tmp_path: Path) -> None:
    given = site(tmp_path, "rack")
    machines = as_observed(given, 0)
    full = planned(fleet_of(given.site, machines, given.profiles), gang(4, 8, **WANTS))
    limits = limits_of(site(tmp_path, "rack", less=1).site, machines, {})
    over = overbooked(held(from_placed(full.hold("full"))), limits)
    assert {id for id, _ in over} == {"licence:x:ra-0", "licence:x:ra-1", "network:ra-0", "network:ra-1"}
