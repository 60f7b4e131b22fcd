"""What may be promised of a served model, in the field's own terms, as plain values.

Durations are integer nanoseconds, rates integer micro-units per second, percentiles the number people write (95, 99.9).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MICRO = 1_000_000


class Metric(StrEnum):
    """The wire name of each objective; MLPerf's server scenario and vLLM's reports use the same notions."""

    TIME_TO_FIRST_TOKEN = "timeToFirstToken"
    INTER_TOKEN_LATENCY = "interTokenLatency"
    TIME_PER_OUTPUT_TOKEN = "timePerOutputToken"
    REQUEST_LATENCY = "requestLatency"
    OUTPUT_TOKENS_PER_SECOND = "outputTokensPerSecond"
    REQUESTS_PER_SECOND = "requestsPerSecond"
    AVAILABILITY = "availability"

    @property
    def is_rate(self) -> bool:
        """Rates are floors on what is delivered in a second."""
        return self in (Metric.OUTPUT_TOKENS_PER_SECOND, Metric.REQUESTS_PER_SECOND)


@dataclass(frozen=True, slots=True)
class LatencyObjective:
    """A percentile over the requests of a window (inter-token latency: over its pooled gaps) stays within a bound."""

    metric: Metric
    percentile: float
    bound_ns: int

    def __post_init__(self) -> None:
        if self.metric.is_rate or self.metric is Metric.AVAILABILITY:
            raise ValueError(f"{self.metric} is no latency; it takes an objective of its own")
        if not 0 < self.percentile <= 100 or self.bound_ns <= 0:
            raise ValueError("a latency objective needs a percentile in (0, 100] and a positive bound")

    @property
    def name(self) -> str:
        """As people write it, for instance `timeToFirstToken.p95`."""
        return f"{self.metric}.p{self.percentile:g}"


@dataclass(frozen=True, slots=True)
class RateObjective:
    """A floor, in micro-units per second, that holds in a window whenever that much is demanded."""

    metric: Metric
    floor_micro: int

    def __post_init__(self) -> None:
        if not self.metric.is_rate:
            raise ValueError(f"{self.metric} is a latency; it takes a LatencyObjective")
        if self.floor_micro <= 0:
            raise ValueError("a rate floor is positive")

    @property
    def name(self) -> str:
        """The metric's wire name."""
        return str(self.metric)


@dataclass(frozen=True, slots=True)
class AvailabilityObjective:
    """A floor, in millionths, on the share of a window's requests that is answered; see `availability.py`."""

    share_micro: int

    def __post_init__(self) -> None:
        if not 0 < self.share_micro < MICRO:
            raise ValueError("an availability lies strictly between 0 and 1")

    @property
    def metric(self) -> Metric:
        """The only metric that is promised so."""
        return Metric.AVAILABILITY

    @property
    def name(self) -> str:
        """The metric's wire name."""
        return str(self.metric)


Objective = LatencyObjective | RateObjective | AvailabilityObjective


@dataclass(frozen=True, slots=True)
class Load:
    """Arrivals per second (micro-units, Poisson) with the lengths of prompt and answer in tokens."""

    arrivals_micro: int
    prompt_tokens: int
    output_tokens: int

    def __post_init__(self) -> None:
        if self.arrivals_micro <= 0 or self.prompt_tokens < 1 or self.output_tokens < 1:
            raise ValueError("a load has arrivals, prompts and answers, all above zero")

    @property
    def arrivals_per_second(self) -> float:
        """Mean arrivals per second."""
        return self.arrivals_micro / MICRO

    def arrivals_per_window(self, window_ms: int) -> float:
        """Mean arrivals in a window."""
        return self.arrivals_micro * window_ms / (MICRO * 1000)

    def bounds(self, other: Load) -> bool:
        """Whether evidence under this load bounds `other`: as heavy or heavier on every axis, never the other way."""
        return (
            self.arrivals_micro >= other.arrivals_micro
            and self.prompt_tokens >= other.prompt_tokens
            and self.output_tokens >= other.output_tokens
        )


@dataclass(frozen=True, slots=True)
class Assurance:
    """How sure: in at least `share` of the windows of `window_ms`, with `confidence`. The defaults of every promise."""

    window_ms: int = 60_000
    share: float = 0.95
    confidence: float = 0.9

    def __post_init__(self) -> None:
        if self.window_ms < 1 or not 0 < self.share < 1 or not 0 < self.confidence < 1:
            raise ValueError("an assurance needs a window above zero, and share and confidence between 0 and 1")


@dataclass(frozen=True, slots=True)
class Promise:
    """A statistical promise: under this load, in windows of this length, this objective, in this share of windows."""

    objective: Objective
    load: Load
    assurance: Assurance

    @property
    def name(self) -> str:
        """Unique within a contract."""
        return self.objective.name
