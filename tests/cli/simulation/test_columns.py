"""What is too large to plan goes by placement's columns, in a queue: a promise is made at the start."""

from dataclasses import replace
from typing import Any

import pytest

from tenure.cli.simulate.jobs import Job
from tenure.quantities import Power
from tenure.resources.kinds.site import DomainBudget, SiteSpec
from tests.cli.simulation.builders import COLUMNS, HOUR_MS, SHARE, a_fleet, job, run


def queued(*jobs: Job, **more: Any) -> dict[str, Any]:
    return run(*jobs, **COLUMNS, **more)


def test_a_gang_larger_than_the_fleet_is_refused() -> None:
    assert queued(job("a", 0, 1, 33))["jobs"]["refused"] == {"larger than the fleet": 1}


def test_who_cannot_end_in_time_is_refused_and_who_starts_is_promised() -> None:
    racked = {"deadline_ms": 3 * HOUR_MS, "must": "rack"}
    told = queued(*(job(name, 0, 2, 16, **racked) for name in "ab"), job("c", 0, 2, 1, **racked))
    assert told["promises"]["because"] == (
        "members of a job must sit together, and 3 jobs on 4 machines are too many to plan"
    )
    assert (told["promises"]["madeAt"], told["promises"]["promised"], told["promises"]["kept"]) == ("start", 2, 2)
    assert told["jobs"]["refused"] == {"deadline out of reach": 1}


def test_shares_of_a_device_are_placed_too() -> None:
    halves = [replace(SHARE, name=f"h-{n}") for n in range(64)]
    told = queued(*halves, replace(SHARE, name="one-more"))
    assert told["jobs"]["started"] == 65
    assert told["waitSeconds"]["max"] == 3600


@pytest.mark.parametrize("wish", ["must", "prefer"])
@pytest.mark.parametrize("busy", [0, 3])
def test_members_sit_together_in_a_trace_with_shares_too(wish: str, busy: int) -> None:
    talls = [Job(f"t-{n}", 0, (9 if n == busy else 1) * HOUR_MS, gpus=8) for n in range(4)]
    pair = Job("pair", 2 * HOUR_MS, HOUR_MS, members=2, gpus=8, **{wish: "rack"})  # type: ignore[arg-type]
    told = queued(*talls, pair, replace(SHARE, arrival_ms=30 * HOUR_MS))
    (together,) = {point["map"] for point in told["series"] if point["gpus"] == 24}
    (alone,) = {point["map"] for point in told["series"] if point["gpus"] == 8}
    assert together.index("0") // 2 == alone.index("9") // 2, "what is left free is beside the one that was busy"


def test_members_that_must_share_a_rack_wait_until_one_rack_carries_them() -> None:
    talls = [Job(f"t-{n}", 0, hours * HOUR_MS, gpus=8) for n, hours in enumerate((5, 2, 5, 2))]
    pair = Job("pair", 3 * HOUR_MS, HOUR_MS, members=2, gpus=8, must="rack")
    told = queued(replace(SHARE, duration_ms=1), *talls, pair)
    # One machine of each rack is free from the second hour on; the pair waits for the fifth.
    assert told["heldBy"] == {"devices:gpu": 2}
    assert told["waitSeconds"]["max"] == 2 * 3600


def test_members_that_are_shares_are_counted_as_shares() -> None:
    halves = Job("halves", 0, HOUR_MS, members=64, gpus=1, gpu_milli=500)
    assert queued(halves)["jobs"]["started"] == 1
    assert queued(replace(halves, members=65))["jobs"]["refused"] == {"larger than the fleet": 1}
    assert queued(replace(halves, members=33, must="rack"))["jobs"]["refused"] == {"larger than the fleet": 1}


def test_a_preference_wider_than_what_must_be_is_no_reason_to_wait() -> None:
    assert queued(job("a", 0, 1, 8, must="machine", prefer="rack"))["jobs"]["started"] == 1
    assert queued(SHARE, job("a", 0, 1, 8, must="machine", prefer="rack"))["jobs"]["started"] == 2


@pytest.mark.parametrize("share", [(), (replace(SHARE, duration_ms=1),)], ids=["whole devices", "shares"])
def test_what_a_budget_never_carries_is_refused_by_its_name_and_holds_up_nobody(share: tuple[Job, ...]) -> None:
    told = queued(*share, job("vast", 0, 1, 21), job("after", 1, 1, 20), power="20kW")
    assert told["jobs"]["refused"] == {"beyond power:simulated": 1}
    assert told["jobs"]["waitingAtEnd"] == 0
    assert told["jobs"]["finished"] == 1 + len(share)


@pytest.mark.parametrize("how", [{}, COLUMNS], ids=["planned", "columns"])
def test_a_budget_of_the_site_and_of_its_racks_carry_together_what_they_can(how: dict[str, int]) -> None:
    fleet = a_fleet()
    racks = [DomainBudget(level="rack", domain=f"r-{n}", power=Power.parse("3kW")) for n in range(2)]
    site = fleet.site.model_copy(update={"spec": SiteSpec(power=Power.parse("6kW"), budgets=racks)})
    told = run(job("a", 0, 1, 6), job("b", 0, 1, 7), fleet=replace(fleet, site=site), **how)
    assert told["jobs"]["started"] == 1
    assert sum(told["jobs"]["refused"].values()) == 1


def test_a_backlog_that_grows_and_grows_goes_by_columns_and_one_that_ends_in_time_does_not() -> None:
    # Sixteen machines passed over; those that wait pass over 1, 2 and 3 bookings besides.
    behind = [job(f"j-{n}", n / 100, 1, 32, must="site") for n in range(4)]
    assert run(*behind, planned_max=22)["promises"]["madeAt"] == "arrival"
    told = run(*behind, planned_max=21)
    assert told["promises"]["because"] == "no job has a deadline, and 4 jobs on 4 machines are too many to plan"
    assert (told["jobs"]["arrived"], told["jobs"]["finished"]) == (4, 4)
    apart = [job(f"j-{n}", n, 1, 32) for n in range(4)]
    assert run(*apart, planned_max=16)["promises"]["madeAt"] == "arrival"
