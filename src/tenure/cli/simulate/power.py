"""Power and heat of a simulated site: watts drawn of each budget, and what the budgets still bear. Pure columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.cli.simulate.jobs import Job
from tenure.placement import Budget, Fleet
from tenure.placement.gangs.tree import Rows
from tenure.placement.packing import BoolColumn

NONE = -1
NO_LIMIT = 2**31


@dataclass(slots=True)
class Power:
    """Watts drawn, and to be cooled, of each budget beside its limit; int64 [budgets]."""

    budgets: tuple[Budget, ...]
    above: Rows  # [sorts of budget, machines]: the budget over each machine, or NONE
    rows: list[Rows]
    limit: Rows
    used: Rows
    device_mw: Rows
    core_mw: Rows

    @classmethod
    def of(cls, fleet: Fleet) -> Power:
        """Budgets of power and cooling that full machines could exceed, with the rows of their domains."""
        budgets = tuple(b for b in fleet.budgets if b.name in ("power", "cooling"))
        levels = tuple(dict.fromkeys((b.name, b.level) for b in budgets))
        number_of = {(b.name, b.level, b.domain): number for number, b in enumerate(budgets)}
        above = np.array(
            [[number_of.get((*level, m.domain(level[1]) or ""), NONE) for m in fleet.machines] for level in levels],
            dtype=np.int64,
        ).reshape(len(levels), len(fleet.machines))
        rows: list[list[int]] = [[] for _ in budgets]
        for row, number in ((row, n) for level in above.tolist() for row, n in enumerate(level) if n != NONE):
            rows[number].append(row)
        return cls(
            budgets,
            above,
            [np.array(own, dtype=np.int64) for own in rows],
            np.array([b.limit - b.base for b in budgets], dtype=np.int64),
            np.zeros(len(budgets), dtype=np.int64),
            np.array([max((d.power.rated_mw or 0 for d in m.devices), default=0) for m in fleet.machines]),
            np.array([m.core_power.rated_mw or 0 for m in fleet.machines]),
        )

    @property
    def narrow_first(self) -> list[int]:
        """The numbers of the budgets, those of small domains first."""
        return sorted(range(len(self.budgets)), key=lambda number: len(self.rows[number]))

    def member(self, job: Job) -> Rows:
        """What one member of a job draws on each machine, in mW."""
        device = self.device_mw * (job.gpus * job.gpu_milli) // 1000
        total: Rows = device + self.core_mw * job.cpu_milli // 1000
        return total

    def by_budget(self, draws: Rows, rows: Rows, members: Rows) -> Rows:
        """What members on these machines draw of each budget."""
        total = np.zeros(len(self.budgets), dtype=np.int64)
        drawn = draws[rows] * members
        for level in self.above:
            own = level[rows]
            np.add.at(total, own[own != NONE], drawn[own != NONE])
        return total

    def breaks(self, taken: Rows) -> bool:
        """Whether so much more is too much for a budget. What draws nothing of one is nothing to it."""
        return bool(((taken > 0) & (self.used + taken > self.limit)).any())

    def alone(self, draws: Rows) -> Rows:
        """Members that each machine could run if it alone drew power from here on; int64 [machines]."""
        most = np.full(len(draws), NO_LIMIT, dtype=np.int64)
        drawing = draws > 0
        for number, rows in enumerate(self.rows):
            own = rows[drawing[rows]]
            most[own] = np.minimum(most[own], self._room(number) // draws[own])
        return most

    def powered(self, draws: Rows, places: Rows) -> tuple[Rows, Rows]:
        """(so many of these places, by machine, as all budgets bear together; how many each budget took away).

        Where domains nest there is no larger choice: narrow budgets come first, and in each the machines that draw
        least. Where they overlap it is a choice that fits, not always the largest.
        """
        kept, taken = places.copy(), np.zeros(len(self.budgets), dtype=np.int64)
        drawing = draws > 0
        for number in self.narrow_first:
            own = self.rows[number][(drawing & (kept > 0))[self.rows[number]]]
            own = own[np.argsort(draws[own], kind="stable")]
            room = self._room(number)
            drawn = np.minimum(kept[own], room // draws[own] + 1) * draws[own]
            borne = np.minimum(kept[own], np.maximum(0, room - (np.cumsum(drawn) - drawn)) // draws[own])
            taken[number] = int((kept[own] - borne).sum())
            kept[own] = borne
        return kept, taken

    def binding(self, draws: Rows, places: Rows) -> str:
        """The id of the budget that takes most of these places away; nothing where none takes any."""
        taken = self.powered(draws, places)[1]
        return self.budgets[int(taken.argmax())].id if taken.any() else ""

    def bears(self, draws: Rows, used: Rows) -> BoolColumn:
        """Where one member more is within every budget, when so much is drawn of them; bool [machines]."""
        borne = np.ones(len(draws), dtype=np.bool_)
        for number, rows in enumerate(self.rows):
            borne[rows] &= (draws[rows] == 0) | (used[number] + draws[rows] <= self.limit[number])
        return borne

    def _room(self, number: int) -> int:
        return max(0, int(self.limit[number] - self.used[number]))
