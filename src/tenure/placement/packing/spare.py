"""CPU that is spare today may be missed tomorrow.

A machine's worth takes CPU beyond what its devices are expected to use for free, and expects to steer: of two machines
with CPU to spare it sees no difference, and demands nibble at all of them until none has enough left for those that ask
for more than the mean. Two small costs say which spare to use first. A demand with devices pays for CPU that idle
devices of the machine may yet want, so that demands heavy in CPU go where CPU is plentiful. A demand for CPU alone goes
where least CPU is left, so that large spares stay whole. Both are far below what a device is worth: they decide between
machines that are otherwise alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.placement.packing.demand import WHOLE_DEVICE_MILLI, FloatColumn, IntColumn
from tenure.placement.packing.mix import Mix

WANTED = 1.5
"""Idle devices may want so many times the CPU of the mean device asked for."""

TAKEN = 1e-3
"""Devices a CPU taken from what idle devices may want; a CPU's fair share is about a twentieth of a device."""

LEFT = 3e-5
"""Devices a CPU left free where a demand for CPU alone goes."""


@dataclass(frozen=True, slots=True)
class Spare:
    """cpu_per_device: CPUs that demands with devices ask for a device, in the mean over all that arrived."""

    cpu_per_device: float

    @classmethod
    def seen(cls, mix: Mix) -> Spare:
        return cls(float(mix.frequency @ mix.cpu) / max(mix.devices_per_arrival, 1e-9))

    def cost(self, cpu_free: IntColumn, idle: IntColumn, cpu: IntColumn, devices: IntColumn) -> FloatColumn:
        """[P]: what P ways to place cost, in devices.

        All int64 [P], in thousandths: the machine's free CPUs and idle devices now; CPUs and devices of the demand.
        """
        taken = TAKEN * (self._wanted(cpu_free, idle) - self._wanted(cpu_free - cpu, idle - devices))
        cost: FloatColumn = np.where(devices > 0, taken, LEFT * (cpu_free - cpu) / 1000)
        return cost

    def _wanted(self, cpu_free: IntColumn, idle: IntColumn) -> FloatColumn:
        """CPUs that idle devices may want, of those that are free."""
        wanted: FloatColumn = np.minimum(cpu_free / 1000, WANTED * self.cpu_per_device * idle / WHOLE_DEVICE_MILLI)
        return wanted
