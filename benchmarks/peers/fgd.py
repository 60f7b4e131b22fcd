"""Fragmentation gradient descent (Weng, Yang et al., ATC 2023): go where the expected fragmentation grows least.

Fragmentation of a machine for a target class: all its idle device share where the class does not fit, needs no device
or may not use the model; else the share on devices too small for it. Targets are the most frequent classes of (CPU,
device milli, count, models), until 95 % of the tasks. Score = floor(100 sigmoid((before - after) / 1000)).
"""

from __future__ import annotations

import numpy as np

from benchmarks.peers.cached import Slots
from tenure.placement.packing import ClassTable, FleetState, FloatColumn, IntColumn

TARGET_SHARE = 0.95


class Fgd:
    def __init__(self, state: FleetState, classes: ClassTable, counts: IntColumn) -> None:
        self._state, self._classes = state, classes
        self._shapes(classes)
        self._targets(classes, counts)

    def _shapes(self, classes: ClassTable) -> None:
        """Classes that differ only in memory and models score alike: score each shape once."""
        count = len(classes)
        columns = np.stack([classes.cpu_milli[:count], classes.share_milli[:count], classes.whole_count[:count]], 1)
        shapes, self._shape_of = np.unique(columns, axis=0, return_inverse=True)
        self._shape_of = self._shape_of.reshape(-1)
        self._cpu, self._share, self._whole = shapes.T.copy()

    def _targets(self, classes: ClassTable, counts: IntColumn) -> None:
        weights: dict[tuple[int, int, int, str], int] = {}
        first: dict[tuple[int, int, int, str], int] = {}
        for index, demand in enumerate(classes.demands):
            milli = demand.device_milli if demand.device_count else 0
            key = (demand.cpu_milli, milli, demand.device_count, "|".join(demand.models))
            weights[key] = weights.get(key, 0) + int(counts[index])
            first.setdefault(key, index)
        # Of equally frequent classes the larger comes first, as published.
        ranked = sorted(weights.items(), key=lambda item: (item[1], item[0]), reverse=True)
        kept, total = 0, 0
        while kept < len(ranked) and total < TARGET_SHARE * counts.sum():
            total += ranked[kept][1]
            kept += 1
        targets = np.array([first[key] for key, _ in ranked[:kept]])
        frequency = np.array([weight for _, weight in ranked[:kept]]) / total
        self._target_cpu = classes.cpu_milli[targets]
        self._target_whole = classes.whole_count[targets]
        wants = np.where(classes.share_milli[targets] > 0, classes.share_milli[targets], 1000)
        self._sizes, self._target_size = np.unique(wants, return_inverse=True)
        has_device = classes.device_milli[targets] > 0
        # frequency of targets that may use a model at all, [models + 1, targets]
        self._usable = (classes.allows[targets].T & has_device) * frequency
        self._total_frequency = float(frequency.sum())

    def fragmentation(self, model: int, cpu: IntColumn, left: IntColumn) -> FloatColumn:
        """Milli, for P states of one machine: cpu [P], left [P, slots]."""
        idle = left.sum(axis=1)
        enough = left[:, None, :] >= self._sizes[None, :, None]
        big_count = enough.sum(axis=2)
        big_left = np.einsum("pus,ps->pu", enough, left)
        fits = (cpu[:, None] >= self._target_cpu) & (
            big_count[:, self._target_size] >= np.maximum(1, self._target_whole)
        )
        useful = np.where(fits, big_left[:, self._target_size], 0) @ self._usable[model]
        lost: FloatColumn = self._total_frequency * idle - useful
        return lost

    def machine(self, machine: int) -> tuple[FloatColumn, Slots]:
        state = self._state
        left = state.device_free[machine]
        model = int(state.fleet.model[machine])
        cpu = int(state.cpu_free[machine])
        empty = left == 1000
        fits = (self._cpu <= cpu) & (self._whole <= empty.sum())
        # a share may go to any device; devices with equal leftovers are one option
        distinct = np.zeros(len(left), dtype=bool)
        distinct[np.unique(left, return_index=True)[1]] = True
        options = (left >= self._share[:, None]) & distinct
        options[self._share == 0] = False
        options[self._share == 0, 0] = True
        shape, slot = np.nonzero(options & fits[:, None])
        score = np.full(len(self._cpu), -np.inf)
        slots = np.zeros(len(self._cpu), dtype=np.int8)
        if len(shape):
            taken = np.zeros((len(shape), len(left)), dtype=np.int64)
            taken[np.arange(len(shape)), slot] = self._share[shape]
            taken += (empty & (np.cumsum(empty) <= self._whole[shape][:, None])) * 1000
            after = self.fragmentation(model, cpu - self._cpu[shape], left - taken)
            before = self.fragmentation(model, np.array([cpu]), left[None])[0]
            gained = np.floor(100 / (1 + np.exp((after - before) / 1000)))
            # of several devices the first best, found by writing the best last
            best = np.lexsort((-slot, gained))
            score[shape[best]] = gained[best]
            slots[shape[best]] = slot[best]
        result = score[self._shape_of]
        result[~state.fits_machine(self._classes, machine)] = -np.inf
        return result, slots[self._shape_of]
