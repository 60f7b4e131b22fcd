"""The worst neighbours that an allocation permits, kept busy for as long as it is measured.

Cores that other contracts hold are left alone: they have their own work, and it counts as a neighbour as it is. On the
system's own cores, where the load generator runs too, the neighbour only takes what is idle.
"""

import subprocess
from types import TracebackType
from typing import Self

from tenure.controllers.plane import Plane
from tenure.measurement.neighbour import start_neighbours
from tenure.resources import Machine
from tenure.resources.kinds.allocation import Hold
from tenure.topology import MachineTopology

KIND = "memory"
SECONDS_MAX = 3600.0


class Neighbours:
    """Busy neighbours while the block lasts. `busy` False keeps the machine quiet."""

    def __init__(self, plane: Plane, hold: Hold, *, busy: bool) -> None:
        self._plane = plane
        self._hold = hold
        self._busy = busy
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        if self._busy:
            machine = await self._plane.client.get(Machine, self._plane.machine)
            topology = await self._plane.topology(machine.name)
            memory = await self._plane.allocator.look()
            held = {
                core
                for record in memory.view.live()
                for claim in record.hold.claims
                for core in claim.cores
                if claim.machine == machine.name
            }
            cpus = outside(topology, held | set(self._hold.claims[0].cores))
            if cpus:
                self._process = start_neighbours(cpus, KIND, SECONDS_MAX)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def outside(topology: MachineTopology, taken: set[int]) -> tuple[int, ...]:
    """One logical CPU of each core that nobody holds."""
    return tuple(core.cpus[0] for core in topology.cores if core.id not in taken)
