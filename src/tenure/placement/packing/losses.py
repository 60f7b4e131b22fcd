"""What placing costs: the worth a machine loses, the scarce models, blocks and spare CPU it takes from others, the
watts it adds.

Evaluated for a batch of machines and all shapes at once. A shape is what two classes share that differ only in memory
or allowed models: CPU, share of a device, whole devices.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tenure.placement.packing.blocks import Blocks
from tenure.placement.packing.columns import FleetState
from tenure.placement.packing.demand import WHOLE_DEVICE_MILLI, ClassTable, FloatColumn, IntColumn
from tenure.placement.packing.mix import LEVELS, Floats
from tenure.placement.packing.scarcity import MODELS, charged
from tenure.placement.packing.spare import Spare
from tenure.placement.packing.value import Tables
from tenure.placement.packing.weights import PowerPrice

Slots = npt.NDArray[np.int8]
Losses = npt.NDArray[np.float32]


@dataclass(slots=True)
class Shapes:
    """Distinct (CPU, share, whole devices) of a class table, as columns."""

    cpu_milli: IntColumn = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    share_milli: IntColumn = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    whole_count: IntColumn = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    of_class: IntColumn = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _known: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def add(self, classes: ClassTable, index: int) -> None:
        """Take in a new class."""
        shape = (int(classes.cpu_milli[index]), int(classes.share_milli[index]), int(classes.whole_count[index]))
        place = self._known.setdefault(shape, len(self._known))
        if place == len(self.cpu_milli):
            self.cpu_milli = np.append(self.cpu_milli, shape[0])
            self.share_milli = np.append(self.share_milli, shape[1])
            self.whole_count = np.append(self.whole_count, shape[2])
        self.of_class = np.append(self.of_class, place)


class Pricing:
    """One epoch's prices, in the form that evaluating needs. Immutable but for classes that arrive later."""

    def __init__(
        self,
        tables: Tables,
        scarce: dict[int, Floats],
        blocks: Blocks | None,
        power: PowerPrice | None,
        classes: ClassTable,
    ) -> None:
        self._prices = tables.prices.astype(np.float32)
        self._rows, models = tables.device.shape[:2]
        self._widest = tables.empty.shape[0]
        # A last plane of zeros stands for machines without devices.
        self._device = _planes(tables.device)
        self._empty = _planes(tables.empty)
        self._scarce, self._models, self._blocks = scarce, models, blocks
        self._spare = Spare.seen(tables.mix)
        self._power = power
        self._bits = 1 << np.arange(min(models, MODELS), dtype=np.int64)
        self._charges: dict[int, Floats] = {}
        self.charge = np.stack([np.zeros(models + 1), *(self._cost(classes, index) for index in range(len(classes)))])[
            1:
        ]

    def add(self, classes: ClassTable, index: int) -> None:
        """What a class pays a model for standing where others must; classes without devices pay nothing."""
        self.charge = np.concatenate([self.charge, self._cost(classes, index)[None]])

    def _cost(self, classes: ClassTable, index: int) -> Floats:
        cost = np.zeros(self._models + 1)
        taken = classes.demands[index].total_device_milli / WHOLE_DEVICE_MILLI
        if taken and self._scarce:
            allowed = int(self._bits @ classes.allows[index, :-1])
            if allowed not in self._charges:
                self._charges[allowed] = charged(self._scarce, allowed, self._models)
            cost[:-1] = taken * self._charges[allowed]
        return cost

    def shape_losses(
        self, state: FleetState, machines: IntColumn, cpu: IntColumn, share: IntColumn, whole: IntColumn
    ) -> tuple[FloatColumn, Slots]:
        """[B, shapes]: least loss in devices over the device slots (inf where CPU or devices do not fit), its slot."""
        free = state.device_free[machines]
        model = state.fleet.model[machines]
        levels = free * LEVELS // WHOLE_DEVICE_MILLI
        worth, empties = self._worth(levels, model, (state.cpu_free[machines] / 1000).astype(np.float32))
        before = worth.min(axis=1)
        batch, shape, slot = _options(free, empties, state.cpu_free[machines], cpu, share, whole)
        loss = np.full((len(machines), len(cpu)), np.inf)
        slots = np.zeros(loss.shape, dtype=np.int8)
        if not len(batch):
            return loss, slots
        left = free[batch, slot]
        shares = share[shape] > 0
        opens = np.where(shares, left == WHOLE_DEVICE_MILLI, whole[shape])
        started = shares & (opens == 0)
        plane = model[batch]
        after = worth[batch]
        after += np.take(self._empty, plane * self._widest + empties[batch] - opens, axis=0)
        after -= np.take(self._empty, plane * self._widest + empties[batch], axis=0)
        level = np.where(shares, (left - share[shape]) * LEVELS // WHOLE_DEVICE_MILLI, 0)
        after += np.take(self._device, plane * self._rows + level, axis=0)
        after -= np.take(self._device, plane * self._rows + np.where(started, levels[batch, slot], 0), axis=0)
        after -= self._prices * (cpu[shape] / 1000).astype(np.float32)[:, None]
        free_cpu = state.cpu_free[machines][batch]
        taken = share[shape] + WHOLE_DEVICE_MILLI * whole[shape]
        lost: FloatColumn = (before[batch] - after.min(axis=1)).astype(np.float64)
        lost += self._spare.cost(free_cpu, free.sum(axis=1)[batch], cpu[shape], taken)
        if self._power is not None:
            lost += self._power.cost(state, machines[batch], plane, cpu[shape], opens)
        if self._blocks is not None:
            lost += self._blocks.cost(plane, empties[batch], free_cpu, opens, cpu[shape], whole[shape])
        _least(lost, batch * len(cpu) + shape, slot, loss.reshape(-1), slots.reshape(-1))
        return loss, slots

    def _worth(self, levels: IntColumn, model: IntColumn, cpu_free: Losses) -> tuple[Losses, IntColumn]:
        empties = np.count_nonzero(levels == LEVELS, axis=1)
        started = np.where(levels == LEVELS, 0, levels)
        worth = np.take(self._empty, model * self._widest + empties, axis=0) + self._prices * cpu_free[:, None]
        for slot in range(levels.shape[1]):
            if started[:, slot].any():
                worth += np.take(self._device, model * self._rows + started[:, slot], axis=0)
        return worth, empties


def _planes(table: Floats) -> Losses:
    """[rows, models, prices] to [(models + 1) rows, prices], the last plane zero; single precision is a millionth of a
    device, far below what any choice turns on."""
    rows, models, prices = table.shape
    planes = np.zeros((models + 1, rows, prices), dtype=np.float32)
    planes[:models] = table.transpose(1, 0, 2)
    return planes.reshape(-1, prices)


def _options(
    free: IntColumn, empties: IntColumn, cpu_free: IntColumn, cpu: IntColumn, share: IntColumn, whole: IntColumn
) -> tuple[IntColumn, IntColumn, IntColumn]:
    """(machine, shape, slot) of all ways to place, in that order; devices with equal leftovers are one way."""
    width = free.shape[1]
    repeated = ((free[:, :, None] == free[:, None, :]) & np.tri(width, k=-1, dtype=np.bool_)).any(axis=2)
    ways = (free[:, None, :] >= share[:, None]) & ~repeated[:, None, :]
    ways[:, share == 0, 1:] = False
    ways[:, share == 0, 0] = True
    ways &= ((cpu_free[:, None] >= cpu) & (empties[:, None] >= whole))[:, :, None]
    batch, shape, slot = np.nonzero(ways)
    return batch, shape, slot


def _least(lost: FloatColumn, cell: IntColumn, slot: IntColumn, loss: FloatColumn, slots: Slots) -> None:
    """Write each cell's least loss and the first slot that reaches it; entries of a cell stand together."""
    starts = np.concatenate([[0], np.flatnonzero(cell[1:] != cell[:-1]) + 1])
    least = np.minimum.reduceat(lost, starts)
    loss[cell[starts]] = least
    reaching = np.flatnonzero(lost == loss[cell])[::-1]
    slots[cell[reaching]] = slot[reaching]
