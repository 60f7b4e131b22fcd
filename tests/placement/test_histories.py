"""Long random histories: nothing above capacity at any instant, gangs whole, freeing restores the exact state."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.placement.builders import demand, hold, machine
from tests.placement.strategies import demands, fleets

from tenure.placement import Calendar, Fleet, Plan, Role, Start, overbookings, plan
from tenure.placement.audit_demand import unmet

steps = st.lists(
    st.tuples(st.sampled_from(["ask", "ask", "ask", "offer", "end", "choose"]), st.integers(0, 9)), max_size=14
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(fleets(), steps, st.data())
def test_capacity_is_kept_at_every_instant(fleet: Fleet, history: list[tuple[str, int]], data: st.DataObject) -> None:
    calendar = Calendar(margin_ms=1)
    for number, (act, pick) in enumerate(history):
        ids = sorted(calendar.holds)
        if act in ("ask", "offer"):
            wanted = replace(data.draw(demands(f"d{number}")), group=f"g{pick % 3}" if act == "offer" else "")
            answer = plan(fleet, calendar, wanted, now_ms=number)
            if isinstance(answer, Plan):
                least, most = (sum(sizes) for sizes in zip(*((r.least, r.count) for r in wanted.roles), strict=True))
                assert least <= len(answer.claims) <= most
                assert unmet(fleet, wanted, answer.claims) == ()
                calendar = calendar.with_holds(answer.hold(f"h{number}"))
        elif ids and act == "end":
            before = calendar
            gone = ids[pick % len(ids)]
            calendar = calendar.without(gone)
            assert calendar.with_holds(before.holds[gone]) == before
        elif ids:
            # An alternative is chosen: it stands alone from now on, its siblings are released.
            chosen = calendar.holds[ids[pick % len(ids)]]
            if chosen.group:
                siblings = [h.id for h in calendar.holds.values() if h.group == chosen.group]
                calendar = calendar.without(*siblings).with_holds(replace(chosen, group=""))
        assert overbookings(fleet, calendar.holds.values(), margin_ms=1) == ()
    empty = calendar.without(*calendar.holds)
    assert empty == Calendar(margin_ms=1)
    assert empty.by_machine == {}


def test_a_reservation_is_never_delayed_by_what_is_filled_in_before_it() -> None:
    fleet = Fleet.of([machine(f"m{n}", gpus=4, cores=8) for n in range(4)])
    calendar = Calendar.of([hold(f"now{n}", on=f"m{n}", devices={"gpu0": 1000}, end=100) for n in range(4)])
    gang = plan(fleet, calendar, demand("gang", count=4, gpus=4, duration_ms=50, start=Start(0, 1_000)), now_ms=0)
    assert isinstance(gang, Plan)
    assert gang.start_ms == 100
    calendar = calendar.with_holds(gang.hold("gang"))
    draw = random.Random(5)
    for number in range(60):
        length = draw.choice([10, 40, 90, 200])
        window = Start(0, draw.choice([0, 500]))
        answer = plan(fleet, calendar, demand(gpus=draw.randint(1, 3), duration_ms=length, start=window), now_ms=0)
        if isinstance(answer, Plan):
            assert answer.end_ms <= 100 or answer.start_ms >= 150
            calendar = calendar.with_holds(answer.hold(f"fill{number}"))
    assert overbookings(fleet, calendar.holds.values()) == ()
    assert calendar.holds["gang"].start_ms == 100


def test_an_elastic_gang_takes_the_greatest_size_that_fits() -> None:
    fleet = Fleet.of([machine(f"m{n}", gpus=4, cores=8) for n in range(4)])
    calendar = Calendar.of([hold("h", on="m1", devices={"gpu0": 1000}, end=100)])
    wanted = demand(count=4, gpus=4, duration_ms=10, role={"count_min": 2})
    answer = plan(fleet, calendar, wanted, now_ms=0)
    assert isinstance(answer, Plan)
    assert len(answer.claims) == 3
    assert not isinstance(plan(fleet, calendar, demand(count=4, gpus=4, role={"count_min": 4}), now_ms=0), Plan)


def test_a_broken_domain_sells_slices_of_what_is_left() -> None:
    machines = [machine(f"n{n}", gpus=4, place=(("nvlink", "nvl-0"),), schedulable=n not in (3, 4)) for n in range(18)]
    fleet = Fleet.of(machines)
    whole = demand(count=18, gpus=4, required_level="site", duration_ms=1)
    assert not isinstance(plan(fleet, Calendar(), whole, now_ms=0), Plan)
    slice_ = plan(fleet, Calendar(), demand(count=16, gpus=4, required_level="site", duration_ms=1), now_ms=0)
    assert isinstance(slice_, Plan)
    assert not {"n3", "n4"} & {claim.machine for claim in slice_.claims}


@pytest.mark.parametrize("count", [1, 3])
def test_roles_are_placed_together_or_not_at_all(count: int) -> None:
    fleet = Fleet.of([machine("m1", cores=4, gpus=2)])
    roles = (Role("head", 1, cores=2), *demand(count=count, cores=1, gpus=1).roles)
    answer = plan(fleet, Calendar(), replace(demand(), roles=roles), now_ms=0)
    assert isinstance(answer, Plan) == (count == 1)


@pytest.mark.parametrize(("free", "size"), [(4, 4), (3, 2), (1, 1)])
def test_only_sizes_of_value_are_taken(free: int, size: int) -> None:
    fleet = Fleet.of([machine(f"m{n}", gpus=4, cores=8) for n in range(free)])
    role = {"values": ((1, 1.0), (2, 1.9), (4, 3.5))}
    answer = plan(fleet, Calendar(), demand(count=4, gpus=4, role=role), now_ms=0)
    assert isinstance(answer, Plan)
    assert len(answer.claims) == size
