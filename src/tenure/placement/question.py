"""One question as the search sees it: the snapshot, the demand, and what each constraint leaves of the fleet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tenure.placement import derived, shared
from tenure.placement.axes import lacks, slots
from tenure.placement.budgets import budgets_left
from tenure.placement.calendar import Calendar, Free
from tenure.placement.choice import Choice
from tenure.placement.demand import Demand, Role
from tenure.placement.fleet import Fleet, FleetMachine
from tenure.placement.memo import Inside
from tenure.placement.remains import Each, Remains, Sorts
from tenure.placement.selection import Selection, Wanted, selected
from tenure.placement.standing import FEW, Standing

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """Immutable snapshot, demand, clock and seed: the same question always has the same answer.

    ``sure``: an explanation asks it, and only what is known for certain counts as an answer of no. ``all_in_service``:
    it asks as if every machine took something new."""

    fleet: Fleet
    calendar: Calendar
    demand: Demand
    now_ms: int
    seed: int = 0
    choice: Choice | None = None
    sure: bool = False
    all_in_service: bool = False
    inside: Inside = field(default_factory=Inside, compare=False, repr=False)

    def permitted(self) -> Selection:
        """Machines that are schedulable and that no constraint forbids."""
        return self._selected(frozenset(derived.of_kind(self.fleet)))

    def able(self) -> Selection:
        """Permitted machines that could carry a member of some role if they were empty. Of two questions for which the
        same machines are able it is the same selection, and what was asked of it is known."""
        return self.inside.once("able", (self.fleet.memo, self.demand), (self.all_in_service,), self._able)

    def _able(self) -> Selection:
        whole, roles = derived.of_kind(self.fleet), self.demand.roles
        return self._selected(frozenset(n for n, one in whole.items() if any(lacks(one, r) is None for r in roles)))

    def _selected(self, kinds: frozenset[int]) -> Selection:
        """Permitted machines of these kinds."""
        constraints, out_too = self.demand.constraints, self.all_in_service

        def machines() -> Selection:
            return selected(self.fleet, Wanted(kinds, constraints, out_too))

        return self.inside.once("machines", (self.fleet.memo, *constraints), (kinds, out_too), machines)

    def free(self, machines: Sequence[FleetMachine], start_ms: int) -> Remains:
        """What is free throughout a run that starts at ``start_ms``; of all able machines it is reckoned once."""
        able = self.able()
        if machines is not able and machines != able:
            return self._free(machines, start_ms)
        times = (start_ms, self.demand.end_from(start_ms), self.demand.group)
        of = (self.fleet.memo, self.calendar, able)
        return self.inside.once("free", of, times, lambda: self._free(able, start_ms))

    def _free(self, machines: Sequence[FleetMachine], start_ms: int) -> Remains:
        """Few machines are looked at one by one, many are part of what is left on all of the fleet."""
        end_ms, group = self.demand.end_from(start_ms), self.demand.group
        if FEW * len(machines) < len(self.fleet.machines):
            left = self.inside.free(self.fleet, self.calendar, machines, start_ms, end_ms, group)
            return Sorts.kept(self.fleet).remains(left)
        return self._standing(start_ms).without(group).on(machines)

    def _standing(self, start_ms: int) -> Standing:
        return Standing(self.fleet, self.calendar, start_ms, self.demand.end_from(start_ms))

    def whole(self) -> Remains:
        """Every machine with nothing on it."""
        return Sorts.kept(self.fleet).whole

    def in_the_way(self, start_ms: int) -> tuple[str, ...]:
        """Ids of the holds on able machines that a run from ``start_ms`` would meet, the first to end first; the first
        of them."""
        group, able = self.demand.group, self.able()
        times = (start_ms, self.demand.end_from(start_ms), group)
        of = (self.fleet.memo, self.calendar, able)
        return self.inside.once("met", of, times, lambda: self._standing(start_ms).in_the_way(able, group))

    def room(self, free: Mapping[str, Free], role: Role) -> Each[int]:
        """Members of a role that each machine has room for, axis by axis."""
        return self.each(free, lambda one: slots(one, role))

    def each(self, free: Mapping[str, Free], reckon: Callable[[Free], T]) -> Each[T]:
        """What is reckoned of each machine, once for all that are equal and in equal states."""
        return Sorts.kept(self.fleet).remains(free).each(reckon)

    def left(self, start_ms: int) -> dict[str, int]:
        """What is left of each budget throughout a run that starts at ``start_ms``."""
        end_ms = self.demand.end_from(start_ms)
        return budgets_left(self.fleet, self.calendar, start_ms, end_ms, without_group=self.demand.group)

    def in_time(self, latest_ms: int) -> bool:
        """Whether the earliest start that is asked for is allowed at all."""
        earliest_ms = self.demand.start_at(self.now_ms).earliest_ms
        return earliest_ms <= self._latest(latest_ms)

    def later_starts(self, machines: Sequence[FleetMachine], latest_ms: int) -> dict[int, list[str]]:
        """Every start after the earliest that could be the first feasible one, in order, and what is released then.

        With budgets a release anywhere counts, since it may be the budget that frees.
        """
        earliest_ms = self.demand.start_at(self.now_ms).earliest_ms
        until_ms, group, budgets = self._latest(latest_ms), self.demand.group, bool(self.fleet.budgets)

        def releases() -> dict[int, list[str]]:
            if not budgets:
                return self._standing(earliest_ms).releases(machines, until_ms, group)
            return self.calendar.releases(self.calendar.by_machine, earliest_ms, until_ms, without_group=group)

        of = (self.fleet.memo, self.calendar, machines)
        return self.inside.once("releases", of, (earliest_ms, until_ms, group, budgets), releases)

    def _latest(self, latest_ms: int) -> int:
        return latest_ms if self.demand.until_ms is None else min(latest_ms, self.demand.until_ms - 1)

    def domains(self, level: str) -> derived.Domains:
        """Able machines by their domain at a level, as far as they also share all that must be shared."""
        fleet = self.fleet
        inside = [shared.narrowed(fleet, (level, *way)) for way in shared.ways(fleet, self.demand)]
        return self._domains(shared.widest(fleet, inside))

    def widest_domains(self) -> derived.Domains:
        """Able machines by the widest domains that the members may span. They overlap where one of several levels, that
        cut through each other, will do."""
        return self._domains(shared.ways(self.fleet, self.demand))

    def alone(self) -> list[str]:
        """Able machines that by themselves lie in all that must be shared; one that names no rack shares none."""
        fleet = self.fleet
        if any(shared.narrowed(fleet, ("machine", *way)) == ("machine",) for way in shared.ways(fleet, self.demand)):
            return list(self.able().names)
        return [name for _, names in self.domains("machine") for name in names]

    def _domains(self, ways: Iterable[shared.Way]) -> derived.Domains:
        return self.able().domains(derived.domains_of(self.fleet, tuple(ways)))
