"""A wide gang books what will be free soonest; gaps are filled, and what is booked is never delayed."""

from __future__ import annotations

import heapq

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tenure.placement.gangs import Bookings, FreeCounts, GangChoice, LevelTree, Waiting, choose
from tenure.placement.gangs.booking import soonest
from tenure.placement.gangs.waiting import Running, frees_at

ONE = (1,)
GPUS = 8


class Queue:
    """Machines of eight devices, four to a leaf, and gangs that run on them for as long as they say."""

    def __init__(self, machines: int = 8) -> None:
        names = range(machines)
        tree = LevelTree.of(
            [
                ("machine", [f"m{n}" for n in names]),
                ("leaf", [f"l{n // 4}" for n in names]),
                ("site", ["s" for _ in names]),
            ]
        )
        self.counts = FreeCounts(tree, np.full((machines, 1), GPUS, dtype=np.int64))
        self.bookings = Bookings()
        self.running: list[Running] = []
        self.asked = 0

    def gang(self, count: int, run: int, *, since: int = 0, rate: float = 0.1) -> Waiting:
        """One that belongs into the narrowest level that could ever carry it."""
        empty = FreeCounts(self.counts.tree, self.counts.capacity)
        widest = choose(empty, ONE, count)
        assert widest is not None
        self.asked += 1
        return Waiting(self.asked, ONE, count, widest.level, since, run, rate)

    def ask(self, gang: Waiting, now: int) -> GangChoice | None:
        choice = self.bookings.place(self.counts, gang, self.running, now)
        if choice is not None:
            self.counts.take(ONE, choice.rows, choice.members)
            within = self.counts.tree.names.index(choice.level) <= self.counts.tree.names.index(gang.level)
            end = now + round(gang.run_ms / (1.0 if within else gang.rate))
            heapq.heappush(self.running, Running(end, gang.number, choice.rows, choice.members))
        return choice

    def until(self, now: int) -> None:
        while self.running and self.running[0].end_ms <= now:
            ended = heapq.heappop(self.running)
            self.counts.give(ONE, ended.rows, ended.members)


def full_until(*ends: int) -> Queue:
    """One machine after another taken until these ends."""
    queue = Queue(len(ends))
    for end in ends:
        assert queue.ask(queue.gang(GPUS, end), 0) is not None
    return queue


def test_the_leaf_that_is_free_soonest_is_booked_and_kept_from_what_stays_longer() -> None:
    queue = full_until(10, 20, 30, 90, 50, 50, 50, 50)
    wide = queue.gang(32, 100)
    assert queue.ask(wide, 0) is None
    queue.until(10)
    long, short = queue.gang(GPUS, 500, since=10), queue.gang(GPUS, 5, since=10)
    assert queue.ask(long, 10) is not None  # on the leaf that is not booked
    queue.until(50)
    later, fills = queue.gang(GPUS, 500, since=50), queue.gang(GPUS, 5, since=50)
    assert queue.ask(wide, 50) is not None
    assert queue.ask(short, 50) is not None
    assert queue.ask(later, 50) is not None
    assert queue.ask(fills, 50) is None


def test_a_gap_before_a_booking_is_filled_by_what_is_gone_in_time() -> None:
    queue = full_until(10, 40, 40, 40)
    wide = queue.gang(32, 100)
    assert queue.ask(wide, 0) is None
    queue.until(10)
    assert queue.ask(queue.gang(GPUS, 31, since=10), 10) is None
    assert queue.ask(queue.gang(GPUS, 30, since=10), 10) is not None
    queue.until(40)
    assert queue.ask(wide, 40) is not None


def test_of_several_wide_gangs_only_the_oldest_books() -> None:
    queue = full_until(10, 40, 40, 40, 10, 60, 60, 60)
    old, young = queue.gang(32, 100, since=0), queue.gang(32, 100, since=1)
    assert queue.ask(old, 1) is None
    assert queue.ask(young, 1) is None
    queue.until(10)
    assert queue.ask(queue.gang(GPUS, 500, since=10), 10) is not None
    assert queue.ask(queue.gang(GPUS, 500, since=10), 10) is None


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 40), st.integers(1, 60)), min_size=1, max_size=60))
@example([(2, 40, 3), (0, 33, 2), (0, 31, 3)])  # the younger booking was reckoned beside the older, not against it
@example([(2, 33, 3), (2, 33, 4), (0, 9, 4), (0, 31, 1)])
def test_whoever_waits_for_a_booked_place_starts_no_later_than_booked(jobs: list[tuple[int, int, int]]) -> None:
    queue, now = Queue(), 0
    arrivals: list[Waiting] = []
    for gap, count, run in jobs:
        now += gap
        arrivals.append(queue.gang(count, run, since=now))
    waiting: list[Waiting] = []
    promised: dict[int, int] = {}
    while arrivals or waiting or queue.running:
        booked = queue.bookings.next_start_ms(now)
        instants = [gang.since_ms for gang in arrivals[:1]] + [one.end_ms for one in queue.running[:1]]
        now = min(instants if booked is None else [*instants, booked])
        queue.until(now)
        while arrivals and arrivals[0].since_ms <= now:
            waiting.append(arrivals.pop(0))
        for gang in list(waiting):
            if queue.ask(gang, now) is not None:
                waiting.remove(gang)
                assert now <= promised.get(gang.number, now)
            booking = queue.bookings.booked(gang.number)
            if booking is not None:
                assert promised.setdefault(gang.number, booking.start_ms) == booking.start_ms
        queue.counts.check()


def test_what_ends_on_machines_of_no_leaf_frees_none() -> None:
    """Two machines of a leaf that is busy for good, two that name none: their ends are no room in the last leaf."""
    tree = LevelTree.of([("machine", ["a", "b", "c", "d"]), ("leaf", ["l0", "l0", None, None]), ("site", ["s"] * 4)])
    counts = FreeCounts(tree, np.full((4, 1), GPUS, dtype=np.int64))
    every = np.arange(4)
    counts.take(ONE, every, np.full(4, GPUS))
    ends = [Running(5, 1, every[2:], np.full(2, GPUS)), Running(50, 2, every[:2], np.full(2, GPUS))]
    gang = Waiting(3, ONE, 2 * GPUS, "leaf", 0, 10)
    booked = soonest(counts, gang, ends, [], 0)
    assert booked is not None
    assert (booked.start_ms, booked.place.rows.tolist(), booked.place.domain) == (50, [0, 1], "l0")
    assert frees_at(counts, ONE, 2 * GPUS, "leaf", ends) == 50
    assert soonest(counts, gang, ends[:1], [], 0) is None
    assert frees_at(counts, ONE, 2 * GPUS, "leaf", ends[:1]) is None
