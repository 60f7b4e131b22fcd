"""What is left on all machines of a fleet, kept with it from one question to the next and moved on by what changed.

A calendar shares its rows with the version before it, so what differs is found without a look at what stands anywhere.
What holds leave of a machine lasts until one that is met stops, or one that is not is met; so it does for a question a
moment later, or over a longer time in which nothing else starts. A question looks at machines whose row in the calendar
is another one, or of which its time meets other holds, and at no other.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import compress, filterfalse, islice
from operator import is_not
from typing import Any, TypeVar

from tenure.placement.calendar import Calendar, Free
from tenure.placement.fleet import Fleet, FleetMachine
from tenure.placement.leftovers import ALWAYS, Leftovers, Span
from tenure.placement.ordered import Node
from tenure.placement.remains import Remains, Sorts
from tenure.placement.selection import SELECTIONS_MAX, Selection, everyone
from tenure.placement.values import FOREVER_MS

T = TypeVar("T")

VIEWS_MAX = 4
"""Views kept with a fleet: a question looks at its start, and at starts after releases."""

FEW = 4
"""Machines are few when so many times as many are fewer than the fleet has: they are looked at one by one."""

NAMED_MAX = 8
"""Holds named as what is in the way; the first to end first."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a calendar leaves of all machines, to whoever asks. ``spans``: for which times that holds of each machine on
    which anything stands; ``within``: the times that lie within all of these. Mutable only in what it remembers."""

    remains: Remains
    sorts: Sorts
    rows: Mapping[str, Node]
    margin_ms: int
    spans: Mapping[str, Span]
    within: Span
    known: dict[str, tuple[tuple[Selection, Any], ...]] = field(default_factory=dict)

    def lasts(self, start_ms: int, until_ms: int) -> bool:
        return _lies(start_ms, until_ms, self.within)

    def outside(self, start_ms: int, until_ms: int) -> list[str]:
        """Machines of which this is not known to hold over a time."""
        if self.lasts(start_ms, until_ms):
            return []
        return [name for name, span in self.spans.items() if not _lies(start_ms, until_ms, span)]


@dataclass(frozen=True, slots=True)
class Standing:
    """One fleet under one calendar over one time, whoever holds."""

    fleet: Fleet
    calendar: Calendar
    start_ms: int
    end_ms: int

    def without(self, group: str) -> Remains:
        """What is left on all machines without the holds of one group."""
        own = self.calendar.by_group.get(group, ()) if group else ()
        everyone = self._view()
        if not own:
            return everyone.remains
        names = {claim.machine for hold in own for claim in hold.claims if claim.machine in everyone.remains}
        left = self._leftovers(group)
        fresh = {name: left.of(self.fleet.index[name]) for name in names}
        return _moved(everyone.remains, everyone.sorts, fresh)

    def in_the_way(self, machines: Sequence[FleetMachine], group: str) -> tuple[str, ...]:
        """Ids of the holds on these machines that are met, the first to end first; no more than ``NAMED_MAX``."""
        if self._few(machines):
            left, rows = self._leftovers(group), self.calendar.by_machine
            near = (left.near(machine.name) for machine in machines if machine.name in rows)
            ends = {(hold.end_ms, hold.id) for holds in near for hold in holds}
            return tuple(name for _, name in nsmallest(NAMED_MAX, ends))
        names = self._names(machines)
        met = self.calendar.first_to_end(self.start_ms, self._until_ms, without_group=group)
        on_these = (hold.id for hold in met if any(claim.machine in names for claim in hold.claims))
        return tuple(islice(on_these, NAMED_MAX))

    def releases(self, machines: Sequence[FleetMachine], until_ms: int, group: str) -> dict[int, list[str]]:
        """What ``calendar.releases`` says of these machines from the start on."""
        if until_ms <= self.start_ms:
            return {}
        found = self._releases(machines, group)
        return {stop_ms: names for stop_ms, names in found.items() if stop_ms <= until_ms}

    def _releases(self, machines: Sequence[FleetMachine], group: str) -> dict[int, list[str]]:
        """Whenever they are."""
        if self._few(machines):
            left, rows, found = self._leftovers(group), self.calendar.by_machine, dict[int, list[str]]()
            for machine in machines:
                for hold in left.ahead(machine.name) if machine.name in rows else ():
                    found.setdefault(self.calendar.stop_ms(hold), []).append(machine.name)
            return dict(sorted(found.items()))
        return self._known("releases", machines, group, lambda: self._releases_of_many(machines, group))

    def _releases_of_many(self, machines: Sequence[FleetMachine], group: str) -> dict[int, list[str]]:
        """Read off those of all machines, which are read off the calendar once."""
        if len(machines) == len(self.fleet.machines):
            return self.calendar.releases(self.fleet.index, self.start_ms, FOREVER_MS, without_group=group)
        names, every = self._names(machines), self._releases(everyone(self.fleet), group)
        found = {stop_ms: [name for name in released if name in names] for stop_ms, released in every.items()}
        return {stop_ms: released for stop_ms, released in found.items() if released}

    def _few(self, machines: Sequence[FleetMachine]) -> bool:
        return FEW * len(machines) < len(self.fleet.machines)

    def _leftovers(self, group: str) -> Leftovers:
        return Leftovers(self.fleet, self.calendar, self.start_ms, self.end_ms, group)

    def _names(self, machines: Sequence[FleetMachine]) -> Container[str]:
        return machines.names if isinstance(machines, Selection) else {one.name for one in machines}

    def _known(self, what: str, machines: Sequence[FleetMachine], group: str, make: Callable[[], T]) -> T:
        """What is made of selected machines is kept with the view of all, for as long as that lasts."""
        if not isinstance(machines, Selection) or self.calendar.by_group.get(group):
            return make()
        view = self._view()
        if not view.rows:
            return make()
        known = next((one for one in view.known.get(what, ()) if one[0] is machines), None) or (machines, make())
        kept = view.known.get(what, ())  # making it may have kept what it rests on
        view.known[what] = (known, *(one for one in kept if one is not known))[:SELECTIONS_MAX]
        made: T = known[1]
        return made

    def _view(self) -> View:
        calendar, sorts = self.calendar, Sorts.kept(self.fleet)
        if not calendar.by_machine:
            return View(sorts.whole, sorts, {}, 0, {}, ALWAYS)
        views: tuple[View, ...] = self.fleet.memo.get("views", ())
        known = [view for view in views if view.sorts is sorts and view.margin_ms == calendar.margin_ms]
        lasting = [view for view in known if view.lasts(self.start_ms, self._until_ms)]
        same = next((view for view in lasting if view.rows is calendar.by_machine), None)
        if same is not None:  # what is asked again stands first and stays
            self._keep(same, *(view for view in views if view is not same))
            return same
        before = next(iter([*lasting, *known]), None)
        made = self._made(sorts, before)
        if before in lasting:
            self._keep(made, *(view for view in views if view is not before))
        else:
            self._keep(*views[: VIEWS_MAX - 1], made)
        return made

    def _keep(self, *views: View) -> None:
        self.fleet.memo["views"] = views[:VIEWS_MAX]

    @property
    def _until_ms(self) -> int:
        return min(FOREVER_MS, self.end_ms + self.calendar.margin_ms)

    def _made(self, sorts: Sorts, before: View | None) -> View:
        """The view before moved on by what differs, or every machine anew."""
        rows, index = self.calendar.by_machine, self.fleet.index
        if before is None:
            before = View(sorts.whole, sorts, {}, 0, {}, ALWAYS)
        changed = {name for name in _differing(before.rows, rows) if name in index}
        changed.update(before.outside(self.start_ms, self._until_ms))
        left = self._leftovers("")
        fresh = {name: left.of(index[name]) for name in changed}
        spans = {name: left.lasts(name) for name in changed}
        moved = _moved(before.remains, sorts, fresh)
        every = {**before.spans, **spans}
        # Where the view before lasts, what lies within all is still within those of whom nothing changed.
        met = [before.within, *spans.values()] if before.lasts(self.start_ms, self._until_ms) else every.values()
        return View(moved, sorts, rows, self.calendar.margin_ms, every, _within(met))


def _lies(start_ms: int, until_ms: int, span: Span) -> bool:
    return span[0] <= start_ms <= span[1] and span[2] <= until_ms <= span[3]


def _within(spans: Iterable[Span]) -> Span:
    """The times that lie within all of these."""
    first_starts, last_starts, first_ends, last_ends = zip(ALWAYS, *spans, strict=True)
    return max(first_starts), min(last_starts), max(first_ends), min(last_ends)


def _differing(before: Mapping[str, Node], now: Mapping[str, Node]) -> set[str]:
    if before is now:
        return set()
    changed = set(compress(now, map(is_not, map(before.get, now), now.values())))
    if len(before) + sum(name not in before for name in changed) == len(now):  # none is gone
        return changed
    return changed.union(filterfalse(now.__contains__, before))


def _moved(before: Remains, sorts: Sorts, fresh: Mapping[str, Free]) -> Remains:
    """What was left before, but for what is left on these machines."""
    changed = {name: one for name, one in fresh.items() if before[name] is not one}
    if not changed:
        return before
    whole = sorts.whole
    numbers = {n: whole.sorts[n] if one is whole[n] else sorts.of(one) for n, one in changed.items()}
    return before.moved(changed, numbers)
