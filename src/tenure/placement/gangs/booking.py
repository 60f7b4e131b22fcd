"""Places booked ahead, so that a wide gang is not overtaken for ever by narrow ones that fit into every gap.

Of the gangs that need several machines at once, the one that has waited longest books the domain of its level that is
free soonest; a machine for the others empties by itself. Until then others may stand there
if they are gone by that instant or leave it room: nothing booked is ever delayed, so a booked start is a promise, and
what only fills a gap costs nobody anything. Without this a gang of a whole rail starts when chance empties one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from tenure.placement.gangs.choice import GangChoice, choose, fewest
from tenure.placement.gangs.counts import FreeCounts, Need
from tenure.placement.gangs.tree import NOWHERE, Rows
from tenure.placement.gangs.waiting import Running, worth_waiting


@dataclass(frozen=True, slots=True)
class Waiting:
    """A gang that waits: ``count`` members that belong into one domain of ``level``, asked for at ``since_ms``.

    ``rate`` (0 to 1) is how fast it runs outside one. The unit of time is the caller's; ``number`` is the gang's own.
    """

    number: int
    need: Need
    count: int
    level: str
    since_ms: int
    run_ms: int
    rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Booking:
    """A place over [``start_ms``, ``end_ms``).

    ``spare[i]`` is how many more members could stand on ``place.rows[i]`` at the start; it falls as others take of it.
    """

    start_ms: int
    end_ms: int
    place: GangChoice
    spare: Rows


class Bookings:
    """Which gangs of several machines wait and what is booked for them.

    Members of other classes are counted as if they were of the asking one, which is exact where all need the same.
    What is placed must be asked for here, and taken.
    """

    def __init__(self) -> None:
        self._since: dict[int, int] = {}
        self._booked: dict[int, Booking] = {}

    def booked(self, number: int) -> Booking | None:
        """What is booked for a gang that waits."""
        return self._booked.get(number)

    def next_start_ms(self, now_ms: int) -> int | None:
        """When the next booked start comes after now: then its gang is to be asked for again, whatever else happens."""
        return min((one.start_ms for one in self._booked.values() if one.start_ms > now_ms), default=None)

    def place(self, counts: FreeCounts, gang: Waiting, running: Sequence[Running], now_ms: int) -> GangChoice | None:
        """A place to start at now, or None: then it waits, and books if it is the oldest that needs several
        machines.

        A place outside one domain of its level is given only where waiting would serve it worse.
        """
        booked = self._booked.get(gang.number)
        if booked is not None and booked.start_ms <= now_ms:
            # What was booked later was reckoned beside it.
            earlier = itertools.takewhile(lambda number: number != gang.number, self._booked)
            self._spend(booked.place, booked.end_ms, [self._booked[number] for number in earlier])
            self._forget(gang)
            return booked.place
        choice, end_ms = self._now(counts, gang, running, now_ms)
        if choice is not None:
            self._forget(gang)
            self._spend(choice, end_ms, self._booked.values())
            return choice
        if gang.level != counts.tree.names[0]:
            self._since[gang.number] = gang.since_ms
            if booked is None and gang.since_ms <= min(self._since.values()):
                booking = soonest(counts, gang, running, list(self._booked.values()), now_ms)
                if booking is not None:
                    self._booked[gang.number] = booking
        return None

    def _now(
        self, counts: FreeCounts, gang: Waiting, running: Sequence[Running], now_ms: int
    ) -> tuple[GangChoice | None, int]:
        """A place that delays nothing booked, and when it would be free again."""
        end_ms = now_ms + gang.run_ms
        with self._withheld(counts, gang, end_ms):
            choice = choose(counts, gang.need, gang.count, widest=gang.level)
        if choice is not None or gang.number in self._booked or gang.rate <= 0:
            return choice, end_ms
        end_ms = now_ms + round(gang.run_ms / gang.rate)
        with self._withheld(counts, gang, end_ms):
            wider = choose(counts, gang.need, gang.count)
            if wider is not None and self._waits(counts, gang, running, now_ms):
                return None, end_ms
        return wider, end_ms

    def _forget(self, gang: Waiting) -> None:
        self._since.pop(gang.number, None)
        self._booked.pop(gang.number, None)

    @staticmethod
    def _waits(counts: FreeCounts, gang: Waiting, running: Sequence[Running], now_ms: int) -> bool:
        return worth_waiting(
            counts, gang.need, gang.count, gang.level, running, now_ms=now_ms, run_ms=gang.run_ms, rate=gang.rate
        )

    @staticmethod
    def _spend(choice: GangChoice, end_ms: int, bookings: Iterable[Booking]) -> None:
        """Whoever stands beyond the start of a booking has taken of what it could spare."""
        for booking in bookings:
            if end_ms > booking.start_ms:
                for row, members in zip(choice.rows.tolist(), choice.members.tolist(), strict=True):
                    booking.spare[booking.place.rows == row] -= members

    @contextmanager
    def _withheld(self, counts: FreeCounts, gang: Waiting, end_ms: int) -> Iterator[None]:
        """Without what a run until ``end_ms`` must leave to others' bookings."""
        withheld = np.zeros(counts.tree.machines(), dtype=np.int64)
        for number, booking in self._booked.items():
            if number != gang.number and booking.start_ms < end_ms:
                booked = booking.place.rows
                free = counts.places(gang.need)[booked]
                withheld[booked] = np.maximum(withheld[booked], np.clip(free - booking.spare, 0, free))
        rows = np.flatnonzero(withheld)
        if len(rows):
            counts.take(gang.need, rows, withheld[rows])
        try:
            yield
        finally:
            if len(rows):
                counts.give(gang.need, rows, withheld[rows])


def soonest(
    counts: FreeCounts, gang: Waiting, running: Sequence[Running], booked: Sequence[Booking], now_ms: int
) -> Booking | None:
    """Where and when a domain of the gang's level is first free for it, and stays so; None if none ever is.

    What is free of a machine from an instant on is the least of all later instants: a booking takes it away again.
    """
    level = counts.tree.names.index(gang.level)
    domains = counts.tree.domains[level]
    lasting, rises = _lasting(counts, gang.need, running, booked, now_ms)
    room = counts.tree.sums(level, np.maximum(lasting, 0))
    start_ms, found = now_ms, int(np.argmax(room)) if room.max(initial=0) >= gang.count else None
    for at_ms, row, rise in rises:
        if found is not None and at_ms > start_ms:
            break
        if domains[row] == NOWHERE:
            continue
        before = max(int(lasting[row]), 0)
        lasting[row] += rise
        room[domains[row]] += max(int(lasting[row]), 0) - before
        if found is None and room[domains[row]] >= gang.count:
            start_ms, found = at_ms, int(domains[row])
    if found is None:
        return None
    rows = counts.tree.rows(level, found)
    chosen, members = fewest(np.maximum(lasting[rows], 0), gang.count)
    chosen = rows[chosen]
    place = GangChoice(chosen, members, gang.level, counts.tree.labels[level][found])
    return Booking(start_ms, start_ms + gang.run_ms, place, lasting[chosen] - members)


def _lasting(
    counts: FreeCounts, need: Need, running: Sequence[Running], booked: Sequence[Booking], now_ms: int
) -> tuple[Rows, list[tuple[int, int, int]]]:
    """Places a machine from now on for good (below zero where more is booked), and (when, row, how much more) later."""
    changes: dict[int, list[tuple[int, int]]] = {}
    for gang in running:
        for row, members in zip(gang.rows.tolist(), gang.members.tolist(), strict=True):
            changes.setdefault(row, []).append((gang.end_ms, members))
    for booking in booked:
        for row, members in zip(booking.place.rows.tolist(), booking.place.members.tolist(), strict=True):
            changes.setdefault(row, []).extend(((max(now_ms, booking.start_ms), -members), (booking.end_ms, members)))
    lasting = counts.places(need).copy()
    rises: list[tuple[int, int, int]] = []
    for row, of_row in changes.items():
        least = places = int(lasting[row]) + sum(change for _, change in of_row)
        for at_ms, change in sorted(of_row, reverse=True):
            places -= change
            if places < least:
                rises.append((at_ms, row, least - places))
                least = places
        lasting[row] = least
    return lasting, sorted(rises)
