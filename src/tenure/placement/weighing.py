"""A choice at one start: scores added up by weights that are numbers now, for machines, domains and whole placements.

What a member costs where nothing of its demand stands is asked once a role, over all machines at a time; what is
placed then changes few machines, and only those are asked again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import fsum

from tenure.placement.calendar import Free
from tenure.placement.choice import Choice, Company, Score, Sociable, taken_share
from tenure.placement.demand import Role
from tenure.placement.fleet import Fleet
from tenure.placement.holds import Claim
from tenure.placement.question import Question

DOMAINS_WEIGHED_MAX = 8
"""Domains of a level in which a demand is placed to see what it costs there. Among more, those that promise to cost
least by their machines' first members are placed."""

ROUNDS_MAX = 16
"""Members of one machine whose cost is asked one after another; those beyond count like the last of them."""

DIGITS = 9
"""Costs that differ by less are equal: sums of floating-point numbers are no more exact."""

Domains = list[tuple[str, list[str]]]


def weights_at(question: Question, choice: Choice, start_ms: int) -> tuple[float | None, list[float]]:
    """(the share of the fleet that is taken then, the weight of each score); no share where no weight depends on it."""
    if not any(callable(weight) for _, weight in choice.scores):
        return None, [weight for _, weight in choice.scores if not callable(weight)]
    machines = [machine for machine in question.fleet.machines if machine.schedulable]
    taken = taken_share(question.free(machines, start_ms))
    return taken, [weight(taken) if callable(weight) else weight for _, weight in choice.scores]


class Weighing:
    """``free`` is what the able machines have free before anything of the demand is placed. Mutable only in what it
    remembers."""

    def __init__(self, question: Question, choice: Choice, free: Mapping[str, Free], start_ms: int) -> None:
        self.fewest_machines = choice.fewest_machines
        self._question = question
        self._free = free
        self._scores = _with_numbers(question, choice, start_ms)
        self._sociable = [(score, weight) for score, weight in self._scores if isinstance(score, Sociable)]
        self._first: dict[Role, Mapping[str, float]] = {}

    def costs(self, free: Mapping[str, Free], role: Role) -> dict[str, float]:
        """What one more member costs on each of these machines by itself, whoever else is placed elsewhere."""
        first = self._first_of(role)
        changed = {name: one for name, one in free.items() if one is not self._free[name]}
        if not changed:
            return {name: first[name] for name in free}
        now = self._added_up(changed, _one(role))
        return {name: now[name] if name in now else first[name] for name in free}

    def company(self) -> Placed | None:
        """Nobody yet; None where no score asks who else is placed."""
        if not self._sociable:
            return None
        return Placed(self._question.fleet, [(one.company(self._question), weight) for one, weight in self._sociable])

    def of(self, roles: Sequence[Role], claims: Sequence[Claim]) -> float:
        """What a placement costs in all, each member given those before it."""
        by_name = {role.name: role for role in reversed(roles)}
        queues: dict[str, list[Claim]] = {}
        for claim in claims:
            queues.setdefault(claim.machine, []).append(claim)
        free = {name: self._free[name] for name in queues}
        parts: list[float] = []
        for number in range(max(map(len, queues.values()), default=0)):
            queues = {name: queue for name, queue in queues.items() if len(queue) > number}
            last = number == ROUNDS_MAX - 1
            for role in by_name.values():
                now = {name: free[name] for name, queue in queues.items() if queue[number].role == role.name}
                costs = self.costs(now, role) if now else {}
                parts += [costs[name] * (len(queues[name]) - number if last else 1) for name in now]
            if last:
                break
            for name, queue in queues.items():
                free[name] = free[name].minus(queue[number])
        return round(fsum(parts) + self._of_company(claims), DIGITS)

    def ordered(self, domains: Domains, roles: Sequence[Role], room: Sequence[Mapping[str, int]]) -> Domains:
        """Domains in the order in which to try them: as they are where all can be tried, else by what they promise."""
        if len(domains) <= DOMAINS_WEIGHED_MAX:
            return domains
        costs = [self._first_of(role) for role in roles]

        def promise(names: list[str]) -> float:
            parts = (
                _cheapest(role, names, cost, places) for role, cost, places in zip(roles, costs, room, strict=True)
            )
            return round(fsum(parts), DIGITS)

        return sorted(domains, key=lambda item: promise(item[1]))

    def _first_of(self, role: Role) -> Mapping[str, float]:
        one = _one(role)
        if one not in self._first:
            self._first[one] = self._added_up(self._free, one)
        return self._first[one]

    def _added_up(self, free: Mapping[str, Free], role: Role) -> dict[str, float]:
        """The weighed sum by machine; a machine that a score leaves out costs nothing by it."""
        total = dict.fromkeys(free, 0.0)
        for score, weight in self._scores:
            for name, cost in score.costs(self._question, free, role).items():
                total[name] += weight * cost
        return total

    def _of_company(self, claims: Sequence[Claim]) -> float:
        company = self.company()
        if company is None:
            return 0.0
        parts = []
        for claim in claims:
            parts.append(company.cost(claim.machine))
            company.joined(claim.machine)
        return fsum(parts)


class Placed:
    """The members placed so far, as all scores together see them. ``grows``: what they cost others never falls."""

    def __init__(self, fleet: Fleet, scores: Sequence[tuple[Company, float]]) -> None:
        self._fleet = fleet
        self._scores = scores
        self.grows = all(weight >= 0 for _, weight in scores)

    def cost(self, machine: str) -> float:
        """What standing on this machine beside them adds for one more member."""
        facts = self._fleet.machine(machine)
        return sum(weight * company.cost(facts) for company, weight in self._scores)

    def joined(self, machine: str) -> None:
        """One more stands on this machine."""
        facts = self._fleet.machine(machine)
        for company, _ in self._scores:
            company.joined(facts)


def _one(role: Role) -> Role:
    """A single member: how many there are makes none of them dearer."""
    return replace(role, count=1, count_min=None, values=())


def _with_numbers(question: Question, choice: Choice, start_ms: int) -> list[tuple[Score, float]]:
    """Scores with weights that are numbers, given how full the whole fleet is then."""
    _, weights = weights_at(question, choice, start_ms)
    return [(score, weight) for (score, _), weight in zip(choice.scores, weights, strict=True)]


def _cheapest(role: Role, names: Sequence[str], costs: Mapping[str, float], room: Mapping[str, int]) -> float:
    """What all members of a role would cost on the cheapest machines, each as the first one there."""
    if len(names) == 1:
        return role.count * costs[names[0]]
    wanted, parts = role.count, []
    for cost, name in sorted((costs[name], name) for name in names if room[name]):
        members = min(wanted, room[name])
        parts.append(members * cost)
        wanted -= members
        if not wanted:
            break
    return fsum(parts)
