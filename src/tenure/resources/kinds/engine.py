"""Engine: something that runs work at a site."""

from typing import Literal

from pydantic import Field

from tenure.quantities import Instant
from tenure.resources.base import ApiObject, Status, Strict
from tenure.resources.kinds.machine import Enforcement


class EngineSpec(Strict):
    """Which sort of engine, where."""

    type: Literal["local", "simulated", "kubernetes", "slurm"] = Field(
        description="local: this machine; simulated: a fleet of a file, where nothing runs; "
        "kubernetes and slurm: not served yet"
    )
    site: str = Field(description="name of the Site whose work it runs")
    machine: str | None = Field(default=None, description="the one machine of a local engine")
    endpoint: str | None = Field(default=None, description="where it is reached, of engines that are elsewhere")
    credential: str | None = Field(default=None, description="name of a Secret")


class EngineStatus(Status):
    """Reachability and declared abilities."""

    reachable: bool = Field(default=False, description="whether it answered")
    version: str | None = Field(default=None, description="its version, where it has one of its own")
    abilities: list[Enforcement] = Field(default_factory=list, description="what it can enforce")
    last_seen: Instant | None = Field(
        default=None, description="when it was asked what it can enforce: at the last start of the control plane"
    )


class Engine(ApiObject):
    """Something that runs work at a site: this machine, a simulated fleet, Kubernetes or Slurm."""

    kind: Literal["Engine"] = "Engine"
    spec: EngineSpec
    status: EngineStatus | None = None
