"""What the arrivals so far say of those to come: how much small work there will be, and how long it stays.

Of two jobs that cost a different amount of work the smaller keeps more promises for the same capacity. So a share of
what smaller work is expected to need is kept from larger work: nothing in the present slot, since small work that is
not here yet cannot use it, rising to the whole share at the time that smaller work usually stays. (Protection levels,
as in revenue management; Littlewood 1972.)
"""

from __future__ import annotations

from math import log2

import numpy as np

from tenure.placement.deadlines.timetable import Slots

CLASSES_PER_OCTAVE = 2
CLASSES = 128

PROTECTED_SHARE = 0.25
"""The share of the expected smaller work that is kept for it. 0 fills the pool with whatever comes first: most work
kept, fewest jobs; 1 keeps nearly every small job and idles where fewer come than usual. This is where it starts and
what it returns to. Chosen by trying a few values on the Philly SLO list; other mixes and fleets held up with it."""

SHARE_RISE, SHARE_FALL = 0.02, 0.001
"""Under heavy overload a fixed share does not suffice. Each time that work below the mean finds no room, the share
grows by a fiftieth, up to the whole; with each arrival it falls back by a thousandth."""

SPAN_SLOTS_MIN = 1440
"""Rates are taken over at least so many slots, so that the first arrivals do not look like a flood."""


class SizeMix:
    """Arrivals by class of work (width x length, half-octaves). Knows only what it was told by ``saw``."""

    def __init__(self, *, share: float = PROTECTED_SHARE, span_slots_min: int = SPAN_SLOTS_MIN) -> None:
        self.share = share
        self._least = share
        self.span_slots_min = span_slots_min
        self._work = np.zeros(CLASSES)
        self._stay = np.zeros(CLASSES)
        self._arrivals = 0

    def saw(self, work: int, window: int, *, found_no_room: bool) -> None:
        """A job of this much work arrived that could stay for ``window`` slots (whether accepted or not)."""
        self._arrivals += 1
        if found_no_room and work * self._arrivals < float(self._work.sum()) + work:
            self.share = min(1.0, self.share * (1 + SHARE_RISE))
        self.share = max(self._least, self.share * (1 - SHARE_FALL))
        place = _class_of(work)
        self._work[place] += work
        self._stay[place] += work * window

    def kept(self, work: int, now: int, length: int) -> Slots:
        """Units kept from a job of this much work in each of the next ``length`` slots."""
        smaller = _class_of(work)
        total = float(self._work[:smaller].sum())
        if total == 0:
            return np.zeros(length, dtype=np.int64)
        rate = total / max(now, self.span_slots_min)
        stay = float(self._stay[:smaller].sum()) / total
        rise = np.minimum(1.0, np.arange(length) / max(stay, 1.0))
        return (self.share * rate * rise).astype(np.int64)


def _class_of(work: int) -> int:
    return min(CLASSES - 1, int(CLASSES_PER_OCTAVE * log2(max(1, work))))
