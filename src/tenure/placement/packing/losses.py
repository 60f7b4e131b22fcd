"""What placing costs: the worth a machine loses, the scarce models, blocks and spare CPU it takes from others, the
watts it adds.

Evaluated for a batch of machines and all shapes at once. A shape is what two classes share that differ only in memory
or allowed models: CPU, share of a device, whole devices. A taking is what two shapes share that differ only in CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tenure.placement.packing.blocks import Blocks
from tenure.placement.packing.columns import FleetState
from tenure.placement.packing.demand import WHOLE_DEVICE_MILLI, BoolColumn, ClassTable, FloatColumn, IntColumn
from tenure.placement.packing.mix import LEVELS, Floats
from tenure.placement.packing.scarcity import MODELS, charged
from tenure.placement.packing.spare import Spare
from tenure.placement.packing.value import Tables
from tenure.placement.packing.weights import PowerPrice

Slots = npt.NDArray[np.int8]
Losses = npt.NDArray[np.float32]

_EARLIER: BoolColumn = np.tri(128, k=-1, dtype=np.bool_)
"""[slot, other]: whether the other comes before. A slot is a signed byte, so there are no more."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """Distinct (CPU, share, whole devices) of a class table as columns, and their distinct (share, whole devices).

    Of S shapes: cpu_milli, device_milli, whole_count int64 [S]; cpus float32 [S], the same in CPUs. Of T takings:
    takings_share, takings_whole int64 [T], thousandths and devices; takings_slots bool [T, widest], the slots at which
    one is looked at; takings_shapes bool [T, S], the shapes that take so.
    """

    cpu_milli: IntColumn
    cpus: Losses
    device_milli: IntColumn
    whole_count: IntColumn
    takings_share: IntColumn
    takings_whole: IntColumn
    takings_slots: BoolColumn
    takings_shapes: BoolColumn

    @classmethod
    def of(cls, shapes: Sequence[tuple[int, int, int]], widest: int) -> Shapes:
        """From (CPU thousandths, share of a device, whole devices), all different."""
        cpu, share, whole = np.array(shapes, dtype=np.int64).reshape(-1, 3).T
        takings = list(dict.fromkeys(shape[1:] for shape in shapes))
        taking = np.array(takings, dtype=np.int64).reshape(-1, 2)
        return cls(
            cpu_milli=cpu,
            cpus=(cpu / 1000).astype(np.float32),
            device_milli=share + WHOLE_DEVICE_MILLI * whole,
            whole_count=whole,
            takings_share=taking[:, 0],
            takings_whole=taking[:, 1],
            # What takes no share is the same at every slot and looked at once.
            takings_slots=(taking[:, :1] > 0) | (np.arange(widest) == 0),
            takings_shapes=(taking[:, :1] == share) & (taking[:, 1:] == whole),
        )


@dataclass(slots=True)
class ShapeTable:
    """Interns the shapes of a class table's classes. of_class: int64 [C], the shape of each class."""

    widest: int
    of_class: IntColumn = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _known: dict[tuple[int, int, int], int] = field(default_factory=dict)
    _all: Shapes | None = None

    def add(self, classes: ClassTable, index: int) -> None:
        """Take in a new class."""
        place = self._known.setdefault(_shape(classes, index), len(self._known))
        self.of_class = np.append(self.of_class, place)
        self._all = None

    def all(self) -> Shapes:
        if self._all is None:
            self._all = Shapes.of(list(self._known), self.widest)
        return self._all

    def only(self, classes: ClassTable, index: int) -> Shapes:
        return Shapes.of([_shape(classes, index)], self.widest)


def _shape(classes: ClassTable, index: int) -> tuple[int, int, int]:
    return int(classes.cpu_milli[index]), int(classes.share_milli[index]), int(classes.whole_count[index])


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
        # A last plane of zeros stands for machines without devices. One table for both, so that one look-up serves.
        empty = _planes(tables.empty)
        self._device_at = len(empty)
        self._table = np.concatenate([empty, _planes(tables.device)])
        self._scarce, self._models, self._blocks = scarce, models, blocks
        self._spare = Spare.seen(tables.mix)
        self._power = power
        self._bits = 1 << np.arange(min(models, MODELS), dtype=np.int64)
        self._charges: dict[int, Floats] = {}
        self.charge = self._cost(classes, slice(0, len(classes)))

    def add(self, classes: ClassTable, index: int) -> None:
        """Take in a class that has arrived later."""
        self.charge = np.concatenate([self.charge, self._cost(classes, slice(index, index + 1))])

    def _cost(self, classes: ClassTable, chosen: slice) -> Floats:
        """[chosen, models + 1]: what classes pay a model for standing where others must, inf where they may not; those
        without devices pay nothing."""
        allows = classes.allows[chosen]
        cost = np.zeros(allows.shape)
        if self._scarce:
            allowed, place = np.unique(allows[:, :-1] @ self._bits, return_inverse=True)
            charges = np.stack([self._charged(mask) for mask in allowed.tolist()])
            cost[:, :-1] = (classes.device_milli[chosen] / WHOLE_DEVICE_MILLI)[:, None] * charges[place]
        cost[~allows] = np.inf
        return cost

    def _charged(self, allowed: int) -> Floats:
        if allowed not in self._charges:
            self._charges[allowed] = charged(self._scarce, allowed, self._models)
        return self._charges[allowed]

    def shape_losses(self, state: FleetState, machines: IntColumn, shapes: Shapes) -> tuple[FloatColumn, Slots]:
        """[B, shapes]: least loss in devices over the device slots (inf where CPU or devices do not fit), its slot.

        Shapes that take the same devices differ by CPU alone. So worth after the devices are gone is reckoned once a
        taking, what depends on no slot once a machine and shape, and only their sum for every way to place.
        """
        free, cpu_free, model = state.device_free[machines], state.cpu_free[machines], state.fleet.model[machines]
        levels = free * LEVELS // WHOLE_DEVICE_MILLI
        worth, empties = self._worth(levels, model, cpu_free)
        before = np.minimum.reduce(worth, axis=1)
        owner, taking, slot = _takings(free, empties, shapes)
        fits = cpu_free[:, None] >= shapes.cpu_milli
        way, shape = (shapes.takings_shapes[taking] & fits[owner]).nonzero()
        batch, width = owner[way], free.shape[1]
        cell = batch * len(shapes.cpu_milli) + shape
        share, whole = shapes.takings_share[taking], shapes.takings_whole[taking]
        left = free[owner, slot]
        opens = np.where(share > 0, left == WHOLE_DEVICE_MILLI, whole)
        after = self._after(
            worth[owner],
            model[owner],
            empties[owner],
            opens,
            np.where(share > 0, (left - share) * LEVELS // WHOLE_DEVICE_MILLI, 0),
            np.where((share > 0) & (opens == 0), levels[owner, slot], 0),
        )[way]
        after -= np.multiply.outer(shapes.cpus, self._prices)[shape]
        lost: FloatColumn = (before[batch] - np.minimum.reduce(after, axis=1)).astype(np.float64)
        idle = np.add.reduce(free, axis=1)
        lost += self._spare.cost(cpu_free[:, None], idle[:, None], shapes.cpu_milli, shapes.device_milli).take(cell)
        if self._power is not None:
            devices = self._power.devices(model[owner], opens)
            lost += devices[way] + self._power.packages(state, machines[:, None], shapes.cpu_milli).take(cell)
        if self._blocks is not None:
            blocks = self._blocks
            held = blocks.held(empties, cpu_free)[batch]
            held -= np.minimum(
                blocks.in_devices(empties[owner] - opens)[way],
                blocks.in_cpu(cpu_free[:, None] - shapes.cpu_milli).reshape(-1, held.shape[1])[cell],
            )
            lost += blocks.priced(held, model[batch], shapes.cpu_milli, shapes.whole_count, shape)
        by_slot = np.full(fits.size * width, np.inf)
        by_slot[cell * width + slot[way]] = lost
        by_slot = by_slot.reshape(-1, width)
        slots = by_slot.argmin(axis=1)  # of slots that cost the same, the first
        loss: FloatColumn = by_slot[np.arange(len(slots)), slots].reshape(fits.shape)
        return loss, slots.astype(np.int8).reshape(fits.shape)

    def _worth(self, levels: IntColumn, model: IntColumn, cpu_free: IntColumn) -> tuple[Losses, IntColumn]:
        """[B, prices] before the minimum, and how many devices are empty."""
        whole = levels == LEVELS
        empties = np.add.reduce(whole, axis=1)
        at = np.empty((len(levels), levels.shape[1] + 2), dtype=np.int64)
        at[:, 0] = model * self._widest + empties
        at[:, 1] = 0
        at[:, 2:] = np.where(whole, 0, levels) + (self._device_at + model * self._rows)[:, None]
        parts = self._table.take(at, axis=0)
        parts[:, 1] = self._prices * (cpu_free / 1000).astype(np.float32)[:, None]
        return np.add.reduce(parts, axis=1), empties

    def _after(
        self,
        worth: Losses,
        model: IntColumn,
        empties: IntColumn,
        opens: IntColumn,
        level_after: IntColumn,
        level_before: IntColumn,
    ) -> Losses:
        """Worth [ways, prices] without the devices taken; the first argument is overwritten."""
        at = model * self._widest + empties
        worth += self._table.take(at - opens, axis=0)
        worth -= self._table.take(at, axis=0)
        at = model * self._rows + self._device_at
        worth += self._table.take(at + level_after, axis=0)
        worth -= self._table.take(at + level_before, axis=0)
        return worth


def _planes(table: Floats) -> Losses:
    """[rows, models, prices] to [(models + 1) rows, prices], the last plane zero; single precision is a millionth of a
    device, far below what any choice turns on."""
    rows, models, prices = table.shape
    planes = np.zeros((models + 1, rows, prices), dtype=np.float32)
    planes[:models] = table.transpose(1, 0, 2)
    return planes.reshape(-1, prices)


def _takings(free: IntColumn, empties: IntColumn, shapes: Shapes) -> tuple[IntColumn, IntColumn, IntColumn]:
    """(machine, taking, slot) of all ways to take devices, in that order; devices with equal leftovers are one way."""
    width = free.shape[1]
    first = ~((free[:, :, None] == free[:, None, :]) & _EARLIER[:width, :width]).any(axis=2)
    ways = free[:, None, :] >= shapes.takings_share[:, None]
    ways &= first[:, None, :]
    ways &= shapes.takings_slots
    ways &= (empties[:, None] >= shapes.takings_whole)[:, :, None]
    owner, taking, slot = ways.nonzero()
    return owner, taking, slot
