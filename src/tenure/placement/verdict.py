"""Whether a domain carries all members, said by counting where counting is enough: yes, no, or only a search knows.

First each axis by itself, which costs next to nothing; then how many members each machine really takes, equal machines
in equal states once; of several roles also how many it takes beside each other. Of those only a no is ever said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tenure.placement.beside import Corner, too_many_beside
from tenure.placement.carries import Carrying, too_much_together
from tenure.placement.demand import Role
from tenure.placement.question import Question
from tenure.placement.remains import Each, Remains


class Verdict:
    """The verdicts at one start, for roles of these sizes. ``room``: upper limits a role and machine, axis by axis."""

    def __init__(
        self,
        question: Question,
        roles: Sequence[Role],
        free: Remains,
        left: Mapping[str, int],
        room: Sequence[Each[int]],
    ) -> None:
        self._question = question
        self._roles = roles
        self._free = free
        self._left = left
        self._room = room
        self._carrying = [Carrying(question, role, left) for role in roles]
        self._corners: dict[object, list[Corner]] = {}

    def of(self, names: Sequence[str]) -> bool | None:
        """True or False where it is certain."""
        if self.hopeless(names):
            return False
        return self.closely(names)

    def hopeless(self, names: Sequence[str]) -> bool:
        """Whether the axes, the budgets and the spread leave too little, each axis by itself."""
        for role, carrying, room in zip(self._roles, self._carrying, self._room, strict=True):
            if carrying.between(names, room, None, role.count).most < role.count:
                return True
        return len(self._roles) > 1 and too_much_together(self._question, self._roles, names, self._free, self._left)

    def closely(self, names: Sequence[str]) -> bool | None:
        """The same by what each machine takes: False, or True for a single role."""
        at_most: list[Mapping[int, int]] = []
        for role, carrying, room in zip(self._roles, self._carrying, self._room, strict=True):
            sure, most = self._counted(names, role, room)
            at_most.append(most.of_sort)
            carried = carrying.between(names, most, sure, role.count)
            if carried.most < role.count:
                return False
            if len(self._roles) == 1 and carried.sure >= role.count:
                return True
        if len(self._roles) > 1 and self._beside(names, at_most):
            return False
        return None

    def _beside(self, names: Sequence[str], most: Sequence[Mapping[int, int]]) -> bool:
        return too_many_beside(self._free, self._free.mix(names), self._roles, most, self._corners)

    def _counted(self, names: Sequence[str], role: Role, room: Each[int]) -> tuple[Each[int], Each[int]]:
        """What each machine carries, surely and at most; of each sort that is among these."""
        free, inside = self._free, self._question.inside
        limits = room.of_sort
        counted = {
            sort: inside.count(free.ones[sort], role, min(limits[sort], role.count)) for sort, _ in free.mix(names)
        }
        sure = {sort: numbers[0] for sort, numbers in counted.items()}
        return Each(free, sure), Each(free, {sort: numbers[1] for sort, numbers in counted.items()})
