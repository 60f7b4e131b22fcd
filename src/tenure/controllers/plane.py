"""What the controllers of one site work with: the door, the ledger, the engine, the stores. No global state."""

from dataclasses import dataclass, field
from pathlib import Path

from tenure.client import AsyncClient
from tenure.controllers.measuring import Measurements
from tenure.engines import Engine, SimulatedEngine
from tenure.evidence import EvidenceLog, KeyRing
from tenure.ledger import Allocator
from tenure.measurement.periods import Periods
from tenure.measurement.store import MeasurementStore
from tenure.quantities import Clock
from tenure.resources import HardwareProfile, Machine
from tenure.topology import MachineTopology, machine_from_json


@dataclass(slots=True)
class Plane:
    """One control plane over one site with one engine: this machine's own, or that of a simulated fleet."""

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
    overruled: tuple[str, ...] = ()
    """What this start overruled of what was declared, in words (`machine.merging`)."""
    topologies: dict[str, MachineTopology] = field(default_factory=dict)
    periods: Periods = field(init=False)
    """What was measured over whole accounting periods."""
    began_ms: int = field(init=False)
    """When this control plane began to look, Unix ms."""
    machines: dict[str, Machine] = field(default_factory=dict)
    """Machines as last watched, for what is no matter of capacity (prices, profiles): a fleet is not listed for every
    answer."""

    def __post_init__(self) -> None:
        self.periods = Periods(self.known)
        self.began_ms = self.clock.now_ms()

    @property
    def simulated(self) -> bool:
        """Whether nothing runs here: every contract then says so."""
        return isinstance(self.engine, SimulatedEngine)

    async def topology(self, machine: str) -> MachineTopology:
        """The topology of a machine as last watched. Profiles are content-addressed, so what was read once stays true:
        a look at a contract, several a second, asks nobody for it."""
        watched = self.machines.get(machine) or await self.client.get(Machine, machine)
        return await self.topology_of(watched.spec.profile)

    async def topology_of(self, profile: str) -> MachineTopology:
        """The topology that a profile holds."""
        if profile not in self.topologies:
            found = await self.client.get(HardwareProfile, profile)
            self.topologies[profile] = machine_from_json(found.spec.topology)
        return self.topologies[profile]
