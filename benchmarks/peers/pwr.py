"""PWR (CCGrid 2025): go where the fewest watts are added; and its weighted sum with FGD.

Scores are normalised to 0..100 over the machines that fit, as the plugin does, before they are added.
"""

from __future__ import annotations

import numpy as np

from benchmarks.peers.cached import Cached, Scorer, Slots
from benchmarks.peers.simple import fullest_slots
from tenure.placement.packing import ClassTable, FleetState, FloatColumn, Watts


class Pwr:
    def __init__(self, state: FleetState, classes: ClassTable, watts: Watts) -> None:
        self._state, self._classes, self._watts = state, classes, watts

    def machine(self, machine: int) -> tuple[FloatColumn, Slots]:
        state, classes = self._state, self._classes
        count = len(classes)
        share = classes.share_milli[:count]
        left = state.device_free[machine]
        slots = fullest_slots(state, classes, machine)
        touched = np.where(share > 0, left[slots] == 1000, classes.whole_count[:count])
        devices, packages = self._watts.added(state, np.full(count, machine), classes.cpu_milli[:count], touched)
        score = -(devices + packages)
        score[~state.fits_machine(classes, machine)] = -np.inf
        return score, slots


class Combined(Cached):
    """weight x PWR + (1 - weight) x FGD; shares go to FGD's device."""

    def __init__(self, pwr: Scorer, fgd: Scorer, weight: float, state: FleetState, classes: ClassTable) -> None:
        self._pwr = Cached(pwr, state, classes)
        self._weight = weight
        super().__init__(fgd, state, classes)

    def touched(self, machine: int) -> None:
        self._pwr.touched(machine)
        super().touched(machine)

    def ranking(self, index: int) -> FloatColumn:
        return self._weight * _normal(self._pwr.scores[index]) + (1 - self._weight) * _normal(self.scores[index])


def _normal(scores: FloatColumn) -> FloatColumn:
    fits = scores > -np.inf
    if not fits.any():
        return scores
    low, high = scores[fits].min(), scores[fits].max()
    return np.where(fits, np.floor((scores - low) / max(high - low, 1e-9) * 100) if high > low else 100.0, -np.inf)
