"""Members of one demand over the machines of one domain: fill greedily, and search exactly where that fails.

The greedy fill uses the fewest machines: the smallest that carries all that are left, else the largest. Where it
fails although the counts would do, a depth-first search over every claim decides, within a bound on its steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tenure.placement.budgets import claim_draw, draws, overdrawn
from tenure.placement.calendar import Free
from tenure.placement.demand import Demand, Role
from tenure.placement.device_choice import fits
from tenure.placement.fleet import Budget, Fleet
from tenure.placement.holds import Claim
from tenure.placement.inside import claims_inside, place_inside

STEPS_MAX = 20_000
"""Claims that the exact search may try before it says that it does not know."""


@dataclass(slots=True)
class Outcome:
    """Claims, or none; ``proved`` is false where the bounded search gave up."""

    claims: tuple[Claim, ...] | None
    proved: bool = True


def slots(free: Free, role: Role) -> int:
    """An upper limit on the members of a role that fit: each axis alone."""
    limits: list[int] = []
    if role.cores:
        limits.append(len(free.cores) // role.cores)
    if role.memory_bytes:
        limits.append(sum(free.memory.values()) // role.memory_bytes)
    for request in role.devices:
        units = 0
        for device in free.machine.devices:
            if fits(free, device, request):
                whole = request.milli >= device.milli
                units += 1 if whole else free.devices[device.id] // request.milli
        limits.append(units // request.count)
    # A member that takes nothing fits any number of times.
    return min(limits, default=role.count)


@dataclass(slots=True)
class Fill:
    """One attempt to place all members. Mutable inside one call, never seen outside."""

    fleet: Fleet
    demand: Demand
    free: dict[str, Free]
    left: dict[str, int]
    rank: Mapping[str, int]
    claims: list[Claim] = field(default_factory=list)
    per_domain: dict[str, int] = field(default_factory=dict)

    def budgets_of(self, machine: str) -> list[Budget]:
        facts = self.fleet.machine(machine)
        return [b for b in self.fleet.budgets if not b.crossing and facts.domain(b.level) == b.domain]

    def drawn(self, claim: Claim) -> dict[str, int]:
        facts = self.fleet.machine(claim.machine)
        return {b.id: claim_draw(b, facts, claim) for b in self.budgets_of(claim.machine)}

    def admits(self, claim: Claim) -> bool:
        """Budgets and spread: what does not follow from the machine alone."""
        if overdrawn(self.left, self.drawn(claim)) is not None:
            return False
        spread = self.demand.spread
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
        crossing = {budget.id for budget in self.fleet.budgets if budget.crossing}
        drawn = {budget: amount for budget, amount in draws(self.fleet, self.claims).items() if budget in crossing}
        return overdrawn(self.left, drawn) is None

    def _spread_domain(self, machine: str) -> str | None:
        if self.demand.spread is None:
            return None
        return self.fleet.machine(machine).domain(self.demand.spread.level)


def place_members(
    fleet: Fleet,
    demand: Demand,
    roles: Sequence[Role],
    free: Mapping[str, Free],
    left: Mapping[str, int],
    rank: Mapping[str, int],
    *,
    exact: bool = True,
) -> Outcome:
    """All members on these machines, or none. ``rank`` breaks ties between machines that serve equally well."""
    ordered = sorted(roles, key=_hardness)
    for role in ordered:
        if sum(slots(one, role) for one in free.values()) < role.count:
            return Outcome(None)
    fill = Fill(fleet, demand, dict(free), dict(left), rank)
    if all(_fill_role(fill, role) for role in ordered) and fill.crossing_fits():
        return Outcome(tuple(fill.claims))
    if not exact:
        return Outcome(None, proved=False)
    members = [role for role in ordered for _ in range(role.count)]
    if len(members) == 1 and not fill.left:
        return Outcome(None)
    return _search(Fill(fleet, demand, dict(free), dict(left), rank), members)


def _hardness(role: Role) -> tuple[int, int, int, str]:
    return (-sum(request.count * request.milli for request in role.devices), -role.cores, -role.memory_bytes, role.name)


def _fill_role(fill: Fill, role: Role) -> bool:
    wanted = role.count
    room = {name: slots(one, role) for name, one in fill.free.items()}
    room = {name: count for name, count in room.items() if count > 0}
    while wanted > 0:
        if not room:
            return False
        name = _best(fill, room, wanted)
        placed = _fill_machine(fill, role, name, min(wanted, room.pop(name)))
        wanted -= placed
    return True


def _best(fill: Fill, room: Mapping[str, int], wanted: int) -> str:
    """The smallest machine that carries all that are left, else the largest."""
    carries_all = [name for name, count in room.items() if count >= wanted]
    if carries_all:
        return min(carries_all, key=lambda name: (room[name], _emptiness(fill.free[name]), fill.rank[name]))
    return min(room, key=lambda name: (-room[name], _emptiness(fill.free[name]), fill.rank[name]))


def _emptiness(free: Free) -> tuple[int, int, int]:
    """Least first: what is nearly full is filled up before what is empty is broken."""
    return sum(free.devices.values()), len(free.cores), sum(free.memory.values())


def _fill_machine(fill: Fill, role: Role, name: str, most: int) -> int:
    placed = 0
    while placed < most:
        claim = place_inside(fill.free[name], role)
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
