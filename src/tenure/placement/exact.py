"""The exact search over several members: depth first over every machine and every claim, within bounds on its steps.

Three things keep it short without losing an answer: members of one role go to machines in order; of machines that are
alike in hardware, state and place only the first is tried; and a branch ends where machines or budgets have no room for
the members left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count, groupby

from tenure.placement.axes import slots
from tenure.placement.bound import BudgetBound
from tenure.placement.calendar import Free
from tenure.placement.demand import Role
from tenure.placement.fill import Fill, Outcome
from tenure.placement.fleet import FleetMachine
from tenure.placement.holds import Claim
from tenure.placement.inside import claims_inside

STEPS_MAX = 20_000
"""Claims that may be tried before the search says that it does not know."""

LOOKS_MAX = 1_000_000
"""Looks at a machine before it says so: on many machines each claim that is tried takes many."""

LOOKS_A_QUESTION_MAX = 2_000_000
"""Looks of all searches together that one question and its explanation make."""

State = tuple[object, ...]


def search_exactly(fill: Fill, members: Sequence[Role]) -> Outcome:
    """Places for all members, proof that there are none, or neither."""
    inside = fill.question.inside
    search = _Exact(fill, members, min(LOOKS_MAX, LOOKS_A_QUESTION_MAX - inside.looks))
    found = search.run()
    inside.looks += search.looks
    return Outcome(tuple(fill.claims)) if found else Outcome(None, proved=not search.gave_up)


class _Exact:
    def __init__(self, fill: Fill, members: Sequence[Role], looks_max: int) -> None:
        self.fill = fill
        self.members = members
        self.names = sorted(fill.free, key=lambda name: fill.rank[name])
        self.steps = 0
        self.looks = 0
        self.looks_max = looks_max
        self.gave_up = False
        self._claims: dict[tuple[int, State, int], _Given] = {}
        self._slots: dict[tuple[int, int], tuple[Free, int]] = {}  # with what is left, so that its id stays its own
        self._runs = _runs(members)
        self._parts = self._numbered(lambda one: (one.cores, one.memory, one.devices, one.numa_distances))
        self._kinds = self._kinds_of_machines()
        self._budgets = BudgetBound(fill, self.names)

    def _numbered(self, facts: Callable[[FleetMachine], object]) -> dict[str, int]:
        """Machines of equal facts have one number."""
        known: dict[object, int] = {}
        return {name: known.setdefault(facts(self.fill.free[name].machine), len(known)) for name in self.names}

    def _kinds_of_machines(self) -> dict[str, int]:
        """Machines of equal hardware in equal places have one number."""
        own = {b.domain for b in self.fill.question.fleet.budgets if b.level == "machine"}
        spread = self.fill.question.demand.spread
        if own or (spread is not None and spread.level == "machine"):
            # The machine itself is a domain that something is counted by: then none is like another.
            return {name: number for number, name in enumerate(self.names)}
        return self._numbered(lambda one: (self._parts[one.name], one.core_power, one.site, one.place))

    def run(self) -> bool:
        """Whether all members were placed. What is open lies on a list of its own and not on Python's stack: a gang may
        have more members than that is deep."""
        fill, befores = self.fill, list[Free]()
        if not self.members:
            return fill.crossing_fits()
        open_choices = [self._choices(0, 0)]
        while open_choices:
            choice = next(open_choices[-1], None)
            if choice is None:
                open_choices.pop()
                if self.gave_up:
                    return False
                if befores:
                    fill.give_back(befores.pop())
                continue
            position, claim = choice
            befores.append(fill.free[claim.machine])
            fill.take(claim)
            place = len(open_choices)
            if place == len(self.members):
                if fill.crossing_fits():
                    return True
                fill.give_back(befores.pop())
                continue
            same_again = self.members[place] is self.members[place - 1]
            open_choices.append(self._choices(place, position if same_again else 0))
        return False

    def _choices(self, place: int, since: int) -> Iterator[tuple[int, Claim]]:
        """Where the member of this number may stand, on machines from ``since`` on; none where those that are left have
        no room."""
        fill, role = self.fill, self.members[place]
        if not self._room_for(place, since):
            return
        tried: set[State] = set()
        for position in range(since, len(self.names)):
            self.looks += 1
            if self.looks > self.looks_max:
                self.gave_up = True
                return
            name = self.names[position]
            free = fill.free[name]
            state = _state(free)
            if (self._kinds[name], *state) in tried or self._room(free, role) == 0:
                continue
            tried.add((self._kinds[name], *state))
            if not self._budgets.admits(name, role):
                continue
            for given in self._claims_of(name, free, state, role):
                self.steps += 1
                if self.steps > STEPS_MAX:
                    self.gave_up = True
                    return
                claim = given if given.machine == name else replace(given, machine=name)
                if fill.admits(claim):
                    yield position, claim
                    if self.gave_up:
                        return

    def _room_for(self, place: int, since: int) -> bool:
        """Whether the members left could have room, axis by axis and by budgets: those of this role that stand here
        from ``since`` on, others anywhere."""
        for one, number, end in self._runs:
            if end <= place:
                continue
            here = end - number <= place
            wanted = end - place if here else number
            names = self.names[since:] if here else self.names
            if self._budgets:
                self.looks += len(names)
                if self._budgets.most(one, {name: self._room(self.fill.free[name], one) for name in names}) < wanted:
                    return False
                continue
            room = 0
            for name in names:
                self.looks += 1
                room += self._room(self.fill.free[name], one)
                if room >= wanted:
                    break
            if room < wanted:
                return False
        return True

    def _room(self, free: Free, role: Role) -> int:
        key = (id(free), id(role))
        if key not in self._slots:
            self._slots[key] = (free, slots(free, role))
        return self._slots[key][1]

    def _claims_of(self, name: str, free: Free, state: State, role: Role) -> Iterator[Claim]:
        """All claims of one member; of equal machines in equal states those of the first of them."""
        key = (self._parts[name], state, id(role))
        if key not in self._claims:
            self._claims[key] = _Given(claims_inside(free, role))
        return self._claims[key].every()


class _Given:
    """What an iterator gives, for whoever asks and as often; it is asked only as far as somebody got."""

    def __init__(self, source: Iterator[Claim]) -> None:
        self._source = source
        self._known: list[Claim] = []

    def every(self) -> Iterator[Claim]:
        for place in count():
            if place == len(self._known):
                another = next(self._source, None)
                if another is None:
                    return
                self._known.append(another)
            yield self._known[place]


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
