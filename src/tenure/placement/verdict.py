"""Whether a domain carries all members, said by counting where counting is enough: yes, no, or only a search knows.

First each axis by itself, which costs next to nothing; then how many members each machine really takes, equal machines
in equal states once. Of several roles only a no is ever said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tenure.placement import derived
from tenure.placement.calendar import Free
from tenure.placement.carries import Carrying, too_much_together
from tenure.placement.demand import Role
from tenure.placement.question import Question

NOTHING: Mapping[str, int] = {}


class Verdict:
    """The verdicts at one start, for roles of these sizes. ``room``: upper limits a role and machine, axis by axis."""

    def __init__(
        self,
        question: Question,
        roles: Sequence[Role],
        free: Mapping[str, Free],
        left: Mapping[str, int],
        room: Sequence[Mapping[str, int]],
    ) -> None:
        self._question = question
        self._roles = roles
        self._free = free
        self._left = left
        self._room = room
        self._carrying = [Carrying(question, role, left) for role in roles]

    def of(self, names: Sequence[str]) -> bool | None:
        """True or False where it is certain."""
        if self.hopeless(names):
            return False
        return self.closely(names)

    def hopeless(self, names: Sequence[str]) -> bool:
        """Whether the axes, the budgets and the spread leave too little, each axis by itself."""
        for role, carrying, room in zip(self._roles, self._carrying, self._room, strict=True):
            if carrying.between(names, room, NOTHING, role.count).most < role.count:
                return True
        return len(self._roles) > 1 and too_much_together(self._question, self._roles, names, self._free, self._left)

    def closely(self, names: Sequence[str]) -> bool | None:
        """The same by what each machine takes: False, or True for a single role."""
        for role, carrying, room in zip(self._roles, self._carrying, self._room, strict=True):
            sure, most = self._counted(names, role, room)
            carried = carrying.between(names, most, sure, role.count)
            if carried.most < role.count:
                return False
            if len(self._roles) == 1 and carried.sure >= role.count:
                return True
        return None

    def _counted(
        self, names: Sequence[str], role: Role, room: Mapping[str, int]
    ) -> tuple[dict[str, int], dict[str, int]]:
        """What each machine carries, surely and at most. One with nothing on it stands for all of its kind."""
        kinds, whole = derived.kinds(self._question.fleet), derived.whole(self._question.fleet)
        of_kind: dict[int, tuple[int, int]] = {}
        sure: dict[str, int] = {}
        most: dict[str, int] = {}
        for name in names:
            free, kind = self._free[name], kinds[name]
            empty = free is whole[name]
            counted = of_kind.get(kind) if empty else None
            if counted is None:
                counted = self._question.inside.count(free, role, min(room[name], role.count))
                if empty:
                    of_kind[kind] = counted
            sure[name], most[name] = counted
        return sure, most
