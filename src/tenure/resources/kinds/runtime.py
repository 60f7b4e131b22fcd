"""Runtime: how a sort of work is started and measured."""

from typing import Literal

from pydantic import Field

from tenure.resources.base import ApiObject, Status, Strict


class Accepts(Strict):
    """Which artifacts and sorts of work this runtime takes."""

    formats: list[str] = Field(default_factory=list)
    work: list[str] = Field(default_factory=lambda: ["inference"])


class ShapeRange(Strict):
    """The tunable shape: which thread and slot counts may be tried."""

    threads_max: int = Field(default=64, ge=1)
    slots: list[int] = Field(default_factory=lambda: [1, 2, 4])


class MetricMapping(Strict):
    """Which of the runtime's own metrics means which of our objectives."""

    objective: str
    metric: str
    unit: str = "seconds"


class RuntimeSpec(Strict):
    """Command, protocol, health and metrics of one runtime."""

    type: Literal["llamacpp", "command"]
    version: str
    accepts: Accepts = Field(default_factory=Accepts)
    shape: ShapeRange = Field(default_factory=ShapeRange)
    protocol: Literal["openai", "none"] = "openai"
    health_path: str | None = None
    metrics_path: str | None = None
    metrics: list[MetricMapping] = Field(default_factory=list)


class Runtime(ApiObject):
    """How a sort of work is run and measured: what it takes, its shape, endpoint protocol, health and metrics."""

    kind: Literal["Runtime"] = "Runtime"
    spec: RuntimeSpec
    status: Status | None = None
