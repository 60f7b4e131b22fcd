"""A contract that is watched: real stores and a real journal, a host in memory, runs that are as a test says."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from tenure.controllers.contract.active import _say
from tenure.controllers.contract.stating import state_terms
from tenure.controllers.plane import Plane
from tenure.controllers.remedies.watching import Looks
from tenure.engines import Phase
from tenure.resources import Contract, condition_of
from tenure.resources.kinds.standing import ReadBackFact
from tenure.topology import Core, Unknown
from tests.controllers.test_judging import Service
from tests.controllers.test_readback import topology
from tests.support.memory_host import MemoryHost

FACT = {"what": "memory", "expected": "1Gi", "found": "1Gi", "source": "memory.max"}
AGREES = ReadBackFact.model_validate({**FACT, "agrees": True})
NOT_READABLE = ReadBackFact.model_validate({**FACT, "found": "not readable: Input/output error", "agrees": False})
DIFFERS = ReadBackFact.model_validate({**FACT, "found": "512Mi", "agrees": False})


class Watched(Service):
    """What `watch` finds at each look is given; what it then writes is read back from the host."""

    def __init__(self, home: Path, *, signed: bool = True, **spec: Any) -> None:
        super().__init__(home)
        self.host = MemoryHost()
        self.did: list[str] = []
        more = {"client": self.host, "began_ms": self.clock.now_ms(), "system_cpus": (), "engine": self}
        self.plane = cast(Plane, SimpleNamespace(**vars(self.plane), **more))
        self.plane.topology = self.topology_of  # type: ignore[method-assign]
        wire = self.contract.to_json()
        wire["spec"] |= spec
        wire["metadata"]["namespace"] = "default"
        self.host.objects["Contract", "default", wire["metadata"]["name"]] = wire | {
            "metadata": wire["metadata"] | {"resourceVersion": "0", "generation": 1}
        }
        self.contract = self.now()
        self.looks = Looks()
        if signed:
            state_terms(self.plane, self.contract)

    async def topology_of(self, _machine: str) -> Any:
        cores = tuple(Core(id=i, cpus=(i,), package=0, die=Unknown("not part of this"), numa_node=0) for i in range(4))
        return replace(topology(), cores=cores)

    def set_limits(self, run_id: str, *, memory_bytes: int | None, cpu_quota_milli: int | None) -> None:
        """The engine's part of the remedy."""
        self.did.append("restore-limits")

    def now(self) -> Contract:
        stored = next(found for key, found in self.host.objects.items() if key[0] == "Contract")
        return Contract.model_validate(stored)

    async def look(self, *facts: ReadBackFact, phase: Phase = Phase.RUNNING) -> Contract:
        """One look at a run in such a phase, of which this was read."""
        work = SimpleNamespace(process=None, started_ms=None, restarts=0, last_exit=None)
        state: Any = SimpleNamespace(
            run_id="r", phase=phase, work=work, confinement=None, healthy=None, final=False, reason=None, ended_ms=None
        )
        await _say(self.plane, self.looks, self.now(), state, list(facts), self.clock.now_ms())
        return self.now()


def ready(contract: Contract) -> tuple[str, str]:
    found = condition_of(contract.status.conditions, "Ready") if contract.status else None
    assert found is not None
    return found.status, found.reason
