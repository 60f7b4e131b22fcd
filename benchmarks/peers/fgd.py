"""Fragmentation gradient descent (Weng, Yang et al., ATC 2023): go where the expected fragmentation grows least.

Fragmentation of a machine for a target class: all its idle device share where the class does not fit, needs no device
or may not use the model; else the share on devices too small for it. Targets are the most frequent classes of (CPU,
device milli, count, models), until 95 % of the tasks. Score = floor(100 sigmoid((before - after) / 1000)).

Scores tie, and what decides them is whether a loss that should not change is seen not to: 50, or 49. So losses are
added up as the published programme adds them, by kind of loss and target after target, and never as a product whose
order of summation depends on how many states are asked for at once.
"""

from __future__ import annotations

import numpy as np

from benchmarks.peers.cached import Slots
from tenure.placement.packing import BoolColumn, ClassTable, FleetState, FloatColumn, IntColumn

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
        # Divided twice, as published: by all tasks, then by the share that the targets are of them.
        every = float(counts.sum())
        self._frequency = np.array([weight for _, weight in ranked[:kept]]) / every / (total / every)
        self._target_cpu = classes.cpu_milli[targets]
        self._target_whole = np.maximum(1, classes.whole_count[targets])
        wants = np.where(classes.share_milli[targets] > 0, classes.share_milli[targets], 1000)
        self._sizes, self._target_size = np.unique(wants, return_inverse=True)
        has_device = classes.device_milli[targets] > 0
        self._cpu_only = np.flatnonzero(~has_device)
        # by model (the last is of machines without devices): targets that may use it, and those that may not
        allowed = classes.allows[targets].T & has_device
        self._usable = [np.flatnonzero(row) for row in allowed]
        self._barred = [np.flatnonzero(has_device & ~row) for row in allowed]

    def fragmentation(self, model: int, cpu: IntColumn, left: IntColumn) -> FloatColumn:
        """Milli, for P states of one machine: cpu [P], left [P, slots]."""
        idle = left.sum(axis=1)
        usable = self._usable[model]
        size = self._target_size[usable]
        enough = left[:, None, :] >= self._sizes[None, :, None]
        fits = enough.sum(axis=2)[:, size] >= self._target_whole[usable]
        small = idle[:, None] - np.einsum("pus,ps->pu", enough, left)[:, size]
        has_cpu = cpu[:, None] >= self._target_cpu[usable]
        every = self._frequency[usable] * idle[:, None]
        of_cpu_only = self._frequency[self._cpu_only] * idle[:, None]
        cpu_only_fits = cpu[:, None] >= self._target_cpu[self._cpu_only]
        lost: FloatColumn = in_turn(every, ~fits & ~has_cpu)
        lost += in_turn(np.where(fits, self._frequency[usable] * small, every), has_cpu)
        lost += in_turn(every, fits & ~has_cpu)
        lost += in_turn(of_cpu_only, cpu_only_fits)
        lost += in_turn(of_cpu_only, ~cpu_only_fits)
        barred = self._frequency[self._barred[model]] * idle[:, None]
        return lost + in_turn(barred, np.ones_like(barred, dtype=np.bool_))

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
            gained = np.floor(1 / (1 + np.exp((after - before) / 1000)) * 100)
            # of several devices the first best, found by writing the best last
            best = np.lexsort((-slot, gained))
            score[shape[best]] = gained[best]
            slots[shape[best]] = slot[best]
        result = score[self._shape_of]
        result[~state.fits_machine(self._classes, machine)] = -np.inf
        return result, slots[self._shape_of]


def in_turn(amounts: FloatColumn, counted: BoolColumn) -> FloatColumn:
    """Sums [P] over targets of those amounts [P, targets] that are counted, added one after another from the first."""
    if not amounts.shape[1]:
        return np.zeros(len(amounts))
    total: FloatColumn = np.cumsum(np.where(counted, amounts, 0.0), axis=1)[:, -1]
    return total
