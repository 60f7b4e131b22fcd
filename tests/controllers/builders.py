"""Builders of what answering is about: needs, measured windows, a small fleet and its machine."""

from typing import Any

from tenure.controllers.answering.answer import Knowledge
from tenure.controllers.answering.capability import capabilities
from tenure.controllers.answering.measured import Measured, RunShape
from tenure.controllers.answering.need import Need, need_of
from tenure.placement import Constraint, Core, Fleet, FleetMachine, MemoryNode
from tenure.promises import Load, RequestSample
from tenure.resources import Machine, ObjectMeta
from tenure.resources.kinds.machine import MachineSpec, MachineStatus
from tenure.resources.kinds.workload import WorkloadSpec

GIB = 2**30
MS = 10**6
NOW_MS = 1_800_000_000_000


def spec(**changes: Any) -> WorkloadSpec:
    """An inference need under one request a second; keywords replace whole fields of the wire form."""
    wire: dict[str, Any] = {
        "inference": {"model": "m"},
        "load": {"requestsPerSecond": 1, "promptTokens": 40, "outputTokens": 3},
        "objectives": {"timeToFirstToken": {"p95": "100ms"}},
        "assurance": {"window": "2s", "share": 0.8, "confidence": 0.8},
        "term": {"duration": "10m"},
    }
    return WorkloadSpec.model_validate({k: v for k, v in (wire | changes).items() if v is not None})


def need(**changes: Any) -> Need:
    return need_of(spec(**changes), NOW_MS)


def sample(first_token_ms: float, gap_ms: float = 10, arrival_ns: int = 0) -> RequestSample:
    gap = int(gap_ms * MS)
    first = int(first_token_ms * MS)
    return RequestSample(arrival_ns, first, (gap, gap), first + 2 * gap, 40, 3, 200)


def measured(
    first_token_ms: list[float],
    *,
    threads: int = 1,
    slots: int = 1,
    rate: float = 1,
    neighbours: str = "busy",
    window_ms: int = 2000,
) -> Measured:
    """One window a figure, each with one request that had its first token so late; the first window chooses."""
    return Measured(
        shape=RunShape(threads, slots),
        load=Load(int(rate * 10**6), 40, 3),
        window_ms=window_ms,
        windows=tuple((sample(value),) for value in first_token_ms),
        choosing=1,
        neighbours=neighbours,
        hardware_class="hw",
        runtime="llamacpp 1",
        measured_at_ms=NOW_MS,
    )


def fleet(cores: int = 1) -> Fleet:
    machine = FleetMachine(
        name="m",
        site="local",
        cores=tuple(Core(id=i) for i in range(cores)),
        memory=(MemoryNode(id=0, bytes=8 * GIB),),
    )
    return Fleet.of([machine])


def machine(cost: str | None = None) -> Machine:
    status = MachineStatus.model_validate(
        {"state": "Ready", "cores": 2, "sellableCores": [0], "sellableMemory": "8Gi", "memory": "9Gi"}
    )
    wanted = MachineSpec.model_validate({"site": "local", "profile": "hw", **({"hourlyCost": cost} if cost else {})})
    return Machine(metadata=ObjectMeta(name="m"), spec=wanted, status=status)


def knowledge(
    wanted: Need,
    found: list[Measured],
    *,
    constraints: tuple[Constraint, ...] = (),
    cost: str | None = None,
    **more: Any,
) -> Knowledge:
    assert wanted.load is not None
    return Knowledge(
        need=wanted,
        capabilities=capabilities(found, wanted.objectives, wanted.load, wanted.assurance),
        shapes_measured=len({m.shape for m in found}),
        trial=None,
        constraints=constraints,
        machines={"m": machine(cost)},
        memory_of=lambda _: GIB,
        **more,
    )
