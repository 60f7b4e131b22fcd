"""When a demand may start: never before now, and never so late that its deadline is missed."""

from __future__ import annotations

import pytest
from tests.placement.builders import demand, machine

from tenure.placement import Calendar, Fleet, PlacementError, Plan, Refusal, Start, plan

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
