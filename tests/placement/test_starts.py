"""When a demand may start: never before now, and never so late that its deadline is missed."""

from __future__ import annotations

import pytest
from tests.placement.builders import demand, machine

from tenure.placement import Calendar, Fleet, PlacementError, Plan, Refusal, Start, Step, plan, relaxations

FLEET = Fleet.of([machine()])


def test_a_start_by_a_deadline_ends_by_it() -> None:
    start = Start.by_deadline(0, 15, 10)
    answer = plan(FLEET, Calendar(), demand(cores=1, start=start, duration_ms=10), now_ms=0)
    assert isinstance(answer, Plan)
    assert (start.latest_ms, answer.end_ms) == (5, 10)


def test_a_deadline_that_no_start_meets_is_an_error_and_not_a_late_plan() -> None:
    with pytest.raises(PlacementError, match="ends 5 ms after the deadline") as caught:
        Start.by_deadline(0, 5, 10)
    assert (caught.value.code, caught.value.path) == ("DeadlineTooSoon", "start")


def test_nothing_is_booked_in_the_past() -> None:
    answer = plan(FLEET, Calendar(), demand(cores=1, start=Start(0, 150), duration_ms=10), now_ms=100)
    assert isinstance(answer, Plan)
    assert answer.start_ms == 100


def test_a_window_that_has_closed_is_refused_and_a_later_start_offered() -> None:
    late = demand(cores=1, start=Start(0, 50), duration_ms=10)
    answer = plan(FLEET, Calendar(), late, now_ms=100)
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.binding.constraint, answer.earliest_ms) == ("WindowClosed", "start", 100)
    (offer,) = relaxations(FLEET, Calendar(), late, [], now_ms=100)
    assert (offer.plan.start_ms, offer.steps) == (100, (Step("later", 50),))


def test_an_end_that_is_past_keeps_the_length_that_was_asked_for() -> None:
    past = demand(cores=1, start=Start(0, 0), until_ms=30)
    (offer,) = relaxations(FLEET, Calendar(), past, [], now_ms=100)
    assert (offer.plan.start_ms, offer.plan.end_ms) == (100, 130)
