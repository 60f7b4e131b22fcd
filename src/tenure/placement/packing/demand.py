"""What one member asks of one machine, and the classes that equal demands form."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

WHOLE_DEVICE_MILLI = 1000

IntColumn = npt.NDArray[np.int64]
BoolColumn = npt.NDArray[np.bool_]
FloatColumn = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Demand:
    """A demand on a single machine.

    cpu_milli: thousandths of a CPU. memory_bytes: bytes. device_count: devices in one machine, 0 for none.
    device_milli: thousandths of each device; below 1000 only with a count of 1, because a share is of ONE device.
    models: device models that may serve it, sorted; empty means any.
    """

    cpu_milli: int
    memory_bytes: int
    device_count: int = 0
    device_milli: int = WHOLE_DEVICE_MILLI
    models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.cpu_milli < 0 or self.memory_bytes < 0 or self.device_count < 0:
            raise ValueError("a demand cannot be negative")
        if not 0 < self.device_milli <= WHOLE_DEVICE_MILLI:
            raise ValueError(f"a share of a device lies between 1 and {WHOLE_DEVICE_MILLI} thousandths")
        if self.device_count > 1 and self.device_milli != WHOLE_DEVICE_MILLI:
            raise ValueError("several devices are taken whole; a share is of one device")

    @property
    def total_device_milli(self) -> int:
        """Thousandths of devices over all devices asked for."""
        return self.device_count * (self.device_milli if self.device_count else 0)

    @property
    def shares_device(self) -> bool:
        return self.device_count == 1 and self.device_milli < WHOLE_DEVICE_MILLI


@dataclass(slots=True)
class ClassTable:
    """Interns demands: equal demands are one class, numbered in order of first arrival. Columns grow by doubling."""

    models: tuple[str, ...]
    demands: list[Demand] = field(default_factory=list)
    arrivals: IntColumn = field(default_factory=lambda: np.zeros(16, dtype=np.int64))
    cpu_milli: IntColumn = field(default_factory=lambda: np.zeros(16, dtype=np.int64))
    memory_bytes: IntColumn = field(default_factory=lambda: np.zeros(16, dtype=np.int64))
    share_milli: IntColumn = field(default_factory=lambda: np.zeros(16, dtype=np.int64))
    whole_count: IntColumn = field(default_factory=lambda: np.zeros(16, dtype=np.int64))
    allows: BoolColumn = field(default_factory=lambda: np.zeros((16, 0), dtype=np.bool_))
    _ids: dict[Demand, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.allows = np.zeros((16, len(self.models) + 1), dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.demands)

    @property
    def device_milli(self) -> IntColumn:
        """Thousandths of devices that one task of each class takes."""
        return self.share_milli + self.whole_count * WHOLE_DEVICE_MILLI

    def intern(self, demand: Demand) -> int:
        """The class of a demand; a new class where it was never seen."""
        known = self._ids.get(demand)
        if known is not None:
            return known
        index = len(self.demands)
        if index == len(self.arrivals):
            self._grow()
        self._ids[demand] = index
        self.demands.append(demand)
        self.cpu_milli[index] = demand.cpu_milli
        self.memory_bytes[index] = demand.memory_bytes
        self.share_milli[index] = demand.device_milli if demand.shares_device else 0
        self.whole_count[index] = 0 if demand.shares_device else demand.device_count
        # The last column stands for machines without devices: any demand without devices may use every machine.
        if demand.device_count == 0:
            self.allows[index] = True
        else:
            self.allows[index, :-1] = [not demand.models or model in demand.models for model in self.models]
        return index

    def _grow(self) -> None:
        for name in ("arrivals", "cpu_milli", "memory_bytes", "share_milli", "whole_count", "allows"):
            old = getattr(self, name)
            grown = np.zeros((2 * old.shape[0], *old.shape[1:]), dtype=old.dtype)
            grown[: old.shape[0]] = old
            setattr(self, name, grown)
