"""Each job is planned as it comes: what is booked is never delayed, and a deadline is promised or refused at once."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tenure.cli.simulate import planned
from tenure.cli.simulate.jobs import Job
from tenure.cli.simulate.run import Outage
from tenure.placement import Calendar, Demand, Fleet, earliest_start
from tenure.resources import Machine
from tenure.resources.kinds.machine import MachineHealth
from tests.cli.simulation.builders import COLUMNS, HOUR_MS, SHARE, a_fleet, job, run, with_nics


def test_what_fits_starts_at_once() -> None:
    told = run(job("a", 0, 1, 32))
    assert told["jobs"]["started"] == 1
    assert told["waitSeconds"]["max"] == 0
    assert told["gpuHours"] == 32


@pytest.mark.parametrize("how", [{}, COLUMNS], ids=["planned", "columns"])
def test_what_does_not_fit_waits_for_an_end(how: dict[str, int]) -> None:
    told = run(job("a", 0, 2, 32), job("b", 1, 1, 1), **how)
    assert told["waitSeconds"]["max"] == 3600
    assert told["heldBy"] == {"devices:gpu": 1}


@pytest.mark.parametrize("how", [{}, COLUMNS], ids=["planned", "columns"])
def test_a_later_job_passes_only_where_it_does_not_delay_the_first(how: dict[str, int]) -> None:
    first, big = job("a", 0, 2, 24), job("big", 0.5, 1, 32)
    short, long = job("short", 1, 1, 8), job("long", 1, 5, 8)
    told = run(first, big, short, long, **how)
    # big starts when a ends, as if the others had not come; long waits until it is done.
    assert told["waitSeconds"]["max"] == 2 * 3600
    assert told["jobs"]["finished"] == 4


def test_a_booked_start_is_firm_whatever_comes_later() -> None:
    # Once booked at the second hour, b starts then, though a wide job with a deadline would have liked that place.
    told = run(job("a", 0, 2, 32), job("b", 0, 2, 32), job("due", 1, 1, 1, deadline_ms=3 * HOUR_MS, must="rack"))
    assert told["jobs"]["refused"] == {"no room before the deadline": 1}
    assert told["waitSeconds"]["max"] == 2 * 3600


def test_a_gang_larger_than_the_fleet_is_refused() -> None:
    assert run(job("a", 0, 1, 33))["jobs"]["refused"] == {"larger than the fleet": 1}


def test_a_gang_that_one_row_cannot_take_is_refused_by_the_row_and_not_by_the_fleets_size() -> None:
    def in_rows(machines: Iterable[Machine]) -> Iterator[Machine]:
        for n, machine in enumerate(machines):
            row = "w0" if n < 2 else None
            yield machine.model_copy(update={"spec": machine.spec.model_copy(update={"row": row})})

    whole = a_fleet()
    fleet = replace(whole, machines=tuple(in_rows(whole.machines)))
    assert run(job("a", 0, 1, 24, must="row"), fleet=fleet)["jobs"]["refused"] == {"topology.row": 1}


def test_what_a_fleet_reports_broken_runs_nothing() -> None:
    whole = a_fleet()
    broken = tuple(
        machine.model_copy(
            update={"spec": machine.spec.model_copy(update={"health": MachineHealth(failed=n == 0)})},
        )
        for n, machine in enumerate(whole.machines)
    )
    fleet = replace(whole, machines=broken)
    assert run(job("a", 0, 1, 24), fleet=fleet)["jobs"]["started"] == 1
    assert run(job("a", 0, 1, 25), fleet=fleet)["jobs"]["refused"] == {"larger than the fleet": 1}


def test_a_level_that_nothing_belongs_to_is_refused_by_its_name() -> None:
    assert run(job("a", 0, 1, 1, must="leaf"))["jobs"]["refused"] == {"level:leaf": 1}
    assert run(job("a", 0, 1, 1, must="leaf"), **COLUMNS)["jobs"]["refused"] == {"larger than the fleet": 1}


@pytest.mark.parametrize("how", [{}, COLUMNS], ids=["planned", "columns"])
def test_power_holds_back_what_devices_would_carry_and_is_named(how: dict[str, int]) -> None:
    told = run(job("a", 0, 1, 20), job("b", 0, 1, 1), power="20kW", **how)
    assert told["peakPowerW"] == 20_000
    assert told["heldBy"] == {"power:simulated": 1}


def test_who_cannot_end_in_time_is_refused_as_he_comes_and_all_others_are_promised() -> None:
    racked = {"deadline_ms": 3 * HOUR_MS, "must": "rack"}
    pair = [job(name, 0, 2, 16, **racked) for name in "ab"]
    told = run(*pair, job("c", 0, 2, 1, **racked), job("d", 2, 2, 1, **racked))
    assert told["promises"] == {
        "asked": 4,
        "promised": 2,
        "kept": 2,
        "broken": 0,
        "keptShare": 0.5,
        "keptGpuTimeShare": 0.9412,
        "madeAt": "arrival",
        "because": "every job is planned as it comes, as at the door",
    }
    assert told["jobs"]["refused"] == {"deadline out of reach": 1, "no room before the deadline": 1}


def test_a_job_without_an_end_holds_what_it_has_and_who_waits_for_it_waits_for_ever() -> None:
    told = run(replace(job("a", 0, 1, 32), duration_ms=None), job("b", 1, 1, 1))
    assert (told["jobs"]["started"], told["jobs"]["waitingAtEnd"]) == (1, 1)


def test_shares_of_a_device_are_placed_too() -> None:
    halves = [replace(SHARE, name=f"h-{n}") for n in range(64)]
    told = run(*halves, replace(SHARE, name="one-more"))
    assert told["jobs"]["started"] == 65
    assert told["waitSeconds"]["max"] == 3600


def test_members_that_are_shares_are_counted_as_shares() -> None:
    halves = Job("halves", 0, HOUR_MS, members=64, gpus=1, gpu_milli=500)
    assert run(halves)["jobs"]["started"] == 1
    assert run(replace(halves, members=65))["jobs"]["refused"] == {"larger than the fleet": 1}
    assert run(replace(halves, members=33, must="rack"))["jobs"]["started"] == 0


def test_a_model_that_nothing_is_of_is_refused() -> None:
    assert run(replace(SHARE, models=("Y",)))["jobs"]["refused"] == {"larger than the fleet": 1}
    assert run(replace(SHARE, models=("X", "Y")))["jobs"]["started"] == 1


def test_a_preference_wider_than_what_must_be_is_no_reason_to_wait() -> None:
    assert run(job("a", 0, 1, 8, must="machine", prefer="rack"))["jobs"]["started"] == 1


def test_members_that_must_share_a_rack_wait_until_one_rack_carries_them() -> None:
    talls = [Job(f"t-{n}", 0, hours * HOUR_MS, gpus=8) for n, hours in enumerate((5, 2, 5, 2))]
    told = run(*talls, Job("pair", 3 * HOUR_MS, HOUR_MS, members=2, gpus=8, must="rack"))
    assert told["waitSeconds"]["max"] in (0, 2 * 3600), "both short ones ended in one rack, or in two"


def test_what_a_budget_never_carries_is_refused_by_its_name_and_holds_up_nobody() -> None:
    told = run(job("vast", 0, 1, 21), job("after", 1, 1, 20), power="20kW")
    assert told["jobs"]["refused"] == {"beyond power:simulated": 1}
    assert told["jobs"]["waitingAtEnd"] == 0
    assert told["jobs"]["finished"] == 1


def test_an_outage_breaks_only_the_promises_that_no_other_booking_keeps() -> None:
    racked = {"must": "rack", "deadline_ms": 4 * HOUR_MS}
    told = run(
        job("kept", 0, 2, 8, **racked),
        job("lost", 0, 4, 16, **racked),
        job("free", 0, 3, 8, must="rack"),
        outages=[Outage("r-0", HOUR_MS), Outage("r-1", HOUR_MS)],
    )
    assert told["promises"]["broken"] == 2, "nothing is left"
    assert told["jobs"]["lost"] == 3
    told = run(job("kept", 0, 2, 8, **racked), outages=[Outage("r-0", HOUR_MS)])
    assert (told["promises"]["broken"], told["promises"]["kept"]) == (0, 1)


def test_nics_are_no_gpus() -> None:
    told = run(job("a", 0, 1, 9), fleet=with_nics())
    assert (told["fleet"]["gpus"], told["jobs"]["refused"]) == (8, {"larger than the fleet": 1})


def test_after_an_outage_a_promise_is_booked_before_what_can_wait() -> None:
    racked = [job("a", 0, 10, 8, must="rack"), job("b", 0, 1, 8, must="rack", deadline_ms=2 * HOUR_MS)]
    told = run(*racked, job("c", 0, 20, 8, must="rack"), outages=[Outage("r-0", HOUR_MS // 2)])
    assert told["jobs"]["lost"] == 2, "a and b stood on the rack that failed"
    assert (told["promises"]["kept"], told["promises"]["broken"], told["jobs"]["finished"]) == (1, 0, 3)


def test_who_has_begun_has_started_in_time_whatever_becomes_of_it() -> None:
    soon = job("soon", 0, 1, 16, must="rack", start_by_ms=HOUR_MS // 4)
    told = run(soon, job("beside", 0, 1, 16, must="rack"), outages=[Outage("r-0", HOUR_MS // 2)])
    assert (told["jobs"]["lost"], told["jobs"]["finished"], told["jobs"]["refused"]) == (1, 2, {})


def test_who_cannot_start_in_time_any_more_is_refused_by_that() -> None:
    late = job("late", 2, 1, 1, start_by_ms=HOUR_MS)
    assert run(late)["jobs"]["refused"] == {"no room by its latest start": 1}
    racks = [job("short", 0, 1, 16, must="rack"), job("long", 0, 3, 16, must="rack")]
    told = run(*racks, job("soon", 0, 1, 8, start_by_ms=HOUR_MS), outages=[Outage("r-0", HOUR_MS // 2)])
    assert told["jobs"]["refused"] == {"no room by its latest start": 1}
    assert (told["jobs"]["waitingAtEnd"], told["jobs"]["finished"]) == (0, 2)


def test_what_was_given_up_on_is_asked_for_again_when_something_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def tired(fleet: Fleet, calendar: Calendar, demand: Demand, **more: Any) -> Any:
        return None if demand.id == "b" and calendar.holds else earliest_start(fleet, calendar, demand, **more)

    monkeypatch.setattr(planned, "earliest_start", tired)
    assert run(job("a", 0, 1, 32), job("b", 0, 1, 32))["jobs"]["finished"] == 2
