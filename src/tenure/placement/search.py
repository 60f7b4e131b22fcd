"""The search over time, levels and domains; what happens inside one domain is ``members``' matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

from tenure.placement import derived
from tenure.placement.answers import Reporter
from tenure.placement.ceiling import Ceiling
from tenure.placement.demand import Role
from tenure.placement.elastic import TRIALS_MAX, Effort, greatest
from tenure.placement.holds import Claim
from tenure.placement.members import place_members
from tenure.placement.question import Question
from tenure.placement.remains import Each, Remains, total, totals
from tenure.placement.room import Room
from tenure.placement.shared import levels_to_try
from tenure.placement.verdict import Verdict
from tenure.placement.weighing import DOMAINS_WEIGHED_MAX, Weighing

MACHINES_TRIED_MAX = 50_000
"""Machines times trials in search of the sizes of the greatest value: five trials among ten thousand machines, so that
an elastic demand takes no longer than a few plain ones."""

GIVEN_UP_MAX = 2
"""Trials that may give up on the way, each after as many steps as the exact search may take."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    """A feasible start and the claims at it."""

    start_ms: int
    claims: tuple[Claim, ...]


Slots = Sequence[Each[int]]
"""For each role, the members that each machine has room for, axis by axis."""


class Search:
    """One run of the search. ``given_up`` counts how often a bounded part of it gave up."""

    def __init__(self, question: Question, reporter: Reporter) -> None:
        self.question = question
        self.reporter = reporter
        self.given_up = 0
        self.machines = question.able()
        self.rank = derived.rank(question.fleet, question.seed)
        self.levels = levels_to_try(question.fleet, question.demand)

    @property
    def proved(self) -> bool:
        """Whether what was not found is not there."""
        return not self.given_up

    def first(self, latest_ms: int) -> Found | None:
        """The earliest feasible start up to ``latest_ms``, with its claims."""
        found = self._first(latest_ms, self.at)
        return None if found is None else Found(*found)

    def start(self, latest_ms: int) -> int | None:
        """The earliest feasible start alone: nothing is placed where counting tells."""
        found = self._first(latest_ms, lambda start_ms: True if self.fits_at(start_ms) else None)
        return None if found is None else found[0]

    def _first(self, latest_ms: int, attempt: Callable[[int], T | None]) -> tuple[int, T] | None:
        """The first start at which an attempt succeeds.

        Starts after the earliest are worth trying only where a domain has room for all, axis by axis; that room is
        kept up to date from one release to the next, so a start that cannot do costs what its releases touch. Once no
        hold begins any more, what is free only grows, and the first start that will do is found by halving.
        """
        question = self.question
        if not self.machines or not self.levels or not question.in_time(latest_ms):
            return None
        earliest_ms = question.demand.start_at(question.now_ms).earliest_ms
        made = attempt(earliest_ms)
        if made is not None:
            return earliest_ms, made
        later = question.later_starts(self.machines, latest_ms)
        if not later:
            return None
        room = Room(question, self.machines, question.widest_domains(), earliest_ms)
        starts = list(later)
        growing_ms = question.calendar.last_start_ms(without_group=question.demand.group)
        for place, start_ms in enumerate(starts):
            room.update(later[start_ms], start_ms)
            if not room.enough():
                continue
            made = attempt(start_ms)
            if made is not None:
                return start_ms, made
            if start_ms >= growing_ms:
                return self._by_halving(starts[place + 1 :], attempt)
        return None

    def _by_halving(self, starts: Sequence[int], attempt: Callable[[int], T | None]) -> tuple[int, T] | None:
        """Of starts at each of which at least as much is free as at those before it."""
        low, step, high = 0, 1, len(starts)
        while low + step - 1 < len(starts):
            at = low + step - 1
            if self.fits_at(starts[at]):
                high = at
                break
            low, step = at + 1, 2 * step
        else:
            if low >= len(starts) or not self.fits_at(starts[-1]):
                return None
            high = len(starts) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.fits_at(starts[middle]) else (middle + 1, high)
        # What fits by counting may not be found before the search gives up; later and emptier it may be, and the plan
        # does not claim to be the earliest then. In doubling steps, since each attempt is a whole search.
        step = 1
        while low < len(starts):
            made = attempt(starts[low])
            if made is not None:
                return starts[low], made
            low, step = low + step, 2 * step
        return None

    def at(self, start_ms: int) -> tuple[Claim, ...] | None:
        """All members at one start; an elastic role takes the greatest size that fits."""
        free = self.question.free(self.machines, start_ms)
        left = self.question.left(start_ms)
        roles = list(self.question.demand.roles)
        room = [self.question.room(free, role) for role in roles]
        choice = self.question.choice
        weighing = Weighing(self.question, choice, free, start_ms) if choice is not None and len(free) > 1 else None

        def fit(sizes: Sequence[int]) -> tuple[Claim, ...] | None:
            sized = [replace(r, count=n) if n != r.count else r for r, n in zip(roles, sizes, strict=True)]
            return self._across(start_ms, sized, free, left, room, weighing)

        @cache
        def ceiling() -> Ceiling:
            return Ceiling(self.question, roles, free, left, room)

        given_up = self.given_up
        effort = Effort(
            admits=lambda sizes: ceiling().admits(sizes),
            trials_max=max(1, min(TRIALS_MAX, MACHINES_TRIED_MAX // max(1, len(self.machines)))),
            ended=lambda: self.given_up - given_up >= GIVEN_UP_MAX,
        )
        return greatest(roles, fit, effort)

    def fits_at(self, start_ms: int) -> bool:
        """Whether all members fit at one start, an elastic role at its least: as ``at``, but by counting if that will
        do."""
        free = self.question.free(self.machines, start_ms)
        left = self.question.left(start_ms)
        roles = [replace(role, count=role.least) for role in self.question.demand.roles]
        room = [self.question.room(free, role) for role in roles]
        if _too_little(roles, room):
            return False
        verdict = Verdict(self.question, roles, free, left, room)
        unsure: list[tuple[str, list[str]]] = []
        for level in self.levels:
            for _, names in self._by_room(level, roles, room):
                said = verdict.of(names)
                if said:
                    return True
                if said is None:
                    unsure.append((level, names))
        for _, names in unsure:
            outcome = place_members(self.question, roles, names, free, left, self.rank, room, verdict)
            self.given_up += not outcome.proved
            if outcome.claims is not None:
                return True
        return False

    def _across(
        self,
        start_ms: int,
        roles: list[Role],
        free: Remains,
        left: Mapping[str, int],
        room: Slots,
        weighing: Weighing | None,
    ) -> tuple[Claim, ...] | None:
        if _too_little(roles, room):
            return None
        verdict = Verdict(self.question, roles, free, left, room)
        for level in self.levels:

            def attempt(domain: str, names: list[str], level: str = level) -> tuple[Claim, ...] | None:
                claims = None
                if not verdict.hopeless(names):
                    outcome = place_members(self.question, roles, names, free, left, self.rank, room, verdict, weighing)
                    self.given_up += not outcome.proved
                    claims = outcome.claims
                self.reporter.tried(start_ms, level, domain, claims is not None)
                return claims

            domains = self._by_room(level, roles, room)
            if weighing is not None and len(domains) > 1:
                claims = self._least(weighing, roles, weighing.ordered(domains, roles, room), attempt)
            else:
                claims = next((made for domain in domains if (made := attempt(*domain)) is not None), None)
            if claims is not None:
                return claims
        return None

    def _least(
        self,
        weighing: Weighing,
        roles: Sequence[Role],
        domains: Sequence[tuple[str, list[str]]],
        attempt: Callable[[str, list[str]], tuple[Claim, ...] | None],
    ) -> tuple[Claim, ...] | None:
        """Of these domains the one in which all members cost least, the first of those that cost the same.

        Once one is found, the others are only better or worse: so many are tried, up to the first that takes long.
        """
        best: tuple[Claim, ...] | None = None
        least = 0.0
        for number, (domain, names) in enumerate(domains):
            if best is not None and number >= DOMAINS_WEIGHED_MAX:
                break
            given_up = self.given_up
            claims = attempt(domain, names)
            if claims is not None:
                cost = weighing.of(roles, claims)
                if best is None or cost < least:
                    best, least = claims, cost
            elif best is not None and self.given_up > given_up:
                self.given_up = given_up
                break
        return best

    def _by_room(self, level: str, roles: list[Role], room: Slots) -> list[tuple[str, list[str]]]:
        """Domains that could carry every role, the one with the least room first."""
        if level == "machine":
            names = self.question.alone()
            for by_name, role in zip(room, roles, strict=True):
                names = by_name.those(names, lambda places, role=role: places >= role.count)  # type: ignore[misc]
            names = sorted(names, key=self.rank.__getitem__)
            if any(len(set(by_name.of_sort.values())) > 1 for by_name in room):
                names.sort(key=lambda name: sum(by_name[name] for by_name in room))
            return [(name, [name]) for name in names]
        fitting: list[tuple[int, int, str, list[str]]] = []
        domains = self.question.domains(level)
        rows = zip(*(totals(by_name, domains) for by_name in room), strict=True)
        for (domain, names), have in zip(domains, rows, strict=True):
            if all(total >= role.count for total, role in zip(have, roles, strict=True)):
                tie = min(map(self.rank.__getitem__, names))
                fitting.append((sum(have), tie, domain, names))
        return [(domain, names) for _, _, domain, names in sorted(fitting, key=lambda item: item[:2])]


def _too_little(roles: Sequence[Role], room: Slots) -> bool:
    """Whether all machines together have too little room, so that no domain has more."""
    return any(total(by_name) < role.count for role, by_name in zip(roles, room, strict=True))
