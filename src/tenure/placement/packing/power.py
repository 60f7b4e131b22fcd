"""Watts of a machine from what is in use: a touched device draws its rated power, an untouched one idles; CPU packages
likewise.

The model and its constants for openb's devices are PWR's (CCGrid 2025, Fr4nz83/PWR-plugin-kubernetes): two hardware
threads a core, 16-core packages at 15 W idle and 120 W in use. G2 and G3 are undisclosed codes; the figures are that
paper's stand-ins. A fleet with measured figures gives its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.placement.packing.columns import FleetState
from tenure.placement.packing.demand import WHOLE_DEVICE_MILLI, FloatColumn, IntColumn

PACKAGE_CPU_MILLI = 32_000
PACKAGE_IDLE_WATTS = 15.0
PACKAGE_BUSY_WATTS = 120.0
DEVICE_WATTS = {
    "A10": (30.0, 150.0),
    "G2": (30.0, 150.0),
    "G3": (50.0, 400.0),
    "P100": (25.0, 250.0),
    "T4": (10.0, 70.0),
    "V100M16": (30.0, 300.0),
    "V100M32": (30.0, 300.0),
}
UNKNOWN_DEVICE_WATTS = (30.0, 250.0)


@dataclass(frozen=True, slots=True)
class Watts:
    """Watts per device by model index (idle, busy; float64 [models + 1]) and per CPU package."""

    device_idle: FloatColumn
    device_busy: FloatColumn
    package_cpu_milli: int = PACKAGE_CPU_MILLI
    package_idle: float = PACKAGE_IDLE_WATTS
    package_busy: float = PACKAGE_BUSY_WATTS

    @classmethod
    def published(cls, models: tuple[str, ...]) -> Watts:
        """PWR's constants for the models it names."""
        pairs = [DEVICE_WATTS.get(model, UNKNOWN_DEVICE_WATTS) for model in models]
        return cls(
            device_idle=np.array([idle for idle, _ in pairs] + [0.0]),
            device_busy=np.array([busy for _, busy in pairs] + [0.0]),
        )

    def packages_busy(self, cpu_used: IntColumn) -> IntColumn:
        return -(-cpu_used // self.package_cpu_milli)

    def machine(self, state: FleetState, machine: int) -> float:
        """Watts of one machine now."""
        model = int(state.fleet.model[machine])
        cpu = int(state.fleet.cpu_milli[machine])
        busy = -(-(cpu - int(state.cpu_free[machine])) // self.package_cpu_milli)
        packages = -(-cpu // self.package_cpu_milli)
        devices = int(state.fleet.devices[machine])
        untouched = int(np.count_nonzero(state.device_free[machine] == WHOLE_DEVICE_MILLI))
        return (
            untouched * float(self.device_idle[model])
            + (devices - untouched) * float(self.device_busy[model])
            + busy * self.package_busy
            + (packages - busy) * self.package_idle
        )

    def fleet(self, state: FleetState) -> float:
        """Watts of all machines now."""
        return sum(self.machine(state, machine) for machine in range(len(state.fleet)))

    def added(
        self, state: FleetState, machines: IntColumn, cpu_milli: IntColumn, touched_devices: IntColumn
    ) -> tuple[FloatColumn, FloatColumn]:
        """Watts that options add, in devices and in CPU packages; each takes cpu_milli of its machine and first touches
        so many of its devices."""
        devices = self.added_by_devices(state.fleet.model[machines], touched_devices)
        return devices, self.added_by_packages(state, machines, cpu_milli)

    def added_by_devices(self, model: IntColumn, touched: IntColumn) -> FloatColumn:
        added: FloatColumn = touched * (self.device_busy - self.device_idle)[model]
        return added

    def added_by_packages(self, state: FleetState, machines: IntColumn, cpu_milli: IntColumn) -> FloatColumn:
        used = state.fleet.cpu_milli[machines] - state.cpu_free[machines]
        more = self.packages_busy(used + cpu_milli) - self.packages_busy(used)
        added: FloatColumn = (self.package_busy - self.package_idle) * more.astype(np.float64)
        return added
