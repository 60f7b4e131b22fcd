"""Accept or refuse at arrival, with a firm completion time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tenure.placement.deadlines.mix import SizeMix
from tenure.placement.deadlines.timetable import Booking, Timetable

HORIZON_SLOTS = 2**18
"""Nothing is booked further ahead than this; a later deadline is kept by being early."""

HELD = "CapacityHeld"
KEPT_FOR_SMALLER = "CapacityKeptForSmaller"
TOO_WIDE = "GangTooLarge"
TOO_SHORT = "WindowTooShort"


@dataclass(frozen=True, slots=True)
class Job:
    """``width`` units for ``length`` slots in all, done before slot ``deadline``."""

    name: str
    width: int
    length: int
    deadline: int

    @property
    def work(self) -> int:
        return self.width * self.length


@dataclass(frozen=True, slots=True)
class Promise:
    """Accepted: done before slot ``by``, whatever comes later."""

    job: Job
    by: int


@dataclass(frozen=True, slots=True)
class Declined:
    """Refused. Of ``needed`` slots with ``width`` units free before the deadline, ``available`` are, and
    ``uncontested`` of these are not kept for smaller work."""

    job: Job
    reason: str
    needed: int
    available: int
    uncontested: int


@dataclass(frozen=True, slots=True)
class Lost:
    """What lost capacity cost, by name: promises that are ``broken``, and work that was never promised and
    ``displaced``. Both have left the timetable; every other promise stands."""

    broken: tuple[str, ...]
    displaced: tuple[str, ...]


class Admission:
    """The door of one pool. Knows its timetable and the arrivals so far; the future only as far as it is promised."""

    def __init__(self, capacity: int, *, mix: SizeMix | None = None) -> None:
        self.timetable = Timetable(capacity)
        self.mix = SizeMix() if mix is None else mix

    def decide(self, job: Job) -> Promise | Declined:
        """Book the latest slots that do, or refuse. The promise is the end of the booking."""
        window = min(job.deadline - self.timetable.now, HORIZON_SLOTS)
        answer = self._judge(job, window)
        no_room = isinstance(answer, Declined) and answer.reason == HELD
        self.mix.saw(job.work, max(window, 1), found_no_room=no_room)
        return answer

    def _judge(self, job: Job, window: int) -> Promise | Declined:
        table = self.timetable
        if job.width > table.capacity:
            return Declined(job, TOO_WIDE, job.length, 0, 0)
        if window < job.length:
            return Declined(job, TOO_SHORT, job.length, max(window, 0), 0)
        free = table.free(table.now, table.now + window)
        kept = self.mix.kept(job.work, table.now, window)
        good = np.flatnonzero(free >= job.width + kept)
        if len(good) < job.length:
            available = int(np.count_nonzero(free >= job.width))
            reason = HELD if available < job.length else KEPT_FOR_SMALLER
            return Declined(job, reason, job.length, available, len(good))
        slots = good[-job.length :] + table.now
        table.book(job.name, job.width, table.now + window, slots)
        return Promise(job, int(slots[-1]) + 1)

    def lose(self, units: int, interrupted: Sequence[Booking] = ()) -> Lost:
        """So many units are gone for good, and with them all that ``interrupted`` had done: it begins anew.

        Raises ValueError where there are not that many, and nothing is changed.

        Interrupted work, and work for which there is no room any more where it was booked, is booked elsewhere as long
        as that keeps its promise; the most urgent first. Only where none keeps it is a promise broken.
        """
        table = self.timetable
        if not 0 <= units <= table.capacity:
            raise ValueError(f"a pool of {table.capacity} units cannot lose {units}")
        for booking in interrupted:
            if booking.name in table.bookings:
                table.cancel(booking.name)
        left = table.shrink(units)
        homeless = [(booking, len(booking.slots)) for booking in left if booking.firm]
        homeless += [(booking, booking.length) for booking in interrupted if booking.firm]
        broken = []
        for booking, length in sorted(homeless, key=lambda one: (one[0].by - one[1], one[0].name)):
            free = table.free(table.now, max(table.now, booking.by))
            good = np.flatnonzero(free >= booking.width)
            if len(good) < length:
                broken.append(booking.name)
                continue
            again = table.book(booking.name, booking.width, booking.latest, good[-length:] + table.now)
            again.by, again.length = booking.by, booking.length
        displaced = [booking.name for booking in (*left, *interrupted) if not booking.firm]
        return Lost(tuple(broken), tuple(displaced))
