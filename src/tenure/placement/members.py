"""Members of one demand over the machines of one domain: fill greedily, and search exactly where that fails.

The greedy fill uses the fewest machines: the smallest that carries all that are left, else the largest. Where it
fails although the counts would do, a depth-first search over every claim decides, within a bound on its steps.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Protocol

from tenure.placement import derived
from tenure.placement.axes import slots
from tenure.placement.calendar import Free
from tenure.placement.demand import Role
from tenure.placement.exact import search_exactly
from tenure.placement.fill import Fill, Outcome
from tenure.placement.question import Question
from tenure.placement.remains import Each, Remains
from tenure.placement.verdict import Verdict
from tenure.placement.weighing import Placed, Weighing

Entry = tuple[float, tuple[int, int, int], int, str, float]
"""A machine to fill: its cost beside whom was placed when this was written, how much is left on it, its rank, its name,
and its cost by itself."""


def place_members(
    question: Question,
    roles: Sequence[Role],
    names: Sequence[str],
    free: Remains,
    left: Mapping[str, int],
    rank: Mapping[str, int],
    room: Sequence[Each[int]],
    verdict: Verdict,
    weighing: Weighing | None = None,
) -> Outcome:
    """All members on the machines of one domain, or none.

    ``room`` is the upper limit of each role on each machine; ``rank`` breaks ties between machines that serve equally.
    ``verdict`` spares the exact search where counting tells that there is nothing to find. ``weighing`` says which of
    several machines to take; where its picks lead nowhere, members are placed without it.
    """
    order = sorted(range(len(roles)), key=lambda place: _hardness(roles[place]))
    members = [roles[place] for place in order for _ in range(roles[place].count)]

    def fresh() -> Fill:
        ours = dict(free) if len(names) == len(free) else {name: free[name] for name in names}
        return Fill(question, ours, dict(left), rank)

    if len(names) == 1:
        weighing = None
    ordered = [(roles[place], room[place]) for place in order]
    for by_cost in (weighing, None) if weighing is not None and len(members) > 1 else (weighing,):
        fill = fresh()
        if _fill_roles(fill, ordered, names, by_cost) and fill.crossing_fits():
            return Outcome(tuple(fill.claims))
    if (len(members) == 1 and not left) or verdict.closely(names) is False:
        return Outcome(None)
    return search_exactly(fresh(), members)


def _hardness(role: Role) -> tuple[int, int, int, str]:
    return (-sum(request.count * request.milli for request in role.devices), -role.cores, -role.memory_bytes, role.name)


def _fill_roles(
    fill: Fill, roles: Sequence[tuple[Role, Each[int]]], names: Sequence[str], weighing: Weighing | None
) -> bool:
    """All roles, one after another, each with the room that machines have for it before anything is placed."""
    if weighing is None:
        return all(_fill_role(fill, role, _by_sort(fill, role, room, names), None) for role, room in roles)
    company = weighing.company() if len(roles) + roles[0][0].count > 2 else None
    for number, (role, room) in enumerate(roles):
        counts = {name: slots(one, role) for name, one in fill.free.items()} if number else room.of(names)
        costs = weighing.costs(fill.free, role)
        if weighing.fewest_machines:
            done = _fill_role(fill, role, _by_name(fill, role, counts, costs, company), company)
        else:
            done = _fill_by_cost(fill, role, counts, costs, weighing, company)
        if not done:
            return False
    return True


class Pile(Protocol):
    """Machines that have room for equally many, in the order in which to fill them; false when none is left."""

    def take(self) -> str: ...
    def __len__(self) -> int: ...


def _fill_role(fill: Fill, role: Role, by_room: dict[int, Pile], company: Placed | None) -> bool:
    """The smallest machine that carries all that are left, else the largest, until none is left.

    Of machines that serve equally the one that costs least is taken, then what is nearly full before what is empty.
    """
    rooms = sorted(by_room)
    wanted = role.count
    while wanted > 0:
        if not rooms:
            return False
        count = rooms[min(bisect_left(rooms, wanted), len(rooms) - 1)]
        name = by_room[count].take()
        if not by_room[count]:
            rooms.remove(count)
        wanted -= _fill_machine(fill, role, name, min(wanted, count), company)
    return True


class _Alike:
    """Machines that cost the same: those with least left first, then by rank. Equal ones in equal states come together,
    and only those that are reached are put in order."""

    def __init__(self, rank: Mapping[str, int]) -> None:
        self._rank = rank
        self._kinds: list[tuple[Free, list[str]]] = []
        self._by_left: list[list[str]] | None = None
        self._next: list[str] = []
        self._count = 0

    def add(self, one: Free, names: list[str]) -> None:
        """Machines of which this is left on each."""
        self._kinds.append((one, names))
        self._count += len(names)

    def __len__(self) -> int:
        return self._count

    def take(self) -> str:
        if self._by_left is None:
            by_left: dict[tuple[int, int, int], list[str]] = {}
            for one, names in self._kinds:
                by_left.setdefault(derived.emptiness_of(one), []).extend(names)
            self._by_left = [by_left[left] for left in sorted(by_left, reverse=True)]
        if not self._next:
            self._next = sorted(self._by_left.pop(), key=self._rank.__getitem__, reverse=True)
        self._count -= 1
        return self._next.pop()


def _by_sort(fill: Fill, role: Role, room: Each[int], names: Sequence[str]) -> dict[int, Pile]:
    """Machines by their room for a role, where none costs more than another."""
    piles: dict[int, _Alike] = {}

    def pile(count: int) -> _Alike:
        return piles.setdefault(min(count, role.count), _Alike(fill.rank))

    remains, touched = room.remains, {claim.machine for claim in fill.claims}
    groups: dict[int, list[str]] = {sort: [] for sort, count in room.of_sort.items() if count > 0}
    sorts = remains.sorts
    for name in names:
        group = groups.get(sorts[name])
        if group is not None and name not in touched:
            group.append(name)
    for sort, group in groups.items():
        if group:
            pile(room.of_sort[sort]).add(remains.ones[sort], group)
    for name in touched:
        one = fill.free[name]
        count = slots(one, role)
        if count > 0:
            pile(count).add(one, [name])
    return dict(piles)


class _Heap:
    """Machines by what they cost, then those with least left first, then by rank."""

    def __init__(self, company: Placed | None) -> None:
        self.entries: list[Entry] = []
        self._company = company

    def __len__(self) -> int:
        return len(self.entries)

    def take(self) -> str:
        return _cheapest(self.entries, self._company)


def _by_name(
    fill: Fill, role: Role, counts: Mapping[str, int], costs: Mapping[str, float], company: Placed | None
) -> dict[int, Pile]:
    """Machines by their room for a role, each with its own cost."""
    whole, emptiness = derived.whole(fill.question.fleet), derived.emptiness(fill.question.fleet)
    piles: dict[int, _Heap] = {}
    for name, count in counts.items():
        if count > 0:
            one, cost = fill.free[name], costs[name]
            left = emptiness[name] if one is whole[name] else derived.emptiness_of(one)
            pile = piles.setdefault(min(count, role.count), _Heap(company))
            pile.entries.append((cost, left, fill.rank[name], name, cost))
    for pile in piles.values():
        heapify(pile.entries)
    return dict(piles)


def _fill_by_cost(
    fill: Fill,
    role: Role,
    counts: Mapping[str, int],
    costs: Mapping[str, float],
    weighing: Weighing,
    company: Placed | None,
) -> bool:
    """Member by member, each where it costs least; the emptiest machines last among those that cost the same."""
    entries = [
        (costs[name], derived.emptiness_of(fill.free[name]), fill.rank[name], name, costs[name])
        for name, count in counts.items()
        if count > 0
    ]
    heapify(entries)
    wanted = role.count
    while wanted > 0:
        if not entries:
            return False
        name = _cheapest(entries, company)
        if _fill_machine(fill, role, name, 1, company):
            wanted -= 1
            one = fill.free[name]
            if slots(one, role):
                cost = weighing.costs({name: one}, role)[name]
                heappush(entries, (cost, derived.emptiness_of(one), fill.rank[name], name, cost))
    return True


def _cheapest(entries: list[Entry], company: Placed | None) -> str:
    """Takes the machine that costs least off the heap. What company costs only grows, so what stands on top and has
    grown no dearer since it was put there is the least."""
    if company is None:
        return heappop(entries)[3]
    if not company.grows:
        entries[:] = [(alone + company.cost(name), left, rank, name, alone) for _, left, rank, name, alone in entries]
        heapify(entries)
        return heappop(entries)[3]
    while True:
        cost, left, rank, name, alone = heappop(entries)
        now = alone + company.cost(name)
        if now <= cost:
            return name
        heappush(entries, (now, left, rank, name, alone))


def _fill_machine(fill: Fill, role: Role, name: str, most: int, company: Placed | None) -> int:
    """So many members on one machine, or as many as fit: all at once where nobody asks who else is placed, and one by
    one those of whom budgets will say only then whether they admit them."""
    inside, placed = fill.question.inside, 0
    most = fill.spread_left(name, most)
    first = inside.place(fill.free[name], role) if company is None and most > 1 else None
    if first is not None:
        claims, rest = inside.in_a_row(fill.free[name], role, min(most, fill.budgets_left(first, most)))
        placed = len(claims) if fill.take_all(claims, rest) else 0
    while placed < most:
        claim = inside.place(fill.free[name], role)
        if claim is None or not fill.admits(claim):
            break
        fill.take(claim)
        if company is not None:
            company.joined(name)
        placed += 1
    return placed
