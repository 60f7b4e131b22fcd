"""What a WorkloadSpec asks for, as the pure rooms' values, with every default that was filled in named."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Literal

import rfc8785

from tenure.controllers.answering.limits import Limits, limits_of
from tenure.promises import (
    Assurance,
    AvailabilityObjective,
    LatencyObjective,
    Load,
    Metric,
    Objective,
    RateObjective,
    period_ms_of,
)
from tenure.quantities import Duration, format_instant
from tenure.resources.kinds import objectives as wire
from tenure.resources.kinds.workload import WorkloadSpec

TERM_DEFAULT = Duration.parse("24h")
RETENTION_DEFAULT = Duration.parse("30d")
LENGTH_DEFAULT_TOKENS = 64


Preference = Literal["cost", "power", "speed"]
NOT_THE_NEED = {"acceptedOffer", "acceptance"}
"""Fields of a Workload's spec that choose among answers and do not change the question."""


@dataclass(frozen=True, slots=True)
class Window:
    """When the hold is wanted: a start within [earliest, latest], for so long. Unix milliseconds.

    `end_ms` and `start_by_ms` are the instants that the need itself names; `unpromised` refuses those that are over.
    """

    earliest_ms: int
    latest_ms: int
    duration_ms: int
    end_ms: int | None = None
    start_by_ms: int | None = None

    def from_(self, now_ms: int) -> "Window":
        """What is left of it: it was read before it is decided on, and nothing starts in the past. An end that was
        asked for stays where it is."""
        earliest_ms, latest_ms = max(self.earliest_ms, now_ms), max(self.latest_ms, now_ms)
        to_end = self.end_ms is not None and self.earliest_ms + self.duration_ms == self.end_ms
        duration_ms = max(1, self.earliest_ms + self.duration_ms - earliest_ms) if to_end else self.duration_ms
        return replace(self, earliest_ms=earliest_ms, latest_ms=latest_ms, duration_ms=duration_ms)


@dataclass(frozen=True, slots=True)
class Need:
    """One need. `load` is None for work that is not inference."""

    work: str
    model: str | None
    runtime: str | None
    load: Load | None
    objectives: tuple[Objective, ...]
    assurance: Assurance
    when: Window
    assumed: tuple[str, ...]
    retention_ms: int = 0
    guarantee: str = "guaranteed"
    preference: Preference = "speed"
    limits: Limits = field(default_factory=Limits)
    complete_by_ms: int | None = None  # by when the work is to be done, Unix milliseconds

    @property
    def availability(self) -> AvailabilityObjective | None:
        """The availability asked for, if any."""
        return next((o for o in self.objectives if isinstance(o, AvailabilityObjective)), None)

    @property
    def keeps_reserve(self) -> bool:
        """Whether capacity is held back for it: the class `guaranteed` does, to hold the availability asked."""
        return self.guarantee == "guaranteed" and self.availability is not None

    @property
    def begun(self) -> "Need":
        """The same of work that began: by when it was to start is no question any more."""
        return replace(self, when=replace(self.when, start_by_ms=None))


def need_of(spec: WorkloadSpec, now_ms: int) -> Need:
    """Read a spec that the models have validated. Defaults are listed in `assumed`, so that the answer shows them."""
    assumed: list[str] = []
    objectives = _objectives(spec)
    load = _load(spec, objectives, assumed) if spec.inference else None
    assurance = _assurance(spec, assumed)
    when = _when(spec, now_ms, assumed)
    complete_by_ms = _complete_by_ms(spec, when, assumed)
    return Need(
        work=spec.work,
        model=spec.inference.model if spec.inference else None,
        runtime=spec.inference.runtime if spec.inference else None,
        load=load,
        objectives=objectives,
        assurance=assurance,
        when=when,
        assumed=tuple(assumed),
        retention_ms=_retention_ms(spec, when),
        guarantee=spec.guarantee,
        preference=spec.preference,
        limits=limits_of(spec),
        complete_by_ms=complete_by_ms,
    )


def _complete_by_ms(spec: WorkloadSpec, when: Window, assumed: list[str]) -> int | None:
    """By when it is to be done. A time is counted from now, or from the start that is asked for: whoever asks for work
    within two hours counts from when he asks, and not from when it found room or he made up his mind."""
    wanted = spec.objectives.completion if spec.objectives is not None else None
    if wanted is None:
        return None
    by_ms = wanted.by_ms(when.earliest_ms)
    if wanted.within is not None:
        since = format_instant(when.earliest_ms)
        assumed.append(f"completion: {{by: {format_instant(by_ms)}}}, {wanted.within} counted from {since}")
    return by_ms


def _retention_ms(spec: WorkloadSpec, when: Window) -> int:
    """What is asked for; the windows of the accounting period are kept in any case, or nothing could be accounted."""
    asked = spec.assurance.retention if spec.assurance is not None else None
    return max(RETENTION_DEFAULT.ms if asked is None else asked.ms, period_ms_of(when.duration_ms))


def need_digest(spec: WorkloadSpec) -> str:
    """Names the question: equal needs have equal digests, whatever offer was chosen. Twelve hexadecimal characters."""
    question = {name: value for name, value in spec.to_json().items() if name not in NOT_THE_NEED}
    return hashlib.sha256(rfc8785.dumps(question)).hexdigest()[:12]


def _objectives(spec: WorkloadSpec) -> tuple[Objective, ...]:
    wanted = spec.objectives or wire.Objectives()
    latencies = [
        LatencyObjective(Metric(metric), float(percentile.removeprefix("p")), int(bound))
        for metric, percentile, bound in wanted.latencies()
    ]
    rates = [
        RateObjective(metric, int(floor))
        for metric, floor in (
            (Metric.OUTPUT_TOKENS_PER_SECOND, wanted.output_tokens_per_second),
            (Metric.REQUESTS_PER_SECOND, wanted.requests_per_second),
        )
        if floor
    ]
    asked = wanted.availability
    return (*latencies, *rates, *([AvailabilityObjective(int(asked))] if asked is not None else ()))


def _load(spec: WorkloadSpec, objectives: tuple[Objective, ...], assumed: list[str]) -> Load:
    if spec.load is not None:
        load = spec.load
        return Load(int(load.requests_per_second), load.prompt_tokens, load.output_tokens)
    # Only a rate was given: the load follows from it, with lengths that the answer names.
    arrivals_micro = 0
    for objective in objectives:
        if isinstance(objective, RateObjective):
            tokens = LENGTH_DEFAULT_TOKENS if objective.metric is Metric.OUTPUT_TOKENS_PER_SECOND else 1
            arrivals_micro = max(arrivals_micro, -(-objective.floor_micro // tokens))
    assumed.append(
        f"load: {{requestsPerSecond: {arrivals_micro / 1e6:g}, promptTokens: {LENGTH_DEFAULT_TOKENS}, "
        f"outputTokens: {LENGTH_DEFAULT_TOKENS}}} follows from the rate asked for"
    )
    return Load(arrivals_micro, LENGTH_DEFAULT_TOKENS, LENGTH_DEFAULT_TOKENS)


def _assurance(spec: WorkloadSpec, assumed: list[str]) -> Assurance:
    if spec.assurance is None and spec.inference is not None:
        default = wire.Assurance()
        assumed.append(
            f"assurance: {{window: {default.window}, share: {default.share}, confidence: {default.confidence}}}"
        )
    asked = spec.assurance or wire.Assurance()
    return Assurance(asked.window.ms, asked.share.value, asked.confidence.value)


def _when(spec: WorkloadSpec, now_ms: int, assumed: list[str]) -> Window:
    term = spec.term
    earliest = max(now_ms, int(term.start) if term.start is not None else now_ms)
    if term.duration is not None:
        duration = term.duration.ms
    elif term.end is not None:
        duration = max(1, int(term.end) - earliest)
    else:
        duration = TERM_DEFAULT.ms
        assumed.append(f"term: {{duration: {TERM_DEFAULT}}}")
    latest = max(earliest, int(term.start_by)) if term.start_by is not None else earliest
    start_by_ms = int(term.start_by) if term.start_by is not None else None
    return Window(earliest, latest, duration, int(term.end) if term.end is not None else None, start_by_ms)
