"""Members of one demand over the machines of one domain: fill greedily, and search exactly where that fails.

The greedy fill uses the fewest machines: the smallest that carries all that are left, else the largest. Where it
fails although the counts would do, a depth-first search over every claim decides, within a bound on its steps.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tenure.placement.budgets import claim_draw, draws, overdrawn
from tenure.placement.calendar import Free
from tenure.placement.demand import DeviceRequest, Role
from tenure.placement.device_choice import fits
from tenure.placement.fleet import Budget
from tenure.placement.holds import Claim
from tenure.placement.inside import claims_inside
from tenure.placement.question import Question

STEPS_MAX = 20_000
"""Claims that the exact search may try before it says that it does not know."""


@dataclass(slots=True)
class Outcome:
    """Claims, or none; ``proved`` is false where the bounded search gave up."""

    claims: tuple[Claim, ...] | None
    proved: bool = True


def slots(free: Free, role: Role) -> int:
    """An upper limit on the members of a role that fit: each axis alone."""
    # A member that takes nothing fits any number of times.
    least = role.count
    if role.cores:
        least = min(least, len(free.cores) // role.cores)
    if role.memory_bytes and least:
        least = min(least, sum(free.memory.values()) // role.memory_bytes)
    for request in role.devices:
        if least == 0:
            break
        least = min(least, _units(free, request) // request.count)
    return least


def _units(free: Free, request: DeviceRequest) -> int:
    """Devices, or shares of them, that a request finds free."""
    units = 0
    for device in free.machine.devices:
        if fits(free, device, request):
            units += 1 if request.milli >= device.milli else free.devices[device.id] // request.milli
    return units


@dataclass(slots=True)
class Fill:
    """One attempt to place all members. Mutable inside one call, never seen outside."""

    question: Question
    free: dict[str, Free]
    left: dict[str, int]
    rank: Mapping[str, int]
    claims: list[Claim] = field(default_factory=list)
    per_domain: dict[str, int] = field(default_factory=dict)

    def budgets_of(self, machine: str) -> list[Budget]:
        facts = self.question.fleet.machine(machine)
        return [b for b in self.question.fleet.budgets if not b.crossing and facts.domain(b.level) == b.domain]

    def drawn(self, claim: Claim) -> dict[str, int]:
        facts = self.question.fleet.machine(claim.machine)
        return {b.id: claim_draw(b, facts, claim) for b in self.budgets_of(claim.machine)}

    def admits(self, claim: Claim) -> bool:
        """Budgets and spread: what does not follow from the machine alone."""
        if overdrawn(self.left, self.drawn(claim)) is not None:
            return False
        spread = self.question.demand.spread
        domain = self._spread_domain(claim.machine)
        return spread is None or (domain is not None and self.per_domain.get(domain, 0) < spread.members_max)

    def take(self, claim: Claim) -> None:
        self.free[claim.machine] = self.free[claim.machine].minus(claim)
        for budget, amount in self.drawn(claim).items():
            self.left[budget] -= amount
        domain = self._spread_domain(claim.machine)
        if domain is not None:
            self.per_domain[domain] = self.per_domain.get(domain, 0) + 1
        self.claims.append(claim)

    def give_back(self, before: Free) -> None:
        claim = self.claims.pop()
        self.free[claim.machine] = before
        for budget, amount in self.drawn(claim).items():
            self.left[budget] += amount
        domain = self._spread_domain(claim.machine)
        if domain is not None:
            self.per_domain[domain] -= 1

    def crossing_fits(self) -> bool:
        """Budgets that count crossings are judged once all members are placed."""
        crossing = {budget.id for budget in self.question.fleet.budgets if budget.crossing}
        drawn = {
            budget: amount for budget, amount in draws(self.question.fleet, self.claims).items() if budget in crossing
        }
        return overdrawn(self.left, drawn) is None

    def _spread_domain(self, machine: str) -> str | None:
        if self.question.demand.spread is None:
            return None
        return self.question.fleet.machine(machine).domain(self.question.demand.spread.level)


def place_members(
    question: Question,
    roles: Sequence[Role],
    names: Sequence[str],
    free: Mapping[str, Free],
    left: Mapping[str, int],
    rank: Mapping[str, int],
    room: Sequence[Mapping[str, int]],
) -> Outcome:
    """All members on the machines of one domain, or none.

    ``room`` is the upper limit of each role on each machine; ``rank`` breaks ties between machines that serve equally.
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
    if len(members) == 1 and not left:
        return Outcome(None)
    return _search(Fill(question, {name: free[name] for name in names}, dict(left), rank), members)


def _hardness(role: Role) -> tuple[int, int, int, str]:
    return (-sum(request.count * request.milli for request in role.devices), -role.cores, -role.memory_bytes, role.name)


def _fill_role(fill: Fill, role: Role, known: Mapping[str, int] | None) -> bool:
    """The smallest machine that carries all that are left, else the largest, until none is left."""
    counts = known or {name: slots(one, role) for name, one in fill.free.items()}
    by_room: dict[int, list[str]] = {}
    for name, count in counts.items():
        if count > 0:
            by_room.setdefault(min(count, role.count), []).append(name)
    rooms = sorted(by_room)
    for names in by_room.values():
        # Last is taken first: what is nearly full is filled up before what is empty is broken.
        names.sort(key=lambda name: (_emptiness(fill.free[name]), fill.rank[name]), reverse=True)
    wanted = role.count
    while wanted > 0:
        if not rooms:
            return False
        count = rooms[min(bisect_left(rooms, wanted), len(rooms) - 1)]
        name = by_room[count].pop()
        if not by_room[count]:
            rooms.remove(count)
        wanted -= _fill_machine(fill, role, name, min(wanted, count))
    return True


def _emptiness(free: Free) -> tuple[int, int, int]:
    return sum(free.devices.values()), len(free.cores), sum(free.memory.values())


def _fill_machine(fill: Fill, role: Role, name: str, most: int) -> int:
    placed = 0
    while placed < most:
        claim = fill.question.inside.place(fill.free[name], role)
        if claim is None or not fill.admits(claim):
            break
        fill.take(claim)
        placed += 1
    return placed


def _search(fill: Fill, members: Sequence[Role]) -> Outcome:
    """Depth first over every machine and claim; members of one role go to machines in order, so none is tried twice."""
    names = sorted(fill.free, key=lambda name: fill.rank[name])
    steps = 0
    gave_up = False

    def extend(place: int, since: int) -> bool:
        nonlocal steps, gave_up
        if place == len(members):
            return fill.crossing_fits()
        role = members[place]
        for position in range(since, len(names)):
            before = fill.free[names[position]]
            if slots(before, role) == 0:
                continue
            for claim in claims_inside(before, role):
                steps += 1
                if steps > STEPS_MAX:
                    gave_up = True
                    return False
                if not fill.admits(claim):
                    continue
                fill.take(claim)
                same_again = place + 1 < len(members) and members[place + 1] is role
                if extend(place + 1, position if same_again else 0):
                    return True
                fill.give_back(before)
                if gave_up:
                    return False
        return False

    if extend(0, 0):
        return Outcome(tuple(fill.claims))
    return Outcome(None, proved=not gave_up)
