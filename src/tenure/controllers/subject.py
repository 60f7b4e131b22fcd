"""What is measured and served: one model file under one runtime on one class of hardware."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tenure.controllers.answering.measured import RunShape
from tenure.controllers.probing import metrics_map
from tenure.promises import Load, View
from tenure.resources import Model, Runtime
from tenure.runtimes import (
    GgufFacts,
    Launch,
    MetricRule,
    Shape,
    candidate_shapes,
    launch_llamacpp,
    parse_rule,
    read_gguf,
)

CONTEXT_TOKENS_LEAST = 512
TEMPLATE_TOKENS = 64
"""A chat template adds a system prompt and role marks to what the user wrote."""
MEBIBYTE = 2**20
SHAPES_MAX = 4
"""A trial of more shapes takes longer than people wait; few threads and few slots come first."""


@dataclass(frozen=True)
class Subject:
    """The model as fetched, the runtime that takes it, the hardware class, and the load that decides the context."""

    model: Model
    path: Path
    runtime: Runtime
    hardware_class: str
    load: Load

    @property
    def digest(self) -> str:
        """The model's digest, which names it in the evidence."""
        return self.model.spec.digest

    @cached_property
    def facts(self) -> GgufFacts:
        """What the file says of itself."""
        return read_gguf(self.path)

    @property
    def context(self) -> int:
        """Tokens of context of one slot: prompt, answer and template, and room for a user who writes a little more."""
        wanted = 2 * (self.load.prompt_tokens + self.load.output_tokens) + TEMPLATE_TOKENS
        return min(max(CONTEXT_TOKENS_LEAST, wanted), self.facts.context_length_max)

    def shapes(self, cores: int) -> list[RunShape]:
        """The shapes worth a trial on so many cores, those that leave most to others first."""
        asked = self.runtime.spec.shape
        found = candidate_shapes(cores, asked.slots, asked.threads_max)
        return [RunShape(shape.threads, shape.slots) for shape in found][:SHAPES_MAX]

    def memory_bytes(self, shape: RunShape) -> int:
        """Bytes that a server of this shape stays under."""
        needed = self.launch(shape, "python").memory_bytes or 0
        return -(-needed // MEBIBYTE) * MEBIBYTE

    @property
    def rules(self) -> list[MetricRule]:
        """What the runtime's own metrics mean."""
        return [parse_rule(rule.objective, rule.metric, rule.unit) for rule in self.runtime.spec.metrics]

    @property
    def views(self) -> list[View]:
        """The independent views of it that there are: the tap, the prober, and its own counters where it has them."""
        own = self.runtime.spec.metrics_path is not None and metrics_map(self.rules) is not None
        return [View.TAP, View.PROBER, *([View.METRICS] if own else [])]

    def launch(self, shape: RunShape, python: str) -> Launch:
        """What to start."""
        spec = self.runtime.spec
        return launch_llamacpp(
            python=python,
            model_path=str(self.path),
            alias=self.model.name,
            facts=self.facts,
            shape=Shape(shape.threads, shape.slots),
            context=self.context,
            health_path=spec.health_path or "/health",
            metrics_path=spec.metrics_path,
            metrics=self.rules,
        )
