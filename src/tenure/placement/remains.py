"""What is left on many machines, and which of them are alike: equal ones in equal states are one sort.

What is asked of each machine is reckoned once a sort, what is asked of all of them is added up by how many there are of
each, and nothing is looked up by name but what was asked for by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import TypeVar

from tenure.placement import derived
from tenure.placement.calendar import Free
from tenure.placement.fleet import Fleet, FleetMachine
from tenure.placement.selection import SELECTIONS_MAX, Selection

T = TypeVar("T")

STATES_PER_MACHINE_MAX = 2
"""States that are numbered, for each machine that there is, before numbers are given anew."""

Mix = tuple[tuple[int, int], ...]
"""(sort, how many machines of it)."""

Counted = tuple[Mapping[int, int], Mapping[int, Free]]
"""How many machines of each sort there are, and what is left on one of it."""


def facts(free: Free) -> tuple[object, ...]:
    """Equal facts are equal machines in equal states. Machines of one profile share their facts' very tuples; those
    live as long as the fleet, so their identity is a key."""
    machine = free.machine
    return (
        id(machine.cores),
        id(machine.memory),
        id(machine.devices),
        id(machine.numa_distances),
        free.cores,
        tuple(free.memory.values()),
        tuple(free.devices.values()),
    )


class Sorts:
    """Numbers of states, kept with a fleet; the same state has the same number for as long as this is kept."""

    def __init__(self, fleet: Fleet) -> None:
        self._numbers: dict[tuple[object, ...], int] = {}
        self._next = count()
        kinds = derived.kinds(fleet)
        of_kind = {kind: self.of(one) for kind, one in derived.of_kind(fleet).items()}
        whole = derived.whole(fleet)
        self.whole = Remains(whole, {name: of_kind[kinds[name]] for name in whole})

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, free: Free) -> int:
        return self._numbers.setdefault(facts(free), next(self._next))

    @classmethod
    def kept(cls, fleet: Fleet) -> Sorts:
        known: Sorts | None = fleet.memo.get("sorts")
        if known is None or len(known) > STATES_PER_MACHINE_MAX * (len(fleet.machines) + 64):
            known = fleet.memo["sorts"] = cls(fleet)
        return known

    def remains(self, left: Mapping[str, Free]) -> Remains:
        """The same with its sorts."""
        if isinstance(left, Remains):
            return left
        whole = self.whole
        sorts = {n: whole.sorts[n] if one is whole[n] else self.of(one) for n, one in left.items()}
        return Remains(left, sorts)


MOVED_SHARE = 8
"""Of so many machines one has changed at most where what is known of domains is moved on."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What was left on selected machines, and on which machines something else has been left since."""

    selection: Selection
    left: Remains
    changed: frozenset[str]


class Remains(dict[str, Free]):
    """What is left on machines, by name, and the sort of each, in the same order. Not to be changed."""

    __slots__ = ("_mixes", "counts", "ones", "parts", "sorts")

    def __init__(self, left: Mapping[str, Free], sorts: Mapping[str, int], counted: Counted | None = None) -> None:
        super().__init__(left)
        self.sorts = sorts
        self.counts, self.ones = counted or _counted(left, sorts)
        self._mixes: dict[int, Mixed] = {}
        self.parts: tuple[Part, ...] = ()

    def moved(self, left: Mapping[str, Free], sorts: Mapping[str, int]) -> Remains:
        """The same but for these few or many machines; few cost what they are."""
        if MOVED_SHARE * len(left) >= len(self):
            return Remains({**self, **left}, {**self.sorts, **sorts})
        moved = Remains({**self, **left}, {**self.sorts, **sorts}, self._counted_on(left, sorts))
        moved._mixes = {key: mixed.moved(moved, left) for key, mixed in self._mixes.items()}
        moved.parts = tuple(replace(part, changed=part.changed.union(left)) for part in self.parts)
        return moved

    def _counted_on(self, left: Mapping[str, Free], sorts: Mapping[str, int]) -> Counted:
        counts, ones = dict(self.counts), dict(self.ones)
        for name, sort in sorts.items():
            before = self.sorts[name]
            counts[before] -= 1
            if not counts[before]:
                del counts[before], ones[before]
            counts[sort] = counts.get(sort, 0) + 1
            ones[sort] = left[name]
        return counts, ones

    def on(self, machines: Sequence[FleetMachine]) -> Remains:
        """Of these machines alone. What was left on the very same selection before is moved on by what changed."""
        if len(machines) == len(self):
            return self
        if not isinstance(machines, Selection):
            return self.among(machine.name for machine in machines)
        part = next((part for part in self.parts if part.selection is machines), None)
        left = self.among(machines.names) if part is None else self._moved_on(part)
        others = (other for other in self.parts if other is not part)
        self.parts = (Part(machines, left, frozenset()), *others)[:SELECTIONS_MAX]
        return left

    def _moved_on(self, part: Part) -> Remains:
        before = part.left
        changed = [name for name in part.changed if name in before and before[name] is not self[name]]
        if not changed:
            return before
        return before.moved({name: self[name] for name in changed}, {name: self.sorts[name] for name in changed})

    def among(self, names: Iterable[str]) -> Remains:
        """Of these machines alone."""
        chosen = list(names)
        if len(chosen) == len(self):
            return self
        return Remains({name: self[name] for name in chosen}, {name: self.sorts[name] for name in chosen})

    def each(self, reckon: Callable[[Free], T]) -> Each[T]:
        return Each(self, {sort: reckon(one) for sort, one in self.ones.items()})

    def mix(self, names: Sequence[str]) -> Mix:
        """How many of each sort there are among these."""
        if len(self.counts) == 1:
            return tuple((sort, len(names)) for sort in self.counts)
        if len(names) == len(self):
            return tuple(self.counts.items())
        many: dict[int, int] = {}
        for sort in map(self.sorts.__getitem__, names):
            many[sort] = many.get(sort, 0) + 1
        return tuple(many.items())

    def mixes(self, domains: derived.Domains) -> list[Mix]:
        """The same of each domain, known of the very same list; these domains have no other machines."""
        known = self._mixes.get(id(domains))
        if known is None:
            known = self._mixes[id(domains)] = Mixed(domains, [self.mix(names) for _, names in domains])
        return known.mixes


def _counted(left: Mapping[str, Free], sorts: Mapping[str, int]) -> Counted:
    return Counter(sorts.values()), dict(zip(sorts.values(), left.values(), strict=True))


class Mixed:
    """The mix of each of some domains. ``places``: in which of them a machine stands, by name, once that was asked."""

    __slots__ = ("domains", "mixes", "places")

    def __init__(self, domains: derived.Domains, mixes: list[Mix]) -> None:
        self.domains = domains
        self.mixes = mixes
        self.places: Mapping[str, Sequence[int]] | None = None

    def moved(self, remains: Remains, changed: Iterable[str]) -> Mixed:
        """What it is where no other machines have changed."""
        if self.places is None:
            self.places = derived.places(self.domains)
        moved = Mixed(self.domains, list(self.mixes))
        moved.places = self.places
        for place in {place for name in changed for place in self.places.get(name, ())}:
            moved.mixes[place] = remains.mix(self.domains[place][1])
        return moved


class Each(Mapping[str, T]):
    """What was reckoned of each machine, by name, and of each sort."""

    __slots__ = ("of_sort", "remains")

    def __init__(self, remains: Remains, of_sort: Mapping[int, T]) -> None:
        self.remains = remains
        self.of_sort = of_sort

    def __getitem__(self, name: str) -> T:
        return self.of_sort[self.remains.sorts[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.remains.sorts)

    def __len__(self) -> int:
        return len(self.remains.sorts)

    def items(self) -> ItemsView[str, T]:
        return self.of(self).items()

    def of(self, names: Iterable[str]) -> dict[str, T]:
        """Of these, as a plain dictionary."""
        of_sort, sorts = self.of_sort, self.remains.sorts
        return {name: of_sort[sorts[name]] for name in names}

    def those(self, names: list[str], keep: Callable[[T], bool]) -> list[str]:
        """Of these names, those of which it holds."""
        kept = {sort for sort, value in self.of_sort.items() if keep(value)}
        if len(kept) == len(self.of_sort):
            return names
        sorts = self.remains.sorts
        return [name for name in names if sorts[name] in kept] if kept else []


def total(each: Each[int], names: Sequence[str] | None = None) -> int:
    """The sum over all machines, or over these."""
    remains, of_sort = each.remains, each.of_sort
    if names is None or len(names) == len(remains):
        return sum(of_sort[sort] * number for sort, number in remains.counts.items())
    return sum(map(of_sort.__getitem__, map(remains.sorts.__getitem__, names)))


def totals(each: Each[int], domains: derived.Domains) -> list[int]:
    """The sum over each domain."""
    of_sort, mixes = each.of_sort, each.remains.mixes(domains)
    if len(of_sort) == 1:
        (value,) = of_sort.values()
        return [value * number for ((_, number),) in mixes]
    return [sum([of_sort[sort] * number for sort, number in mix]) for mix in mixes]
