"""Where any GPU will do for any job, a firm end is promised at arrival, and what runs may be stopped and resumed."""

import hypothesis.strategies as st
from hypothesis import given, settings

from tenure.cli.simulate.pool import pool_of
from tenure.cli.simulate.run import Outage
from tenure.cli.simulate.site import Site
from tenure.discovery.fleets import FleetFile, Hardware, profile_of
from tenure.quantities import Power
from tenure.resources import Machine, ObjectMeta
from tenure.resources import Site as SiteObject
from tenure.resources.kinds.machine import MachineSpec
from tests.cli.simulation.builders import HOUR_MS, job, placed, run


def test_sums_beyond_64_bits_are_no_pool_and_no_crash() -> None:
    vast = 10**12 * 2**20
    profile = profile_of(Hardware(cores=8, memory_bytes=vast, gpus=16, model="X", gpu_power_mw=1_000_000))
    machine = Machine(metadata=ObjectMeta(name="m"), spec=MachineSpec(site="simulated", profile=profile.name))
    one = FleetFile(SiteObject(metadata=ObjectMeta(name="simulated")), (profile,), (machine,))
    large = job("a", 0, 1, 1, memory_bytes=vast, deadline_ms=9 * HOUR_MS)
    assert "run out before its GPUs do" in str(pool_of(Site.of(placed(one), shares=False), [large]))
    assert run(large, fleet=one)["jobs"]["started"] == 1


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
    told = run(job("a", 0, 1, 9, **due), job("b", 0, 1, 9, **due), job("c", 0, 1, 1, **due), power="9kW")
    assert told["promises"]["kept"] == 2
    assert told["peakPowerW"] == 9_000
    assert told["promises"]["because"].startswith("9 units")


def test_what_no_pool_ever_powers_is_refused_by_the_budgets_name() -> None:
    told = run(
        job("vast", 0, 1, 10),
        job("due", 0, 1, 10, deadline_ms=9 * HOUR_MS),
        job("none", 0, 1, 33, deadline_ms=9 * HOUR_MS),
        power="9kW",
    )
    assert told["promises"]["madeAt"] == "arrival"
    assert told["jobs"]["refused"] == {"beyond power:simulated": 2, "larger than the fleet": 1}


def test_an_outage_breaks_no_promise_that_another_booking_keeps() -> None:
    told = run(job("a", 0, 2, 16, deadline_ms=9 * HOUR_MS), outages=[Outage("r-0", HOUR_MS)])
    assert (told["jobs"]["lost"], told["promises"]["broken"], told["promises"]["kept"]) == (1, 0, 1)


def test_an_outage_takes_its_machines_and_breaks_promises() -> None:
    told = run(job("a", 0, 2, 32, deadline_ms=3 * HOUR_MS), outages=[Outage("r-0", HOUR_MS)])
    assert told["promises"]["broken"] == 1
    assert told["series"][-1]["map"].startswith("xx")


def test_who_waits_for_what_an_outage_took_is_refused() -> None:
    jobs = (job("a", 0, 4, 9), job("wide", 1, 1, 32), job("b", 3, 1, 1))
    for more in ({}, {"planned_max": 0}):
        told = run(*jobs, outages=[Outage("r-0", 2 * HOUR_MS)], **more)
        assert told["jobs"]["refused"] == {"larger than the fleet": 1}
        assert told["jobs"]["waitingAtEnd"] == 0


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(1, 9), st.integers(1, 33), st.none() | st.integers(0, 12)),
        max_size=20,
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
    told = run(*jobs, power=power, outages=outages)
    promises = told["promises"]
    assert promises["promised"] == promises["kept"] + promises["broken"]
    assert outages or not promises["broken"]
    assert all(point["gpus"] <= 32 for point in told["series"])
    assert told["peakPowerW"] <= (int(Power.parse(power)) // 1000 if power else 32_000)
    assert told["jobs"]["waitingAtEnd"] == 0
