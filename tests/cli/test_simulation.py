"""A trace on a fleet in virtual time: nothing is oversold, nothing reserved is delayed, the same is the same."""

from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tenure.cli.failures import Failure
from tenure.cli.simulate.page import page, page_json
from tenure.cli.simulate.run import Outage, simulate
from tenure.cli.simulate.traces import Job, Trace
from tenure.cli.simulate.what_if import changed
from tenure.controllers.machine.fleet import fleet_of
from tenure.controllers.machine.simulated import as_observed
from tenure.discovery.fleets import FleetFile, Hardware, profile_of
from tenure.placement import Fleet
from tenure.quantities import Power
from tenure.resources import Machine, ObjectMeta, Site
from tenure.resources.kinds.machine import MachineHealth, MachineSpec
from tenure.resources.kinds.site import DomainBudget, SiteSpec

HOUR_MS = 3_600_000


def a_fleet(machines: int = 4, *, power: str | None = None) -> FleetFile:
    """Machines of eight GPUs at 1 kW each, two in a rack."""
    profile = profile_of(Hardware(cores=8, memory_bytes=2**34, gpus=8, model="X", gpu_power_mw=1_000_000))
    spec = SiteSpec(power=Power.parse(power) if power else None)
    return FleetFile(
        Site(metadata=ObjectMeta(name="simulated"), spec=spec),
        (profile,),
        tuple(
            Machine(
                metadata=ObjectMeta(name=f"m-{n}"),
                spec=MachineSpec(
                    site="simulated", profile=profile.name, rack=f"r-{n // 2}", rated_power=Power.parse("8kW")
                ),
            )
            for n in range(machines)
        ),
    )


def placed(fleet: FleetFile) -> Fleet:
    return fleet_of(fleet.site, as_observed(fleet, 0), fleet.profiles)


def run(*jobs: Job, fleet: FleetFile | None = None, **more: Any) -> dict[str, Any]:
    return simulate(placed(fleet or a_fleet()), Trace("t", "tenure", tuple(jobs)), **more)


def job(name: str, at_h: float, hours: float, gpus: int, **more: Any) -> Job:
    return Job(name, int(at_h * HOUR_MS), int(hours * HOUR_MS), members=gpus, gpus=1, **more)


def test_sums_beyond_64_bits_are_no_pool_and_no_crash() -> None:
    vast = 10**12 * 2**20
    profile = profile_of(Hardware(cores=8, memory_bytes=vast, gpus=16, model="X", gpu_power_mw=1_000_000))
    machine = Machine(metadata=ObjectMeta(name="m"), spec=MachineSpec(site="simulated", profile=profile.name))
    one = FleetFile(Site(metadata=ObjectMeta(name="simulated"), spec=SiteSpec()), (profile,), (machine,))
    told = run(job("a", 0, 1, 1, memory_bytes=vast, deadline_ms=9 * HOUR_MS), fleet=one)
    assert told["jobs"]["started"] == 1
    assert "run out before its GPUs do" in told["promises"]["because"]


def test_what_fits_starts_at_once() -> None:
    told = run(job("a", 0, 1, 32))
    assert told["jobs"]["started"] == 1
    assert told["waitSeconds"]["max"] == 0
    assert told["gpuHours"] == 32


def test_what_does_not_fit_waits_for_an_end() -> None:
    told = run(job("a", 0, 2, 32), job("b", 1, 1, 1))
    assert told["waitSeconds"]["max"] == 3600
    assert told["heldBy"] == {"devices:gpu": 1}


def test_a_later_job_passes_only_where_it_does_not_delay_the_first() -> None:
    first, big = job("a", 0, 2, 24), job("big", 0.5, 1, 32)
    short, long = job("short", 1, 1, 8), job("long", 1, 5, 8)
    told = run(first, big, short, long)
    # big starts when a ends, as if the others had not come; long waits until it is done.
    assert told["waitSeconds"]["max"] == 2 * 3600
    assert told["jobs"]["finished"] == 4


def test_a_gang_larger_than_the_fleet_is_refused() -> None:
    assert run(job("a", 0, 1, 33))["jobs"]["refused"] == {"larger than the fleet": 1}


def test_what_a_fleet_reports_broken_runs_nothing() -> None:
    whole = a_fleet()
    broken = [
        machine.spec.model_copy(update={"health": MachineHealth(failed=n == 0)})
        for n, machine in enumerate(whole.machines)
    ]
    fleet = replace(
        whole, machines=tuple(m.model_copy(update={"spec": s}) for m, s in zip(whole.machines, broken, strict=True))
    )
    assert run(job("a", 0, 1, 24), fleet=fleet)["jobs"]["started"] == 1
    assert run(job("a", 0, 1, 25), fleet=fleet)["jobs"]["refused"] == {"larger than the fleet": 1}


def test_a_level_that_nothing_belongs_to_is_refused() -> None:
    assert run(job("a", 0, 1, 1, must="leaf"))["jobs"]["refused"] == {"larger than the fleet": 1}


def test_power_holds_back_what_devices_would_carry_and_is_named() -> None:
    told = run(job("a", 0, 1, 20), job("b", 0, 1, 1), fleet=a_fleet(power="20kW"))
    assert told["peakPowerW"] == 20_000
    assert told["heldBy"] == {"power:simulated": 1}


def test_who_cannot_end_in_time_is_refused_and_who_starts_is_promised() -> None:
    # Members that must share a rack are no pool: a promise is made when its end is known, at the start.
    racked = {"deadline_ms": 3 * HOUR_MS, "must": "rack"}
    told = run(*(job(name, 0, 2, 16, **racked) for name in "ab"), job("c", 0, 2, 1, **racked))
    assert told["promises"] == {
        "asked": 3,
        "promised": 2,
        "kept": 2,
        "broken": 0,
        "keptShare": 0.6667,
        "keptGpuTimeShare": 0.9697,
        "madeAt": "start",
        "because": "members of a job must sit together",
    }
    assert told["jobs"]["refused"] == {"deadline out of reach": 1}


def test_where_any_gpu_will_do_a_firm_end_is_promised_at_arrival() -> None:
    late, urgent = job("a", 0, 2, 32, deadline_ms=9 * HOUR_MS), job("b", 1, 1, 32, deadline_ms=2 * HOUR_MS)
    told = run(late, urgent, job("c", 1, 1, 1, deadline_ms=2 * HOUR_MS))
    assert (told["promises"]["madeAt"], told["promises"]["slotSeconds"]) == ("arrival", 3600)
    assert (told["promises"]["promised"], told["promises"]["kept"]) == (2, 2)
    assert told["jobs"]["refused"] == {"no room before the deadline": 1}
    assert told["gpuHours"] == 96, "the first gave way for an hour and went on"


def test_work_without_a_deadline_takes_what_promised_work_leaves_and_is_not_stopped() -> None:
    told = run(
        job("rest", 0, 4, 30),
        job("soon", 1, 1, 4, deadline_ms=3 * HOUR_MS),
        job("due", 2, 1, 2, deadline_ms=4 * HOUR_MS),
    )
    assert told["jobs"]["refused"] == {"no room before the deadline": 1}
    assert told["jobs"]["finished"] == 2


def test_the_pool_is_what_power_lets_run_at_once() -> None:
    due = {"deadline_ms": 2 * HOUR_MS}
    told = run(job("a", 0, 1, 9, **due), job("b", 0, 1, 9, **due), job("c", 0, 1, 1, **due), fleet=a_fleet(power="9kW"))
    assert told["promises"]["kept"] == 2
    assert told["peakPowerW"] == 9_000
    assert told["promises"]["because"].startswith("9 units")


def test_an_outage_breaks_no_promise_that_another_booking_keeps() -> None:
    told = run(job("a", 0, 2, 16, deadline_ms=9 * HOUR_MS), outages=[Outage("r-0", HOUR_MS)])
    assert (told["jobs"]["lost"], told["promises"]["broken"], told["promises"]["kept"]) == (1, 0, 1)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(1, 9), st.integers(1, 33), st.none() | st.integers(0, 12)),
        max_size=30,
    ),
    st.sampled_from([None, "9kW", "17kW"]),
    st.none() | st.integers(0, 30),
)
def test_what_is_promised_is_kept_or_broken_by_an_outage_alone(
    rows: list[tuple[int, int, int, int | None]], power: str | None, outage_h: int | None
) -> None:
    jobs = [
        job(f"j-{n}", at, hours, gpus, **({} if slack is None else {"deadline_ms": (at + hours + slack) * HOUR_MS}))
        for n, (at, hours, gpus, slack) in enumerate(sorted(rows, key=lambda row: row[0]))
    ]
    outages = [] if outage_h is None else [Outage("r-1", outage_h * HOUR_MS)]
    told = run(*jobs, fleet=a_fleet(power=power), outages=outages)
    promises = told["promises"]
    assert promises["promised"] == promises["kept"] + promises["broken"]
    assert outages or not promises["broken"]
    assert all(point["gpus"] <= 32 for point in told["series"])
    assert told["peakPowerW"] <= (int(Power.parse(power)) // 1000 if power else 32_000)
    assert promises["madeAt"] == "start" or told["jobs"]["waitingAtEnd"] == 0


def test_an_outage_takes_its_machines_and_breaks_promises() -> None:
    told = run(job("a", 0, 2, 32, deadline_ms=3 * HOUR_MS), outages=[Outage("r-0", HOUR_MS)])
    assert told["promises"]["broken"] == 1
    assert told["series"][-1]["map"].startswith("xx")


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(1, 9), st.integers(1, 33), st.sampled_from(["", "rack", "machine"])),
        max_size=25,
    ),
    st.sampled_from([None, "9kW", "17kW"]),
    st.booleans(),
)
def test_nothing_is_oversold_nobody_waits_for_ever_and_the_same_is_the_same(
    rows: list[tuple[int, int, int, str]], power: str | None, shares: bool
) -> None:
    ordered = sorted(rows)
    jobs = [job(f"j-{n}", at, hours, gpus, must=must) for n, (at, hours, gpus, must) in enumerate(ordered)]
    if shares:
        jobs.insert(0, SHARE)
    fleet = a_fleet(power=power)
    told = run(*jobs, fleet=fleet)
    assert page_json(told) == page_json(run(*jobs, fleet=fleet))
    assert all(point["gpus"] <= 32 for point in told["series"])
    if power is not None:
        assert told["peakPowerW"] <= int(Power.parse(power)) // 1000
    counts = told["jobs"]
    assert counts["arrived"] == counts["started"] + sum(counts["refused"].values())
    assert (counts["started"], counts["waitingAtEnd"]) == (counts["finished"], 0)


def test_shares_of_a_device_are_placed_too() -> None:
    halves = [Job(f"h-{n}", 0, HOUR_MS, gpus=1, gpu_milli=500) for n in range(64)]
    told = run(*halves, Job("one-more", 0, HOUR_MS, gpus=1, gpu_milli=500))
    assert told["jobs"]["started"] == 65
    assert told["waitSeconds"]["max"] == 3600


SHARE = Job("share", 0, HOUR_MS, gpus=1, gpu_milli=500)
"""One share in a trace makes all of it go by shares."""


@pytest.mark.parametrize("wish", ["must", "prefer"])
@pytest.mark.parametrize("busy", range(4))
def test_members_sit_together_in_a_trace_with_shares_too(wish: str, busy: int) -> None:
    talls = [Job(f"t-{n}", 0, (9 if n == busy else 1) * HOUR_MS, gpus=8) for n in range(4)]
    pair = Job("pair", 2 * HOUR_MS, HOUR_MS, members=2, gpus=8, **{wish: "rack"})  # type: ignore[arg-type]
    told = run(*talls, pair, replace(SHARE, arrival_ms=30 * HOUR_MS))
    (together,) = {point["map"] for point in told["series"] if point["gpus"] == 24}
    (alone,) = {point["map"] for point in told["series"] if point["gpus"] == 8}
    assert together.index("0") // 2 == alone.index("9") // 2, "what is left free is beside the one that was busy"


def test_members_that_must_share_a_rack_wait_until_one_rack_carries_them() -> None:
    talls = [Job(f"t-{n}", 0, hours * HOUR_MS, gpus=8) for n, hours in enumerate((5, 2, 5, 2))]
    told = run(replace(SHARE, duration_ms=1), *talls, Job("pair", 3 * HOUR_MS, HOUR_MS, members=2, gpus=8, must="rack"))
    # One machine of each rack is free from the second hour on; the pair waits for the fifth.
    assert told["heldBy"] == {"devices:gpu": 2}
    assert told["waitSeconds"]["max"] == 2 * 3600


def test_members_that_are_shares_are_counted_as_shares() -> None:
    halves = Job("halves", 0, HOUR_MS, members=64, gpus=1, gpu_milli=500)
    assert run(halves)["jobs"]["started"] == 1
    assert run(replace(halves, members=65))["jobs"]["refused"] == {"larger than the fleet": 1}
    assert run(replace(halves, members=33, must="rack"))["jobs"]["refused"] == {"larger than the fleet": 1}


def test_a_preference_wider_than_what_must_be_is_no_reason_to_wait() -> None:
    assert run(job("a", 0, 1, 8, must="machine", prefer="rack"))["jobs"]["started"] == 1
    assert run(SHARE, job("a", 0, 1, 8, must="machine", prefer="rack"))["jobs"]["started"] == 2


@pytest.mark.parametrize("share", [(), (replace(SHARE, duration_ms=1),)], ids=["whole devices", "shares"])
def test_what_a_budget_never_carries_is_refused_by_its_name_and_holds_up_nobody(share: tuple[Job, ...]) -> None:
    told = run(*share, job("vast", 0, 1, 21), job("after", 1, 1, 20), fleet=a_fleet(power="20kW"))
    assert told["jobs"]["refused"] == {"beyond power:simulated": 1}
    assert told["jobs"]["waitingAtEnd"] == 0
    assert told["jobs"]["finished"] == 1 + len(share)


def test_what_no_pool_ever_powers_is_refused_by_the_budgets_name() -> None:
    told = run(
        job("vast", 0, 1, 10),
        job("due", 0, 1, 10, deadline_ms=9 * HOUR_MS),
        job("none", 0, 1, 33, deadline_ms=9 * HOUR_MS),
        fleet=a_fleet(power="9kW"),
    )
    assert told["promises"]["madeAt"] == "arrival"
    assert told["jobs"]["refused"] == {"beyond power:simulated": 2, "larger than the fleet": 1}


def test_a_budget_of_the_site_and_of_its_racks_carry_together_what_they_can() -> None:
    fleet = a_fleet()
    racks = [DomainBudget(level="rack", domain=f"r-{n}", power=Power.parse("3kW")) for n in range(2)]
    site = fleet.site.model_copy(update={"spec": SiteSpec(power=Power.parse("6kW"), budgets=racks)})
    told = run(job("a", 0, 1, 6), job("b", 0, 1, 7), fleet=replace(fleet, site=site))
    assert told["jobs"]["started"] == 1
    assert sum(told["jobs"]["refused"].values()) == 1


def test_who_waits_for_what_an_outage_took_is_refused() -> None:
    told = run(job("a", 0, 4, 9), job("wide", 1, 1, 32), job("b", 3, 1, 1), outages=[Outage("r-0", 2 * HOUR_MS)])
    assert told["jobs"]["refused"] == {"larger than the fleet": 1}
    assert told["jobs"]["waitingAtEnd"] == 0


def test_what_if_changes_the_fleet_and_nothing_else() -> None:
    other = changed(a_fleet(), ["add=2,power=9kW", "outage=r-1@2h"])
    assert len(other.fleet.machines) == 6
    assert str(other.fleet.site.spec.power) == "9kW"
    assert other.outages == (Outage("r-1", 2 * HOUR_MS),)


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


def test_another_limit_of_cooling_leaves_a_racks_power_as_it_was() -> None:
    told = changed(a_fleet(), ["power=r-0:5kW", "cooling=r-0:4kW"]).fleet.site.spec.budgets
    assert [(part.domain, str(part.power), str(part.cooling)) for part in told] == [("r-0", "5kW", "4kW")]


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
