"""The fleet as columns: what every machine has, and what of it is free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tenure.placement.packing.demand import WHOLE_DEVICE_MILLI, BoolColumn, ClassTable, Demand, IntColumn


@dataclass(frozen=True, slots=True)
class Fleet:
    """Capacities of N machines, one row each.

    names: N. cpu_milli, memory_bytes, devices: int64 [N]. model: int64 [N], index into `models`; len(models) where a
    machine has no devices.
    """

    names: tuple[str, ...]
    cpu_milli: IntColumn
    memory_bytes: IntColumn
    devices: IntColumn
    model: IntColumn
    models: tuple[str, ...]

    @classmethod
    def of(cls, machines: Sequence[tuple[str, int, int, int, str]]) -> Fleet:
        """From rows of (name, cpu_milli, memory_bytes, devices, model)."""
        models = tuple(sorted({row[4] for row in machines if row[3]}))
        place = {model: index for index, model in enumerate(models)}
        return cls(
            names=tuple(row[0] for row in machines),
            cpu_milli=np.array([row[1] for row in machines], dtype=np.int64),
            memory_bytes=np.array([row[2] for row in machines], dtype=np.int64),
            devices=np.array([row[3] for row in machines], dtype=np.int64),
            model=np.array([place[row[4]] if row[3] else len(models) for row in machines], dtype=np.int64),
            models=models,
        )

    def __len__(self) -> int:
        return len(self.names)

    @property
    def device_milli(self) -> int:
        """Capacity in thousandths of devices."""
        return int(self.devices.sum()) * WHOLE_DEVICE_MILLI

    @property
    def widest(self) -> int:
        return max(1, int(self.devices.max(initial=0)))

    def copied(self, times: int) -> Fleet:
        """The same fleet `times` over, machines renamed NAME/COPY."""
        return Fleet(
            names=tuple(f"{name}/{copy}" for copy in range(times) for name in self.names) if times > 1 else self.names,
            cpu_milli=np.tile(self.cpu_milli, times),
            memory_bytes=np.tile(self.memory_bytes, times),
            devices=np.tile(self.devices, times),
            model=np.tile(self.model, times),
            models=self.models,
        )


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a demand went: machine row and device slots of that machine; freeing needs nothing else."""

    machine: int
    slots: tuple[int, ...]
    demand: Demand


class FleetState:
    """What is free now. Changed only by `allocate` and `free`, which are exact inverses.

    cpu_free, memory_free: int64 [N]. device_free: int64 [N, widest], thousandths; a slot that does not exist reads 0,
    which no demand can tell from a full device.
    """

    __slots__ = ("cpu_free", "device_free", "fleet", "memory_free", "placed_device_milli")

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.cpu_free = fleet.cpu_milli.copy()
        self.memory_free = fleet.memory_bytes.copy()
        slots = np.arange(fleet.widest)
        self.device_free: npt.NDArray[np.int64] = np.where(slots < fleet.devices[:, None], WHOLE_DEVICE_MILLI, 0)
        self.placed_device_milli = 0

    def allocate(self, machine: int, slots: tuple[int, ...], demand: Demand) -> Placement:
        """Take a demand's share of one machine.

        Raises ValueError, changing nothing, where the machine has not enough left.
        """
        devices = self.device_free[machine]
        if (
            self.cpu_free[machine] < demand.cpu_milli
            or self.memory_free[machine] < demand.memory_bytes
            or len(slots) != demand.device_count
            or any(devices[slot] < demand.device_milli for slot in slots)
        ):
            raise ValueError(f"machine {self.fleet.names[machine]} has not enough left for the demand")
        self.cpu_free[machine] -= demand.cpu_milli
        self.memory_free[machine] -= demand.memory_bytes
        for slot in slots:
            devices[slot] -= demand.device_milli
        self.placed_device_milli += demand.total_device_milli
        return Placement(machine=machine, slots=slots, demand=demand)

    def free(self, placement: Placement) -> None:
        """Give back what `allocate` took."""
        machine, demand = placement.machine, placement.demand
        self.cpu_free[machine] += demand.cpu_milli
        self.memory_free[machine] += demand.memory_bytes
        for slot in placement.slots:
            self.device_free[machine, slot] += demand.device_milli
        self.placed_device_milli -= demand.total_device_milli

    def slots_for(self, machine: int, demand: Demand) -> tuple[int, ...]:
        """Device slots by the inner rule that all policies share: the fullest device that fits a share, else the
        first empty devices. Empty where the demand needs none; raises ValueError where it does not fit."""
        if demand.device_count == 0:
            return ()
        devices = self.device_free[machine].tolist()
        if demand.shares_device:
            fitting = [(left, slot) for slot, left in enumerate(devices) if left >= demand.device_milli]
            if not fitting:
                raise ValueError("no device has this share left")
            return (min(fitting)[1],)
        empty = [slot for slot, left in enumerate(devices) if left == WHOLE_DEVICE_MILLI]
        if len(empty) < demand.device_count:
            raise ValueError("not enough empty devices")
        return tuple(empty[: demand.device_count])

    def fits_machine(self, classes: ClassTable, machine: int) -> BoolColumn:
        """bool [classes]: which classes fit one machine now."""
        count = len(classes)
        devices = self.device_free[machine]
        fits: BoolColumn = (
            (classes.cpu_milli[:count] <= self.cpu_free[machine])
            & (classes.memory_bytes[:count] <= self.memory_free[machine])
            & classes.allows[:count, self.fleet.model[machine]]
            & (classes.share_milli[:count] <= devices.max())
            & (classes.whole_count[:count] <= np.count_nonzero(devices == WHOLE_DEVICE_MILLI))
        )
        return fits

    def fits_class(self, classes: ClassTable, index: int) -> BoolColumn:
        """bool [N]: which machines fit one class now."""
        fits: BoolColumn = (
            (self.cpu_free >= classes.cpu_milli[index])
            & (self.memory_free >= classes.memory_bytes[index])
            & classes.allows[index, self.fleet.model]
        )
        if classes.share_milli[index]:
            fits &= self.device_free.max(axis=1) >= classes.share_milli[index]
        if classes.whole_count[index]:
            fits &= np.count_nonzero(self.device_free == WHOLE_DEVICE_MILLI, axis=1) >= classes.whole_count[index]
        return fits
