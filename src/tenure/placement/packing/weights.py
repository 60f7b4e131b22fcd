"""What a watt weighs against a device: by how full the fleet is, and by how long what it wakes would have slept on.

A device that is woken later is woken all the same, and then nothing was saved but its watts until that hour. Cheap
devices wake first, whoever chooses. So of the devices that sleep, in the order of the watts they would add, one at a
share x of the way sleeps on for a share x of what is still to come, and its watts count by 2x, which is 1 in the mean:
the dear sleep longest, and the cheap, which wake soon in any case, are chosen by how well they pack.

CPU packages are all alike, and asking for CPU ends before the packages do: a package's watts count by the share of the
fleet's CPU that will never be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.placement.packing.columns import FleetState
from tenure.placement.packing.demand import WHOLE_DEVICE_MILLI, FloatColumn, IntColumn
from tenure.placement.packing.power import Watts


@dataclass(frozen=True, slots=True)
class Weights:
    """What a watt weighs, in devices: `watt` in an empty fleet, growing evenly to `watt_filled` where `late_below` of
    the capacity is free, and `watt_late` from there on.

    While the fleet is empty all that is dear sleeps in any case and packing decides; what is dear is woken as the fleet
    fills. The last choices cannot be mended by later ones, so there packing takes over.
    """

    watt: float = 1e-4
    watt_filled: float = 3e-4
    watt_late: float = 2e-5
    late_below: float = 0.2

    def at(self, free_share: float) -> float:
        if free_share <= self.late_below:
            return self.watt_late
        filled = (1 - free_share) / (1 - self.late_below)
        return self.watt + (self.watt_filled - self.watt) * filled


@dataclass(frozen=True, slots=True)
class PowerPrice:
    """What watts cost, in devices. device: float64 [models + 1], a watt of a device of each model. package: a watt of a
    CPU package."""

    watts: Watts
    device: FloatColumn
    package: float

    @classmethod
    def now(cls, watts: Watts, state: FleetState, watt: float, cpu_never_asked: float) -> PowerPrice:
        """By what sleeps now, where a watt weighs so much in the mean and such a share of CPU is never asked for."""
        count = np.count_nonzero(state.device_free == WHOLE_DEVICE_MILLI, axis=1)
        asleep = np.bincount(state.fleet.model, weights=count, minlength=len(watts.device_idle)).astype(np.float64)
        return cls(watts, watt * sleeps_on(watts.device_busy - watts.device_idle, asleep), watt * cpu_never_asked)

    def devices(self, model: IntColumn, opens: IntColumn) -> FloatColumn:
        """What waking so many devices of a model costs."""
        cost: FloatColumn = self.device[model] * self.watts.added_by_devices(model, opens)
        return cost

    def packages(self, state: FleetState, machines: IntColumn, cpu_milli: IntColumn) -> FloatColumn:
        """What waking CPU packages costs, where so much CPU is taken of these machines."""
        return self.package * self.watts.added_by_packages(state, machines, cpu_milli)


def sleeps_on(added_watts: FloatColumn, asleep: FloatColumn) -> FloatColumn:
    """By model, twice the share of what is still to come for which its sleeping devices sleep on, in the mean.

    Models [M] by the watts that a device adds when it wakes, and how many sleep; equal watts wake together.
    """
    sooner = (added_watts[None, :] < added_watts[:, None]) @ asleep
    together = (added_watts[None, :] == added_watts[:, None]) @ asleep
    share: FloatColumn = (2 * sooner + together) / max(1.0, float(asleep.sum()))
    return share
