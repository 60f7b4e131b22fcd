"""What the controllers of one site work with: the door, the ledger, the engine, the stores. No global state."""

from dataclasses import dataclass, field
from pathlib import Path

from tenure.client import AsyncClient
from tenure.controllers.measuring import Measurements
from tenure.engines import Engine
from tenure.evidence import EvidenceLog, KeyRing
from tenure.ledger import Allocator
from tenure.measurement.store import MeasurementStore
from tenure.quantities import Clock
from tenure.resources import HardwareProfile, Machine
from tenure.topology import MachineTopology, machine_from_json


@dataclass(slots=True)
class Plane:
    """One control plane over one site with one local engine."""

    client: AsyncClient
    clock: Clock
    allocator: Allocator
    engine: Engine
    measurements: Measurements
    known: MeasurementStore
    keys: KeyRing
    log: EvidenceLog
    home: Path
    site: str
    machine: str
    system_cpus: tuple[int, ...]
    topologies: dict[str, MachineTopology] = field(default_factory=dict)

    async def topology(self, machine: str) -> MachineTopology:
        """The topology of a machine. Profiles are content-addressed, so what was read once stays true."""
        profile = (await self.client.get(Machine, machine)).spec.profile
        if profile not in self.topologies:
            found = await self.client.get(HardwareProfile, profile)
            self.topologies[profile] = machine_from_json(found.spec.topology)
        return self.topologies[profile]
