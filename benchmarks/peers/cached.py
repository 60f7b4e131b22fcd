"""Scores kept a class and machine, rescored where touched; the best is the first row of the highest score."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from tenure.placement.packing import ClassTable, FleetState, FloatColumn

Slots = npt.NDArray[np.int8]


class Scorer(Protocol):
    def machine(self, machine: int) -> tuple[FloatColumn, Slots]:
        """Of one machine now: score of each class (-inf where it does not fit), device slot for a share."""


class Cached:
    def __init__(self, scorer: Scorer, state: FleetState, classes: ClassTable) -> None:
        self._scorer = scorer
        self._demands = classes.demands
        self._state = state
        machines, count = len(state.fleet), len(classes)
        self.scores: FloatColumn = np.empty((count, machines))
        self.slots: Slots = np.zeros((count, machines), dtype=np.int8)
        fleet = state.fleet
        alike: dict[tuple[int, ...], int] = {}
        for machine in range(machines):
            key = (
                int(fleet.cpu_milli[machine]),
                int(fleet.memory_bytes[machine]),
                int(fleet.devices[machine]),
                int(fleet.model[machine]),
            )
            first = alike.setdefault(key, machine)
            if first == machine:
                self.touched(machine)
            else:
                self.scores[:, machine] = self.scores[:, first]
                self.slots[:, machine] = self.slots[:, first]

    def touched(self, machine: int) -> None:
        self.scores[:, machine], self.slots[:, machine] = self._scorer.machine(machine)

    def ranking(self, index: int) -> FloatColumn:
        row: FloatColumn = self.scores[index]
        return row

    def choose(self, index: int) -> tuple[int, tuple[int, ...]] | None:
        ranking = self.ranking(index)
        machine = int(ranking.argmax())
        if ranking[machine] == -np.inf:
            return None
        return machine, self._slots(index, machine)

    def _slots(self, index: int, machine: int) -> tuple[int, ...]:
        demand = self._demands[index]
        if demand.shares_device:
            return (int(self.slots[index, machine]),)
        return self._state.slots_for(machine, demand)
