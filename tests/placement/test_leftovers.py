"""What is kept with a fleet of what holds leave equals what the calendar says anew, whatever was asked before."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.placement.builders import demand, hold, machine

from tenure.placement import Calendar, Fleet, FleetMachine, Refusal, plan
from tenure.placement.leftovers import Leftovers

MACHINES = [machine(name, cores=4, gpus=2) for name in ("m1", "m2")]

holds = st.builds(
    lambda on, start, length, core, milli, group: (on, start, length, core, milli, group),
    st.sampled_from(["m1", "m2"]),
    st.integers(0, 6),
    st.integers(1, 6),
    st.integers(0, 3),
    st.integers(0, 500),
    st.sampled_from(["", "", "g1", "g2"]),
)
"""Machine, start, length, core, thousandths of a device, group."""

steps = st.lists(st.tuples(st.one_of(holds, st.integers(0, 9)), st.integers(0, 8), st.integers(1, 4)), max_size=20)
"""A hold that comes, or the place of one that goes; then the time asked about: its start and length."""


@settings(max_examples=60, deadline=None)
@given(steps, st.integers(0, 2))
def test_what_is_left_is_what_the_calendar_says_after_any_history_of_holds_and_questions(
    history: list[tuple[tuple[str, int, int, int, int, str] | int, int, int]], margin_ms: int
) -> None:
    fleet = Fleet.of(MACHINES)
    calendar = Calendar(margin_ms=margin_ms)
    for number, (change, start_ms, length_ms) in enumerate(history):
        if isinstance(change, tuple):
            on, start, length, core, milli, group = change
            came = hold(f"h{number}", on=on, start=start, end=start + length, cores=(core,), devices={"gpu0": milli})
            calendar = calendar.with_holds(replace(came, group=group))
        elif calendar.holds:
            calendar = calendar.without(sorted(calendar.holds)[change % len(calendar.holds)])
        for group in ("", "g1"):
            left = Leftovers(fleet, calendar, start_ms, start_ms + length_ms, group)
            for one in MACHINES:
                assert left.of(one) == calendar.free_over(one, start_ms, start_ms + length_ms, without_group=group)


def test_a_refusal_is_the_same_on_a_fleet_that_was_asked_before() -> None:
    base = machine("n", nodes=2, cores=4, gpus=2)
    machines: list[FleetMachine] = [
        replace(base, name=f"n{number}", place=(("rack", f"r{number // 4}"),)) for number in range(8)
    ]
    full = {f"gpu{number}": 1000 for number in range(4)}
    calendar = Calendar.of([hold(f"h{number}", on=f"n{number}", devices=full, end=50 + number) for number in range(8)])
    asked = Fleet.of(machines)
    for gpus in (1, 4):
        plan(asked, calendar.without("h3"), demand(gpus=gpus, duration_ms=5), now_ms=0)
    wanted = demand("gang", count=6, gpus=4, duration_ms=5)
    again, anew = (plan(fleet, calendar, wanted, now_ms=0) for fleet in (asked, Fleet.of(machines)))
    assert isinstance(again, Refusal)
    assert again == anew
    assert again.earliest_ms == 55
