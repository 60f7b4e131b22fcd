"""The exact search over several members: depth first over every machine and every claim, within a bound on its steps.

Three things keep it short without losing an answer: members of one role go to machines in order; of machines that are
alike in hardware, state and place only the first is tried; and a branch ends where machines or budgets have no room for
the members left.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from tenure.placement.axes import slots
from tenure.placement.bound import BudgetBound
from tenure.placement.calendar import Free
from tenure.placement.demand import Role
from tenure.placement.fill import Fill, Outcome
from tenure.placement.holds import Claim
from tenure.placement.inside import claims_inside

STEPS_MAX = 20_000
"""Claims that may be tried before the search says that it does not know."""

State = tuple[object, ...]


def search_exactly(fill: Fill, members: Sequence[Role]) -> Outcome:
    """Places for all members, proof that there are none, or neither."""
    search = _Exact(fill, members)
    if search.extend(0, 0):
        return Outcome(tuple(fill.claims))
    return Outcome(None, proved=not search.gave_up)


class _Exact:
    def __init__(self, fill: Fill, members: Sequence[Role]) -> None:
        self.fill = fill
        self.members = members
        self.names = sorted(fill.free, key=lambda name: fill.rank[name])
        self.steps = 0
        self.gave_up = False
        self._claims: dict[tuple[str, State, Role], list[Claim]] = {}
        self._runs = _runs(members)
        self._kinds = self._kinds_of_machines()
        self._budgets = BudgetBound(fill, self.names)

    def _kinds_of_machines(self) -> dict[str, int]:
        """Machines of equal hardware in equal places have one number."""
        known: dict[object, int] = {}
        kinds: dict[str, int] = {}
        for name in self.names:
            machine = self.fill.free[name].machine
            facts = (machine.cores, machine.memory, machine.devices, machine.numa_distances)
            key = (facts, machine.core_power, machine.site, machine.place)
            kinds[name] = known.setdefault(key, len(known))
        own = {b.domain for b in self.fill.question.fleet.budgets if b.level == "machine"}
        spread = self.fill.question.demand.spread
        if own or (spread is not None and spread.level == "machine"):
            # The machine itself is a domain that something is counted by: then none is like another.
            return {name: number for number, name in enumerate(self.names)}
        return kinds

    def extend(self, place: int, since: int) -> bool:
        """Place the members from ``place`` on, those of this role on machines from ``since`` on."""
        fill = self.fill
        if place == len(self.members):
            return fill.crossing_fits()
        role = self.members[place]
        if not self._room_for(place, since):
            return False
        tried: set[State] = set()
        for position in range(since, len(self.names)):
            name = self.names[position]
            before = fill.free[name]
            state = _state(before)
            if (self._kinds[name], *state) in tried or slots(before, role) == 0:
                continue
            tried.add((self._kinds[name], *state))
            if not self._budgets.admits(name, role):
                continue
            for claim in self._claims_of(name, before, state, role):
                self.steps += 1
                if self.steps > STEPS_MAX:
                    self.gave_up = True
                    return False
                if not fill.admits(claim):
                    continue
                fill.take(claim)
                same_again = place + 1 < len(self.members) and self.members[place + 1] is role
                if self.extend(place + 1, position if same_again else 0):
                    return True
                fill.give_back(before)
                if self.gave_up:
                    return False
        return False

    def _room_for(self, place: int, since: int) -> bool:
        """Whether the members left could have room, axis by axis and by budgets: those of this role that stand here
        from ``since`` on, others anywhere."""
        for one, number, end in self._runs:
            if end <= place:
                continue
            here = end - number <= place
            count = end - place if here else number
            names = self.names[since:] if here else self.names
            if self._budgets:
                if self._budgets.most(one, {name: slots(self.fill.free[name], one) for name in names}) < count:
                    return False
                continue
            room = 0
            for name in names:
                room += slots(self.fill.free[name], one)
                if room >= count:
                    break
            if room < count:
                return False
        return True

    def _claims_of(self, name: str, free: Free, state: State, role: Role) -> list[Claim]:
        key = (name, state, role)
        if key not in self._claims:
            self._claims[key] = list(claims_inside(free, role))
        return self._claims[key]


def _runs(members: Sequence[Role]) -> list[tuple[Role, int, int]]:
    """Members of one role that stand one after another: the role, how many they are, and where they end.

    Equally hard roles stand as they were stated, so the very same one may come again after another.
    """
    runs: list[tuple[Role, int, int]] = []
    end = 0
    for _, same in groupby(members, key=id):
        run = list(same)
        end += len(run)
        runs.append((run[0], len(run), end))
    return runs


def _state(free: Free) -> State:
    return free.cores, tuple(free.memory.values()), tuple(free.devices.values())
