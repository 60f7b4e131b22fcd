"""What holds leave of machines, kept with the fleet from one question to the next.

What a machine has left changes only where its own holds do: as long as the same holds stand throughout the time asked
about, the answer of the question before serves again, and equal values stay one object.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenure.placement import derived, over_time
from tenure.placement.calendar import Calendar, Free
from tenure.placement.fleet import Fleet, FleetMachine
from tenure.placement.holds import Hold
from tenure.placement.ordered import Tree
from tenure.placement.values import FOREVER_MS

Span = tuple[int, int, int, int]
"""The first and the last start, and the first and the last end (margin included), of times that find the same."""

ALWAYS: Span = (-FOREVER_MS, FOREVER_MS - 1, -FOREVER_MS, FOREVER_MS)


@dataclass(frozen=True, slots=True)
class Kept:
    """What these holds leave of a machine where all of them stand throughout.

    With ``row``, the machine's whole row in its calendar, they are all that stands in it, so that any time from
    ``from_ms`` until ``until_ms`` meets them all and no other: by the margin, and for the group, of those who asked.
    """

    near: list[Hold]
    free: Free
    row: Tree
    from_ms: int
    until_ms: int
    margin_ms: int
    group: str


class Leftovers:
    """One calendar over one time, without the holds of one group: what ``calendar.free_over`` says."""

    def __init__(self, fleet: Fleet, calendar: Calendar, start_ms: int, end_ms: int, group: str) -> None:
        self._calendar, self._group, self._margin_ms = calendar, group, calendar.margin_ms
        self._start_ms, self._end_ms = start_ms, end_ms
        self._until_ms = min(FOREVER_MS, end_ms + calendar.margin_ms)
        self._rows = calendar.by_machine
        self._whole = derived.whole(fleet)
        self._kept: dict[str, Kept] = fleet.memo.setdefault("leftovers", {})

    def of(self, machine: FleetMachine) -> Free:
        name = machine.name
        row, known = self._rows.get(name), self._kept.get(name)
        if row is None or row.summary + self._margin_ms <= self._start_ms:  # the latest end of all that stands there
            return self._whole[name]
        if known is not None and known.row is row and self._covered(known):
            return known.free
        near = self._calendar.near(name, self._start_ms, self._end_ms, without_group=self._group)
        if not near:
            return self._whole[name]
        steady = len(near) == 1 or all(self._throughout(hold) for hold in near)
        if steady and known is not None and known.near == near:
            free = known.free
        else:
            free = self._calendar.free_over(machine, self._start_ms, self._end_ms, without_group=self._group)
        if steady:
            self._kept[name] = self._keep(near, free, row)
        return free

    def lasts(self, name: str) -> Span:
        """For which times what is said of a machine holds too, with nobody's holds left out.

        Those that begin before the same stop and end after the same start: they meet the same holds, and what is left
        least in between is left least there. Nothing stops, and so nothing is freed, in what a later start leaves out;
        nothing starts in what a later end adds.
        """
        row = self._rows.get(name)
        if row is None:
            return ALWAYS
        ended, ends, started, starts = over_time.around(row, self._start_ms - self._margin_ms, self._until_ms)
        last_start_ms = min(FOREVER_MS, ends + self._margin_ms) - 1
        return ended + self._margin_ms, last_start_ms, started + 1, starts

    def near(self, name: str) -> list[Hold]:
        """Holds on a machine that this time meets."""
        known = self._standing(name)
        if known is not None:
            return known.near
        return self._calendar.near(name, self._start_ms, self._end_ms, without_group=self._group)

    def ahead(self, name: str) -> list[Hold]:
        """Holds on a machine that have not stopped when this time begins."""
        known = self._standing(name)
        if known is not None:
            return known.near
        return self._calendar.ahead(name, self._start_ms, without_group=self._group)

    def _standing(self, name: str) -> Kept | None:
        """What is known of a machine on which all that is in its row stands throughout."""
        row, known = self._rows.get(name), self._kept.get(name)
        return known if row is not None and known is not None and known.row is row and self._covered(known) else None

    def _covered(self, known: Kept) -> bool:
        """Whether the time asked about meets all that is in the row, throughout."""
        return (
            known.from_ms <= self._start_ms
            and self._until_ms <= known.until_ms
            and known.margin_ms == self._margin_ms
            and self._group in ("", known.group)
        )

    def _keep(self, near: list[Hold], free: Free, row: Tree) -> Kept:
        alone = row is not None and row.leaf and len(row.parts) == len(near)
        from_ms = max(hold.start_ms for hold in near)
        until_ms = min(self._calendar.stop_ms(hold) for hold in near)
        return Kept(near, free, row if alone else None, from_ms, until_ms, self._margin_ms, self._group)

    def _throughout(self, hold: Hold) -> bool:
        return hold.start_ms <= self._start_ms and self._calendar.stop_ms(hold) >= self._until_ms
