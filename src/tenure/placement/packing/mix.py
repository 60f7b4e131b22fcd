"""The demand mix as learned from what has arrived so far, in the columns that valuing needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tenure.placement.packing.demand import WHOLE_DEVICE_MILLI, BoolColumn, ClassTable, FloatColumn, IntColumn

Floats = npt.NDArray[np.float64]

LEVELS = 100
"""Leftovers of one device are told apart in so many steps; shares round up, leftovers round down."""


def share_levels(share_milli: IntColumn) -> IntColumn:
    """Levels that shares take of a device, rounded up; 0 for none."""
    levels: IntColumn = -(-share_milli * LEVELS // WHOLE_DEVICE_MILLI)
    return levels


@dataclass(frozen=True, slots=True)
class Sizes:
    """Classes that take equally much, next to each other, so that sums over a size are one `reduceat`.

    classes: positions in the mix, ordered by size. starts: where each size begins. sizes: levels of a device for
    single-device classes, devices for wide ones. place: the size of each entry of `classes`.
    """

    classes: IntColumn
    starts: IntColumn
    sizes: IntColumn
    place: IntColumn

    @classmethod
    def of(cls, members: IntColumn, size: IntColumn) -> Sizes:
        order = np.argsort(size, kind="stable")
        sizes, starts, place = np.unique(size[order], return_index=True, return_inverse=True)
        return cls(classes=members[order], starts=starts, sizes=sizes, place=place)


@dataclass(frozen=True, slots=True)
class Mix:
    """C classes that were seen and take devices.

    ids: class numbers. frequency: share of all arrivals. devices: devices each takes. cpu: CPUs each takes. allows:
    bool [models, C]. single, wide: the classes by size. size_frequency: frequency of all classes of a class's size.
    devices_per_arrival, cpu_per_arrival: means over all arrivals, CPU-only ones included.
    """

    ids: IntColumn
    frequency: FloatColumn
    devices: FloatColumn
    cpu: FloatColumn
    allows: BoolColumn
    single: Sizes
    wide: Sizes
    size_frequency: FloatColumn
    devices_per_arrival: float
    cpu_per_arrival: float

    @classmethod
    def seen(cls, classes: ClassTable) -> Mix:
        count = len(classes)
        total = max(1, int(classes.arrivals[:count].sum()))
        device_milli = classes.device_milli[:count]
        ids = np.flatnonzero((classes.arrivals[:count] > 0) & (device_milli > 0))
        whole = classes.whole_count[ids]
        level = np.where(whole == 1, LEVELS, share_levels(classes.share_milli[ids]))
        frequency = classes.arrivals[ids] / total
        single = np.flatnonzero(whole <= 1)
        wide = np.flatnonzero(whole > 1)
        _, kind = np.unique(np.where(whole > 1, LEVELS * whole, level), return_inverse=True)
        devices = device_milli[ids] / WHOLE_DEVICE_MILLI
        return cls(
            ids=ids,
            frequency=frequency,
            devices=devices,
            cpu=classes.cpu_milli[ids] / 1000,
            allows=np.ascontiguousarray(classes.allows[ids, : len(classes.models)].T),
            single=Sizes.of(single, level[single]),
            wide=Sizes.of(wide, whole[wide]),
            size_frequency=np.bincount(kind, weights=frequency)[kind].astype(np.float64),
            devices_per_arrival=float(frequency @ devices),
            cpu_per_arrival=float(classes.cpu_milli[:count] @ classes.arrivals[:count]) / 1000 / total,
        )

    def expected(self, idle_devices: float) -> FloatColumn:
        """Tasks of each class until the idle devices would be taken."""
        return self.frequency * (idle_devices / max(self.devices_per_arrival, 1e-9))

    def expected_cpu(self, idle_devices: float) -> float:
        """CPUs that all tasks, CPU-only ones included, will ask for until the idle devices would be taken."""
        return self.cpu_per_arrival * (idle_devices / max(self.devices_per_arrival, 1e-9))
