"""What is kept with a fleet of what holds leave equals what the calendar says anew, whatever was asked before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.placement.builders import demand, hold, machine
from tests.placement.histories import History, steps, told

from tenure.placement import Calendar, Fleet, FleetMachine, Hold, Refusal, over_time, plan
from tenure.placement.leftovers import Leftovers
from tenure.placement.ordered import Tree

MACHINES = [machine(name, cores=4, gpus=2) for name in ("m1", "m2")]


@settings(max_examples=60, deadline=None)
@given(steps, st.integers(0, 2))
def test_what_is_left_is_what_the_calendar_says_after_any_history_of_holds_and_questions(
    history: History, margin_ms: int
) -> None:
    fleet = Fleet.of(MACHINES)
    for calendar, start_ms, end_ms in told(history, margin_ms):
        for group in ("", "g1"):
            left = Leftovers(fleet, calendar, start_ms, end_ms, group)
            for one in MACHINES:
                assert left.of(one) == calendar.free_over(one, start_ms, end_ms, without_group=group)


def racks_of_full_machines(count: int) -> tuple[list[FleetMachine], Calendar]:
    """So many machines of four GPUs in racks of four, each held wholly, one ending after another."""
    base = machine("n", nodes=2, cores=4, gpus=2)
    full = {f"gpu{number}": 1000 for number in range(4)}
    machines = [replace(base, name=f"n{number}", place=(("rack", f"r{number // 4}"),)) for number in range(count)]
    return machines, Calendar.of(hold(f"h{n}", on=f"n{n}", devices=full, end=50 + n) for n in range(count))


def test_a_refusal_is_the_same_on_a_fleet_that_was_asked_before() -> None:
    machines, calendar = racks_of_full_machines(8)
    asked = Fleet.of(machines)
    for gpus in (1, 4):
        plan(asked, calendar.without("h3"), demand(gpus=gpus, duration_ms=5), now_ms=0)
    wanted = demand("gang", count=6, gpus=4, duration_ms=5)
    again, anew = (plan(fleet, calendar, wanted, now_ms=0) for fleet in (asked, Fleet.of(machines)))
    assert isinstance(again, Refusal)
    assert again == anew
    assert again.earliest_ms == 55


def test_a_refusal_seldom_looks_at_what_stands_on_a_machine_however_much_it_explains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once for what is in the way, once for when it ends; what it leaves is mostly known of the question before."""
    machines, calendar = racks_of_full_machines(16)
    fleet, wanted = Fleet.of(machines), demand("gang", count=12, gpus=4, duration_ms=5)
    first = plan(fleet, calendar, wanted, now_ms=0)
    looked, meeting = 0, over_time.meeting

    def counting(tree: Tree, after_ms: int, until_ms: int | None) -> list[Hold]:
        nonlocal looked
        looked += 1
        return meeting(tree, after_ms, until_ms)

    monkeypatch.setattr(over_time, "meeting", counting)
    assert plan(fleet, calendar, wanted, now_ms=0) == first
    assert looked <= 3 * len(machines)
