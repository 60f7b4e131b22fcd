"""A gang that cannot fit is refused by counting: exactly, with what binds, and with the largest gang that would fit.

All of it on forty racks of 32 machines, 10,240 GPUs, where a search over members would not come back.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tenure.placement import (
    Budget,
    Calendar,
    Claim,
    Core,
    Demand,
    Device,
    DeviceClaim,
    DeviceRequest,
    Draw,
    Fleet,
    FleetMachine,
    Hold,
    Level,
    Plan,
    PowerFacts,
    Refusal,
    Role,
    Spread,
    fewer_members,
    overbookings,
    plan,
    relaxations,
)

RACKS, MACHINES, GPUS = 40, 32, 8
GPU_MW, CORE_MW = 700_000, 5_000


def fleet(*, powered: float | None = None) -> Fleet:
    """Equal machines; every rack has power for so many of them at full load."""
    base = FleetMachine(
        "node",
        "site",
        cores=tuple(Core(n, n // 32, n // 8) for n in range(64)),
        devices=tuple(
            Device(f"gpu{n}", "gpu", numa_node=n // 4, power=PowerFacts(rated_mw=GPU_MW)) for n in range(GPUS)
        ),
        core_power=PowerFacts(rated_mw=CORE_MW),
    )
    machines = [
        replace(base, name=f"r{rack:02d}n{n:02d}", place=(("rack", f"r{rack:02d}"), ("row", f"row{rack // 10}")))
        for rack in range(RACKS)
        for n in range(MACHINES)
    ]
    full = GPUS * (GPU_MW + CORE_MW)
    budgets = [Budget("power", "rack", f"r{rack:02d}", int(full * powered)) for rack in range(RACKS) if powered]
    return Fleet.of(machines, levels=(Level("rack"), Level("row")), budgets=tuple(budgets))


def gang(count: int, gpus: int = GPUS, cores: int | None = None, **more: object) -> Demand:
    role = Role(count=count, cores=gpus if cores is None else cores, devices=(DeviceRequest("gpu", gpus),))
    return Demand("gang", (role,), duration_ms=1000, **more)  # type: ignore[arg-type]


def refused(where: Fleet, wanted: Demand, calendar: Calendar | None = None) -> Refusal:
    answer = plan(where, calendar or Calendar(), wanted, now_ms=0)
    assert isinstance(answer, Refusal)
    assert answer.proved
    return answer


def largest(where: Fleet, wanted: Demand) -> int:
    """The members of the smaller gang that is offered; its plan stands up to the recount."""
    less = fewer_members(where, Calendar(), wanted, now_ms=0)
    assert less is not None
    offer = relaxations(where, Calendar(), wanted, [less], now_ms=0)[0]
    assert overbookings(where, [offer.plan.hold("less")]) == ()
    return len(offer.plan.claims)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [(gang(1280), 40 * 30), (gang(9800, 1), 40 * (30 * GPUS + 4)), (gang(31, required_level="rack"), 30)],
)
def test_by_what_the_racks_power(wanted: Demand, fits: int) -> None:
    where = fleet(powered=30.5)
    answer = refused(where, wanted)
    assert any(one.constraint.startswith("power:") for one in answer.conflict)
    assert largest(where, wanted) == fits


def test_by_the_spread_over_racks() -> None:
    where = fleet()
    wanted = gang(801, spread=Spread("rack", 20))
    assert refused(where, wanted).binding.constraint == "spread:rack"
    assert largest(where, wanted) == 800


def test_by_what_lies_together_inside_a_machine() -> None:
    """Five GPUs of eight on each machine: the three left on two nodes hold nobody who needs three on one."""
    where = fleet()
    role = Role(count=2561, devices=(DeviceRequest("gpu", 3),), requires=frozenset({"numa"}))
    wanted = Demand("gang", (role,), duration_ms=1000)
    refused(where, wanted)
    assert largest(where, wanted) == 2560


def test_by_all_roles_together() -> None:
    head = Role("head", 1, cores=60, devices=(DeviceRequest("gpu", 1),))
    wanted = Demand("gang", (head, *gang(1280).roles), duration_ms=1000)
    assert refused(fleet(), wanted).conflict[0].constraint == "devices:gpu"


@pytest.mark.parametrize("frugal_first", [True, False])
def test_a_row_is_not_reckoned_by_the_hungriest_machine_of_its_racks(*, frugal_first: bool) -> None:
    """Two racks of a hungry and a frugal machine each: under the row's limit only the frugal ones stand together."""
    core = (Core(0),)
    sorts = [PowerFacts(rated_mw=2), PowerFacts(rated_mw=10)]
    machines = [
        FleetMachine(f"{rack}-{n}", "site", core, place=(("rack", rack), ("row", "row")), core_power=power)
        for rack in ("r0", "r1")
        for n, power in enumerate(sorts if frugal_first else sorts[::-1])
    ]
    budgets = (*(Budget("power", "rack", rack, 12) for rack in ("r0", "r1")), Budget("power", "row", "row", 5))
    where = Fleet.of(machines, levels=(Level("rack"), Level("row")), budgets=budgets)
    pair = Demand("pair", (Role(count=2, cores=1),), duration_ms=1)
    assert isinstance(plan(where, Calendar(), pair, now_ms=0), Plan)
    refused(where, replace(pair, roles=(Role(count=3, cores=1),)))


def test_among_a_thousand_holds_the_earliest_start_is_found_by_halving() -> None:
    where, draw = fleet(powered=30.5), random.Random(3)
    holds = [
        Hold(f"h{n}", "", "site", 0, draw.randint(1_000, 90_000), (Claim(box.name, devices=_some(draw)),))
        for n, box in enumerate(where.machines)
    ]
    calendar = Calendar.of(holds)
    wanted = gang(600)
    earliest_ms = refused(where, wanted, calendar).earliest_ms
    assert earliest_ms is not None
    before_ms = max(hold.end_ms for hold in holds if hold.end_ms < earliest_ms)
    assert isinstance(plan(where, calendar, wanted, now_ms=earliest_ms), Plan)
    assert isinstance(plan(where, calendar, wanted, now_ms=before_ms), Refusal)


def _some(draw: random.Random) -> tuple[DeviceClaim, ...]:
    return tuple(DeviceClaim(f"gpu{n}", 1000) for n in range(draw.randint(1, GPUS)))


def test_a_count_beyond_all_reason_is_refused_without_counting_up_to_it() -> None:
    demand = Demand("d", (Role(count=10**9, devices=(DeviceRequest("gpu"),)),), duration_ms=5)
    answer = plan(Fleet.of(fleet().machines[:2]), Calendar(), demand, now_ms=0)
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.binding.needed, answer.binding.available) == ("GangTooLarge", 10**9, 16)
    assert [one.constraint for one in answer.conflict] == ["devices:gpu", "members"]


def test_a_role_that_comes_again_after_another_is_not_counted_twice() -> None:
    """Greedily the middle one takes the only A that the last one could have; a search must find B for it."""
    first = Role(cores=1, devices=(DeviceRequest("gpu", models=frozenset("A")),))
    middle = replace(first, devices=(DeviceRequest("gpu", models=frozenset("AB")),))
    where = Fleet.of(
        FleetMachine(
            models, "site", (Core(0), Core(1)), devices=tuple(Device(f"gpu{m}", "gpu", model=m) for m in models)
        )
        for models in ("A", "AB")
    )
    wanted = Demand("gang", (first, middle, first), duration_ms=5)
    assert isinstance(plan(where, Calendar(), wanted, now_ms=0), Plan)


def test_of_a_crowd_that_draws_the_same_anywhere_none_is_placed_to_add_up_what_they_draw() -> None:
    """Ten million are answered as a thousand are, of whom each is placed."""
    budgets = (Budget("licence", "site", "site", 10), Budget("seats", "site", "site", 10**9))
    where = Fleet.of(fleet().machines[:2], budgets=budgets)
    draws = (Draw("licence", 2), Draw("seats", 3))
    few, many = (
        refused(where, Demand("d", (Role(count=count, draws=draws),), duration_ms=5)) for count in (1_000, 10**7)
    )
    assert (few.binding.constraint, few.binding.needed) == ("licence:site", 2_000)
    assert many.binding == replace(few.binding, needed=2 * 10**7)
    assert (many.reason, many.conflict) == (few.reason, few.conflict)
