"""What holds leave of machines, kept with the fleet from one question to the next.

What a machine has left changes only where its own holds do: as long as the same holds stand throughout the time asked
about, the answer of the question before serves again, and equal values stay one object.
"""

from __future__ import annotations

from tenure.placement import derived
from tenure.placement.calendar import Calendar, Free
from tenure.placement.fleet import Fleet, FleetMachine
from tenure.placement.holds import Hold
from tenure.placement.values import FOREVER_MS

Kept = dict[str, tuple[list[Hold], Free]]


class Leftovers:
    """One calendar over one time, without the holds of one group: what ``calendar.free_over`` says."""

    def __init__(self, fleet: Fleet, calendar: Calendar, start_ms: int, end_ms: int, group: str) -> None:
        self._calendar, self._group = calendar, group
        self._start_ms, self._end_ms = start_ms, end_ms
        self._until_ms = min(FOREVER_MS, end_ms + calendar.margin_ms)
        self._whole = derived.whole(fleet)
        self._kept: Kept = fleet.memo.setdefault("leftovers", {})

    def of(self, machine: FleetMachine) -> Free:
        near = self._calendar.near(machine.name, self._start_ms, self._end_ms, without_group=self._group)
        if not near:
            return self._whole[machine.name]
        steady = len(near) == 1 or all(self._throughout(hold) for hold in near)
        known = self._kept.get(machine.name)
        if steady and known is not None and known[0] == near:
            return known[1]
        free = self._calendar.free_over(machine, self._start_ms, self._end_ms, without_group=self._group)
        if steady:
            self._kept[machine.name] = (near, free)
        return free

    def _throughout(self, hold: Hold) -> bool:
        return hold.start_ms <= self._start_ms and self._calendar.stop_ms(hold) >= self._until_ms
