"""Free units over slots, and the bookings on them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Slots = npt.NDArray[np.int64]
GROWTH_SLOTS = 4096


@dataclass(slots=True)
class Booking:
    """``width`` units in each of ``slots`` (ascending, none past). ``latest`` is the slot before which it must end.

    What is ``firm`` was promised to be done before slot ``by``, and needs ``length`` slots from its very beginning;
    what is not gives way where capacity is lost.
    """

    name: str
    width: int
    latest: int
    slots: list[int]
    by: int
    length: int
    firm: bool = True

    def laxity(self, now: int) -> int:
        """Slots that it could still waste."""
        return self.latest - now - len(self.slots)

    def runs_in(self, slot: int) -> bool:
        """Whether it is one of its slots, which are many and ascending."""
        at = bisect_left(self.slots, slot)
        return at < len(self.slots) and self.slots[at] == slot


class Timetable:
    """Units of one pool from slot ``now`` on. Changed only by ``book``, ``cancel``, ``shrink``, ``skip_to``,
    ``pull_forward`` and ``advance``."""

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("a pool has at least one unit")
        self.capacity = capacity
        self.now = 0
        self.bookings: dict[str, Booking] = {}
        self._free = np.full(GROWTH_SLOTS, capacity, dtype=np.int64)

    def free(self, start: int, end: int) -> Slots:
        """Free units in each slot of [start, end)."""
        while end > len(self._free):
            more = np.full(max(GROWTH_SLOTS, len(self._free)), self.capacity, dtype=np.int64)
            self._free = np.concatenate([self._free, more])
        return self._free[start:end]

    def book(self, name: str, width: int, latest: int, slots: Slots, *, firm: bool = True) -> Booking:
        """Take ``width`` units in each of these slots, which must all be free enough."""
        if name in self.bookings:
            raise ValueError(f"{name} is booked already")
        self.free(self.now, latest)
        if len(slots) == 0 or int(self._free[slots].min()) < width or int(slots[0]) < self.now:
            raise ValueError(f"{name}: a slot is past or has fewer than {width} units free")
        self._free[slots] -= width
        booking = Booking(name, width, latest, slots.tolist(), int(slots[-1]) + 1, len(slots), firm)
        self.bookings[name] = booking
        return booking

    def cancel(self, name: str) -> None:
        """Give back all that is still booked."""
        booking = self.bookings.pop(name)
        self._free[booking.slots] += booking.width

    def first_room(self, width: int, length: int) -> int | None:
        """The first slot from which on ``width`` units are free for ``length`` slots in a row; None: never."""
        if width > self.capacity:
            return None
        booked = max((booking.slots[-1] + 1 for booking in self.bookings.values()), default=self.now)
        short = np.flatnonzero(self.free(self.now, booked) < width)
        ends = np.append(short, booked - self.now + length)
        starts = np.append(0, short + 1)
        return self.now + int(starts[np.flatnonzero(ends - starts >= length)[0]])

    def shrink(self, units: int) -> list[Booking]:
        """So many units are gone from now on; what must leave so that no slot is overbooked has left.

        What is not firm leaves first, then what has most time to go elsewhere.
        """
        self.capacity -= units
        self._free[self.now :] -= units
        left: list[Booking] = []
        while len(over := np.flatnonzero(self._free[self.now :] < 0)):
            slot = self.now + int(over[0])
            inside = [booking for booking in self.bookings.values() if booking.runs_in(slot)]
            worst = max(inside, key=lambda booking: (not booking.firm, booking.laxity(self.now), booking.name))
            self.cancel(worst.name)
            left.append(worst)
        return left

    def skip_to(self, slot: int) -> None:
        """Let empty time pass: nothing is booked, so nothing runs."""
        if self.bookings or slot < self.now:
            raise ValueError("time passes slot by slot while anything is booked, and never backwards")
        self.now = slot

    def advance(self) -> tuple[list[Booking], list[Booking]]:
        """Run the present slot: (those that run in it, those of them that are done after it).

        Idle units are first given to booked work that fits, the least lax first; it gives up its next booked slot.
        """
        now = self.now
        self.free(now, now + 1)
        self.pull_forward()
        running = [booking for booking in self.bookings.values() if booking.slots[0] == now]
        done: list[Booking] = []
        for booking in running:
            booking.slots.pop(0)
            if not booking.slots:
                done.append(booking)
                del self.bookings[booking.name]
        self.now = now + 1
        return running, done

    def pull_forward(self) -> None:
        """Give the idle units of the present slot to booked work that fits, the least lax first."""
        now = self.now
        self.free(now, now + 1)
        idle = int(self._free[now])
        if idle == 0:
            return
        waiting = [b for b in self.bookings.values() if b.slots[0] != now and b.width <= idle]
        waiting.sort(key=lambda booking: booking.laxity(now))
        for booking in waiting:
            if booking.width > idle:
                continue
            self._free[booking.slots[0]] += booking.width
            booking.slots[0] = now
            self._free[now] -= booking.width
            idle -= booking.width
            if idle == 0:
                return

    def check(self) -> None:
        """Recount: free units are what the bookings leave, and no slot is overbooked. For tests."""
        used = np.zeros(len(self._free), dtype=np.int64)
        for booking in self.bookings.values():
            assert booking.slots == sorted(set(booking.slots))
            assert booking.slots[0] >= self.now
            assert bisect_left(booking.slots, booking.latest) == len(booking.slots)
            used[booking.slots] += booking.width
        assert (self._free[self.now :] == self.capacity - used[self.now :]).all()
        assert (self._free[self.now :] >= 0).all()
