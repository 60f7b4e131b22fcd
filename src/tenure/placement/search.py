"""The search over time, levels and domains; what happens inside one domain is ``members``' matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tenure.placement import derived
from tenure.placement.answers import Reporter
from tenure.placement.calendar import Free
from tenure.placement.demand import Role
from tenure.placement.elastic import greatest
from tenure.placement.holds import Claim
from tenure.placement.members import place_members
from tenure.placement.question import Question
from tenure.placement.room import Room


@dataclass(frozen=True, slots=True)
class Found:
    """A feasible start and the claims at it."""

    start_ms: int
    claims: tuple[Claim, ...]


Slots = Sequence[Mapping[str, int]]
"""For each role, the members that each machine has room for, axis by axis."""


class Search:
    """One run of the search. ``proved`` turns false where a bounded part of it gave up."""

    def __init__(self, question: Question, reporter: Reporter) -> None:
        self.question = question
        self.reporter = reporter
        self.proved = True
        self.machines = question.able()
        self.rank = derived.rank(question.fleet, question.seed)
        self.levels = question.levels_to_try()
        self._names = {machine.name: machine for machine in self.machines}

    def first(self, latest_ms: int) -> Found | None:
        """The earliest feasible start up to ``latest_ms``, with its claims.

        Starts after the earliest are worth trying only where a domain has room for all, axis by axis; that room is
        kept up to date from one release to the next, so a start that cannot do costs what its releases touch.
        """
        question = self.question
        if not self.machines or not self.levels or not question.in_time(latest_ms):
            return None
        earliest_ms = question.demand.start_at(question.now_ms).earliest_ms
        claims = self.at(earliest_ms)
        if claims is not None:
            return Found(earliest_ms, claims)
        room = Room(question, self.machines, question.domains(self.levels[-1], self._names), earliest_ms)
        for start_ms, released in question.later_starts(self.machines, latest_ms).items():
            room.update(released, start_ms)
            if not room.enough():
                continue
            claims = self.at(start_ms)
            if claims is not None:
                return Found(start_ms, claims)
        return None

    def at(self, start_ms: int) -> tuple[Claim, ...] | None:
        """All members at one start; an elastic role takes the greatest size that fits."""
        free = self.question.free(self.machines, start_ms)
        left = self.question.left(start_ms)
        roles = list(self.question.demand.roles)
        room = [self.question.room(free, role) for role in roles]

        def fit(sizes: Sequence[int]) -> tuple[Claim, ...] | None:
            sized = [replace(r, count=n) if n != r.count else r for r, n in zip(roles, sizes, strict=True)]
            return self._across(start_ms, sized, free, left, room)

        return greatest(roles, fit)

    def _across(
        self, start_ms: int, roles: list[Role], free: Mapping[str, Free], left: Mapping[str, int], room: Slots
    ) -> tuple[Claim, ...] | None:
        for level in self.levels:
            for domain, names in self._by_room(level, roles, room):
                outcome = place_members(self.question, roles, names, free, left, self.rank, room)
                self.proved = self.proved and outcome.proved
                self.reporter.tried(start_ms, level, domain, outcome.claims is not None)
                if outcome.claims is not None:
                    return outcome.claims
        return None

    def _by_room(self, level: str, roles: list[Role], room: Slots) -> list[tuple[str, list[str]]]:
        """Domains that could carry every role, the one with the least room first."""
        if level == "machine":
            names = list(room[0])
            for by_name, role in zip(room, roles, strict=True):
                names = [name for name in names if by_name[name] >= role.count]
            names.sort(key=lambda name: (sum(by_name[name] for by_name in room), self.rank[name]))
            return [(name, [name]) for name in names]
        fitting: list[tuple[int, int, str, list[str]]] = []
        for domain, names in self.question.domains(level, self._names):
            totals = [sum(map(by_name.__getitem__, names)) for by_name in room]
            if all(total >= role.count for total, role in zip(totals, roles, strict=True)):
                tie = min(map(self.rank.__getitem__, names))
                fitting.append((sum(totals), tie, domain, names))
        return [(domain, names) for _, _, domain, names in sorted(fitting, key=lambda item: item[:2])]
