"""Runtime: how a sort of work is started and measured."""

from typing import Literal

from pydantic import Field

from tenure.resources.base import ApiObject, Status, Strict


class Accepts(Strict):
    """Which artifacts and sorts of work this runtime takes."""

    formats: list[str] = Field(default_factory=list, description="formats of models that it serves: [gguf]")
    work: list[str] = Field(
        default_factory=lambda: ["inference"], description="sorts of work that it runs; default [inference]"
    )


class ShapeRange(Strict):
    """The tunable shape: which thread and slot counts may be tried."""

    threads_max: int = Field(default=64, ge=1, description="the most threads that are tried")
    slots: list[int] = Field(
        default_factory=lambda: [1, 2, 4], description="how many requests at once are tried; default [1, 2, 4]"
    )


class MetricMapping(Strict):
    """Which of the runtime's own metrics means which of our objectives."""

    objective: str = Field(description="the objective, as a need spells it", examples=["timePerOutputToken"])
    metric: str = Field(
        description="the runtime's metric, or two with / between them", examples=["llamacpp:tokens_predicted_total"]
    )
    unit: str = Field(default="seconds", description="the unit of its metric")


class RuntimeSpec(Strict):
    """Command, protocol, health and metrics of one runtime."""

    type: Literal["llamacpp", "command"] = Field(
        description="llamacpp: llama.cpp's server; command: work with a command of its own"
    )
    version: str = Field(description="its version; what was measured with another is no evidence for it")
    accepts: Accepts = Field(default_factory=Accepts, description="what it takes")
    shape: ShapeRange = Field(default_factory=ShapeRange, description="which shapes a trial may try")
    protocol: Literal["openai", "none"] = Field(
        default="openai", description="what its endpoint speaks: openai, or none"
    )
    health_path: str | None = Field(
        default=None,
        description="the path that answers once it is healthy; absent: /health where it serves a model",
        examples=["/health"],
    )
    metrics_path: str | None = Field(
        default=None,
        description="the path of its own metrics, in OpenMetrics text; absent: they are no view of it",
        examples=["/metrics"],
    )
    metrics: list[MetricMapping] = Field(
        default_factory=list, description="which of its own metrics means which objective"
    )


class Runtime(ApiObject):
    """How a sort of work is run and measured: what it takes, its shape, endpoint protocol, health and metrics."""

    kind: Literal["Runtime"] = "Runtime"
    spec: RuntimeSpec
    status: Status | None = None
