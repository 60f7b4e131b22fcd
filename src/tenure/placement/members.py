"""Members of one demand over the machines of one domain: fill greedily, and search exactly where that fails.

The greedy fill uses the fewest machines: the smallest that carries all that are left, else the largest. Where it
fails although the counts would do, a depth-first search over every claim decides, within a bound on its steps.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop

from tenure.placement import derived
from tenure.placement.axes import slots
from tenure.placement.calendar import Free
from tenure.placement.demand import Role
from tenure.placement.exact import search_exactly
from tenure.placement.fill import Fill, Outcome
from tenure.placement.question import Question
from tenure.placement.verdict import Verdict


def place_members(
    question: Question,
    roles: Sequence[Role],
    names: Sequence[str],
    free: Mapping[str, Free],
    left: Mapping[str, int],
    rank: Mapping[str, int],
    room: Sequence[Mapping[str, int]],
    verdict: Verdict,
) -> Outcome:
    """All members on the machines of one domain, or none.

    ``room`` is the upper limit of each role on each machine; ``rank`` breaks ties between machines that serve equally.
    ``verdict`` spares the exact search where counting tells that there is nothing to find.
    """
    order = sorted(range(len(roles)), key=lambda place: _hardness(roles[place]))
    fill = Fill(question, {name: free[name] for name in names}, dict(left), rank)
    fresh = True
    for place in order:
        known = {name: room[place][name] for name in names} if fresh else None
        if not _fill_role(fill, roles[place], known):
            break
        fresh = False
    else:
        if fill.crossing_fits():
            return Outcome(tuple(fill.claims))
    members = [roles[place] for place in order for _ in range(roles[place].count)]
    if (len(members) == 1 and not left) or verdict.closely(names) is False:
        return Outcome(None)
    return search_exactly(Fill(question, {name: free[name] for name in names}, dict(left), rank), members)


def _hardness(role: Role) -> tuple[int, int, int, str]:
    return (-sum(request.count * request.milli for request in role.devices), -role.cores, -role.memory_bytes, role.name)


def _fill_role(fill: Fill, role: Role, known: Mapping[str, int] | None) -> bool:
    """The smallest machine that carries all that are left, else the largest, until none is left."""
    counts = known or {name: slots(one, role) for name, one in fill.free.items()}
    costs = _costs(fill, role)
    whole, emptiness = derived.whole(fill.question.fleet), derived.emptiness(fill.question.fleet)
    # What is nearly full is filled up before what is empty is broken.
    by_room: dict[int, list[tuple[float, tuple[int, int, int], int, str]]] = {}
    for name, count in counts.items():
        if count > 0:
            one = fill.free[name]
            left = emptiness[name] if one is whole[name] else derived.emptiness_of(one)
            entry = (costs.get(name, 0.0), left, fill.rank[name], name)
            by_room.setdefault(min(count, role.count), []).append(entry)
    rooms = sorted(by_room)
    for entries in by_room.values():
        heapify(entries)
    wanted = role.count
    while wanted > 0:
        if not rooms:
            return False
        count = rooms[min(bisect_left(rooms, wanted), len(rooms) - 1)]
        name = heappop(by_room[count])[-1]
        if not by_room[count]:
            rooms.remove(count)
        wanted -= _fill_machine(fill, role, name, min(wanted, count))
    return True


def _costs(fill: Fill, role: Role) -> Mapping[str, float]:
    """Where several machines would carry a single member, what the question's choice says of each."""
    choice = fill.question.choice
    if choice is None or role.count > 1 or len(fill.free) == 1:
        return {}
    return choice.costs(fill.question, fill.free, role)


def _fill_machine(fill: Fill, role: Role, name: str, most: int) -> int:
    placed = 0
    while placed < most:
        claim = fill.question.inside.place(fill.free[name], role)
        if claim is None or not fill.admits(claim):
            break
        fill.take(claim)
        placed += 1
    return placed
