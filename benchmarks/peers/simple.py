"""Random and BestFit."""

from __future__ import annotations

import numpy as np

from benchmarks.peers.cached import Cached, Slots
from tenure.placement.packing import ClassTable, FleetState, FloatColumn

BEST_FIT_CPU_MILLI = 128_000
BEST_FIT_DEVICE_MILLI = 8_000


def fullest_slots(state: FleetState, classes: ClassTable, machine: int) -> Slots:
    """For each class the fullest device that still holds its share."""
    left = state.device_free[machine]
    gap = left - classes.share_milli[: len(classes), None]
    slots: Slots = np.where(gap >= 0, gap, 1 << 20).argmin(axis=1).astype(np.int8)
    return slots


class BestFit:
    """Least left over, CPU and devices weighed alike (fractions of the largest machine)."""

    def __init__(self, state: FleetState, classes: ClassTable) -> None:
        self._state, self._classes = state, classes

    def machine(self, machine: int) -> tuple[FloatColumn, Slots]:
        state, classes = self._state, self._classes
        count = len(classes)
        cpu_left = state.cpu_free[machine] - classes.cpu_milli[:count]
        device_left = state.device_free[machine].sum() - classes.device_milli[:count]
        left = 0.5 * cpu_left / BEST_FIT_CPU_MILLI + 0.5 * device_left / BEST_FIT_DEVICE_MILLI
        score = np.floor(100 * (1 - left))
        score[~state.fits_machine(classes, machine)] = -np.inf
        return score, fullest_slots(state, classes, machine)


class Random(Cached):
    """Any machine that fits, any device in it that fits."""

    def __init__(self, state: FleetState, classes: ClassTable, seed: int) -> None:
        self._random = np.random.default_rng([seed, 1])
        self._classes = classes
        super().__init__(self, state, classes)

    def machine(self, machine: int) -> tuple[FloatColumn, Slots]:
        fits = self._state.fits_machine(self._classes, machine)
        return np.where(fits, 0.0, -np.inf), np.zeros(len(fits), dtype=np.int8)

    def choose(self, index: int) -> tuple[int, tuple[int, ...]] | None:
        fitting = np.flatnonzero(self.scores[index] == 0.0)
        if not len(fitting):
            return None
        machine = int(self._random.choice(fitting))
        demand = self._classes.demands[index]
        if not demand.shares_device:
            return machine, self._state.slots_for(machine, demand)
        slots = np.flatnonzero(self._state.device_free[machine] >= demand.device_milli)
        return machine, (int(self._random.choice(slots)),)
