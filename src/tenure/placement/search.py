"""The search over time, levels and domains; what happens inside one domain is ``members``' matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tenure.placement.answers import Reporter
from tenure.placement.calendar import Free
from tenure.placement.demand import Role
from tenure.placement.fleet import FleetMachine
from tenure.placement.holds import Claim
from tenure.placement.members import place_members, slots
from tenure.placement.question import Question


@dataclass(frozen=True, slots=True)
class Found:
    """A feasible start and the claims at it."""

    start_ms: int
    claims: tuple[Claim, ...]


class Search:
    """One run of the search. ``proved`` turns false where a bounded part of it gave up."""

    def __init__(self, question: Question, reporter: Reporter) -> None:
        self.question = question
        self.reporter = reporter
        self.proved = True
        self.machines = question.able()
        self.rank = question.rank(self.machines)

    def first(self, latest_ms: int) -> Found | None:
        """The earliest feasible start up to ``latest_ms``, with its claims."""
        if not self.machines:
            return None
        for start_ms in self.question.starts(self.machines, latest_ms):
            claims = self.at(start_ms)
            if claims is not None:
                return Found(start_ms, claims)
        return None

    def at(self, start_ms: int) -> tuple[Claim, ...] | None:
        """All members at one start; an elastic role takes the greatest size that fits."""
        free = self.question.free(self.machines, start_ms)
        left = self.question.left(start_ms)
        roles = list(self.question.demand.roles)
        claims = self._across(start_ms, roles, free, left)
        elastic = [place for place, role in enumerate(roles) if role.count_min is not None]
        if claims is not None or not elastic:
            return claims
        smallest = [replace(role, count=role.count_min or role.count) for role in roles]
        claims = self._across(start_ms, smallest, free, left)
        if claims is None:
            return None
        # Fewer members fit wherever more do, so the greatest size of a role is found by halving.
        sizes = smallest
        for place in elastic:
            low, high = sizes[place].count, roles[place].count
            while low < high:
                middle = (low + high + 1) // 2
                trial = [*sizes[:place], replace(roles[place], count=middle), *sizes[place + 1 :]]
                larger = self._across(start_ms, trial, free, left)
                if larger is None:
                    high = middle - 1
                else:
                    low, claims, sizes = middle, larger, trial
        return claims

    def _across(
        self, start_ms: int, roles: list[Role], free: Mapping[str, Free], left: Mapping[str, int]
    ) -> tuple[Claim, ...] | None:
        question = self.question
        for level in question.levels_to_try():
            for domain, machines in self._by_room(level, roles, free):
                inside = {machine.name: free[machine.name] for machine in machines}
                outcome = place_members(question.fleet, question.demand, roles, inside, left, self.rank)
                self.proved = self.proved and outcome.proved
                self.reporter.tried(start_ms, level, domain, outcome.claims is not None)
                if outcome.claims is not None:
                    return outcome.claims
        return None

    def _by_room(self, level: str, roles: list[Role], free: Mapping[str, Free]) -> list[tuple[str, list[FleetMachine]]]:
        """Domains that could carry every role, the one with the least room first."""
        fitting: list[tuple[int, int, str, list[FleetMachine]]] = []
        for domain, machines in self.question.domains(level, self.machines):
            room = [sum(slots(free[machine.name], role) for machine in machines) for role in roles]
            if all(count >= role.count for count, role in zip(room, roles, strict=True)):
                tie = min(self.rank[machine.name] for machine in machines)
                fitting.append((sum(room), tie, domain, machines))
        return [(domain, machines) for _, _, domain, machines in sorted(fitting, key=lambda item: item[:2])]
