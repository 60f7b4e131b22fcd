"""What is accepted is done in time, whatever comes later; what is refused hears why."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.placement.deadlines import Admission, Declined, Job, Promise, SizeMix


def door(capacity: int = 4, share: float = 0.0) -> Admission:
    return Admission(capacity, mix=SizeMix(share=share, span_slots_min=1))


def run_out(admission: Admission) -> dict[str, int]:
    """Slot by which each booked job was done."""
    ended = {}
    while admission.timetable.bookings:
        for booking in admission.timetable.advance()[1]:
            ended[booking.name] = admission.timetable.now
        admission.timetable.check()
    return ended


def test_an_idle_pool_starts_at_once_though_it_promises_the_deadline() -> None:
    pool = door()
    answer = pool.decide(Job("a", 4, 3, 10))
    assert answer == Promise(Job("a", 4, 3, 10), 10)
    assert run_out(pool) == {"a": 3}


def test_urgent_work_gets_in_before_what_can_wait() -> None:
    pool = door()
    assert isinstance(pool.decide(Job("lax", 4, 3, 10)), Promise)
    assert isinstance(pool.decide(Job("urgent", 4, 3, 3)), Promise)
    assert run_out(pool) == {"urgent": 3, "lax": 6}


def test_a_refusal_counts_the_slots_that_would_do() -> None:
    pool = door()
    pool.decide(Job("a", 3, 8, 8))
    assert pool.decide(Job("b", 2, 2, 9)) == Declined(Job("b", 2, 2, 9), "CapacityHeld", 2, 1, 1)
    assert isinstance(pool.decide(Job("c", 5, 1, 99)), Declined)
    assert isinstance(pool.decide(Job("d", 1, 5, 4)), Declined)


def test_room_is_kept_for_the_smaller_work_that_usually_comes() -> None:
    pool = door(capacity=2, share=1.0)
    for number in range(20):
        pool.decide(Job(f"small{number}", 1, 1, pool.timetable.now + 2))
        pool.timetable.advance()
    large = pool.decide(Job("large", 2, 20, pool.timetable.now + 30))
    assert isinstance(large, Declined)
    assert (large.reason, large.available) == ("CapacityKeptForSmaller", 30)
    assert isinstance(door(capacity=2).decide(Job("large", 2, 20, 30)), Promise)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, int, int, int]]:
    """(slots that pass first, width, length, slack) for each arrival."""
    job = st.tuples(st.integers(0, 3), st.integers(1, 5), st.integers(1, 6), st.integers(0, 12))
    return draw(st.lists(job, max_size=25))


@settings(max_examples=150, deadline=None)
@given(histories(), st.sampled_from([0.0, 0.25, 1.0]))
def test_no_promise_is_ever_broken(history: list[tuple[int, int, int, int]], share: float) -> None:
    pool = door(share=share)
    promised: dict[str, int] = {}
    ended: dict[str, int] = {}
    for number, (gap, width, length, slack) in enumerate(history):
        for _ in range(gap):
            running, done = pool.timetable.advance()
            assert sum(booking.width for booking in running) <= 4
            ended |= {booking.name: pool.timetable.now for booking in done}
            pool.timetable.check()
        answer = pool.decide(Job(str(number), width, length, pool.timetable.now + length + slack))
        if isinstance(answer, Promise):
            promised[answer.job.name] = answer.by
            assert answer.by <= answer.job.deadline
        else:
            assert answer.uncontested < answer.needed or answer.reason == "GangTooLarge"
        pool.timetable.check()
    ended |= run_out(pool)
    assert set(ended) == set(promised)
    assert all(ended[name] <= by for name, by in promised.items())


@settings(max_examples=50, deadline=None)
@given(histories())
def test_cancelling_restores_the_exact_state(history: list[tuple[int, int, int, int]]) -> None:
    pool = door()
    for number, (_, width, length, slack) in enumerate(history):
        before = pool.timetable.free(0, 64).tolist()
        if isinstance(pool.decide(Job(str(number), width, length, length + slack)), Promise) and number % 2:
            pool.timetable.cancel(str(number))
            assert pool.timetable.free(0, 64).tolist() == before
        pool.timetable.check()


def test_a_deadline_beyond_the_horizon_costs_no_memory() -> None:
    pool = door()
    answer = pool.decide(Job("whenever", 1, 3, 2**60))
    assert isinstance(answer, Promise)
    assert answer.by < 2**60
    assert run_out(pool) == {"whenever": 3}


def test_empty_time_may_be_skipped_and_booked_time_may_not() -> None:
    pool = door()
    pool.timetable.skip_to(1_000)
    pool.decide(Job("a", 1, 1, 1_010))
    with pytest.raises(ValueError, match="slot by slot"):
        pool.timetable.skip_to(2_000)


def test_the_first_room_is_where_enough_is_free_for_long_enough_in_a_row() -> None:
    table = door().timetable
    table.book("a", 3, 10, np.array([1, 2]))
    table.book("b", 3, 10, np.array([5]))
    assert table.first_room(1, 9) == 0
    assert table.first_room(2, 1) == 0
    assert table.first_room(2, 2) == 3
    assert table.first_room(2, 3) == 6
    assert table.first_room(5, 1) is None


def test_lost_capacity_breaks_only_what_no_other_booking_keeps() -> None:
    pool = door()
    assert isinstance(pool.decide(Job("lax", 4, 2, 20)), Promise)
    assert isinstance(pool.decide(Job("wide", 3, 2, 4)), Promise)
    assert isinstance(pool.decide(Job("slim", 1, 2, 4)), Promise)
    lost = pool.lose(2)
    assert set(lost.broken) == {"lax", "wide"}, "both are wider than what is left"
    assert run_out(pool) == {"slim": 2}


def test_what_ran_on_lost_units_begins_anew_and_may_still_be_in_time() -> None:
    pool = door()
    pool.decide(Job("a", 2, 3, 10))
    pool.decide(Job("b", 2, 3, 4))
    pool.timetable.advance()
    lost = pool.lose(2, [pool.timetable.bookings["a"]])
    assert lost.broken == ()
    assert run_out(pool) == {"b": 3, "a": 6}


def test_what_was_never_promised_gives_way_first() -> None:
    pool = door()
    pool.decide(Job("firm", 2, 3, 4))
    pool.timetable.book("rest", 2, 9, np.arange(9), firm=False)
    lost = pool.lose(2)
    assert (lost.broken, lost.displaced) == ((), ("rest",))


def test_more_than_there_is_cannot_be_lost_and_nothing_changes() -> None:
    pool = door()
    pool.decide(Job("a", 2, 3, 10))
    with pytest.raises(ValueError, match="cannot lose 5"):
        pool.lose(5, [pool.timetable.bookings["a"]])
    assert pool.timetable.capacity == 4
    pool.timetable.check()
    assert run_out(pool) == {"a": 3}
    assert pool.lose(4).broken == ()
    assert isinstance(pool.decide(Job("late", 1, 1, 99)), Declined)


@settings(max_examples=100, deadline=None)
@given(histories(), st.integers(0, 24), st.integers(1, 3))
def test_whatever_is_lost_each_promise_is_kept_or_named(
    history: list[tuple[int, int, int, int]], when: int, units: int
) -> None:
    pool = door()
    promised: dict[str, int] = {}
    ended: dict[str, int] = {}
    broken: set[str] = set()
    for number, (gap, width, length, slack) in enumerate(history):
        for _ in range(gap):
            ended |= {booking.name: pool.timetable.now for booking in pool.timetable.advance()[1]}
        if number == when:
            broken = set(pool.lose(units, list(pool.timetable.bookings.values())[:1]).broken)
        pool.timetable.check()
        answer = pool.decide(Job(str(number), width, length, pool.timetable.now + length + slack))
        if isinstance(answer, Promise):
            promised[answer.job.name] = answer.by
    ended |= run_out(pool)
    assert set(ended) == set(promised) - broken
    assert all(ended[name] <= promised[name] for name in ended)
