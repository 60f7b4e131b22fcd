"""The words of a need: load, objectives, assurance, residency, term. Shared by Workload, Offer and Contract."""

import itertools
from typing import Literal

from pydantic import Field, model_validator

from tenure.quantities import Duration, Instant, Rate, Ratio
from tenure.resources.base import Strict, violation
from tenure.resources.countries import Country
from tenure.resources.kinds import rules

AN_INSTANT = "2026-12-01T09:00:00Z"
PERCENTILES = ("p50", "p90", "p95", "p99")
TOKENS_MAX = 1_000_000
WINDOW_MS_MAX = 30 * 86_400_000
WINDOW_DEFAULT = Duration.parse("60s")
TERM_END_MS_MAX = 253_402_300_800_000 - 1_000 * 31_557_600_000
"""The year 9000: beyond that what follows a term (grace, retention) has no time that can be written."""


class Load(Strict):
    """Arrivals per second (Poisson) and the lengths of prompt and answer in tokens."""

    requests_per_second: Rate = Field(
        description="requests that arrive in a second, on average, at random moments (Poisson); above 0"
    )
    prompt_tokens: int = Field(
        default=64, ge=1, le=TOKENS_MAX, description="tokens in the prompt of a request", examples=[512]
    )
    output_tokens: int = Field(
        default=64, ge=1, le=TOKENS_MAX, description="tokens in the answer to a request", examples=[128]
    )
    cel_rules = rules.LOAD

    @model_validator(mode="after")
    def _some_load(self) -> "Load":
        if int(self.requests_per_second) == 0:
            raise violation(
                "InvalidLoad", "requestsPerSecond is 0; nothing is promised under no load", "ask for more than 0"
            )
        return self


class LatencyObjective(Strict):
    """Upper bounds on percentiles over the requests of a window."""

    p50: Duration | None = Field(default=None, description="in a window, half take no longer than this")
    p90: Duration | None = Field(default=None, description="in a window, 90 % take no longer than this")
    p95: Duration | None = Field(default=None, description="in a window, 95 % take no longer than this")
    p99: Duration | None = Field(default=None, description="in a window, 99 % take no longer than this")
    cel_rules = rules.LATENCY

    def bounds(self) -> list[tuple[str, Duration]]:
        """The percentiles named, lowest first, with their bounds."""
        return [(p, bound) for p in PERCENTILES if (bound := getattr(self, p)) is not None]

    @model_validator(mode="after")
    def _coherent(self) -> "LatencyObjective":
        bounds = self.bounds()
        if not bounds:
            raise violation("ObjectiveEmpty", "names no percentile", "name one, for example p95: 1s")
        for name, bound in bounds:
            if int(bound) == 0:
                raise violation("ContradictoryObjectives", f"{name} is zero, which nothing can keep")
        for (low, low_bound), (high, high_bound) in itertools.pairwise(bounds):
            if low_bound > high_bound:
                raise violation(
                    "ContradictoryObjectives",
                    f"{low} ({low_bound}) is above {high} ({high_bound}); "
                    "a lower percentile is never slower than a higher one",
                )
        return self


class Completion(Strict):
    """A deadline: an instant, or how long it may take from when it is offered."""

    by: Instant | None = Field(
        default=None, description="the instant by which the work is done; by or within, not both", examples=[AN_INSTANT]
    )
    within: Duration | None = Field(
        default=None,
        description="counted from when the offer is made, or from term.start where that is later; the offer and the "
        "contract name the instant",
        examples=["2h"],
    )
    cel_rules = rules.COMPLETION

    @model_validator(mode="after")
    def _one_deadline(self) -> "Completion":
        if (self.by is None) == (self.within is None):
            said = "none" if self.by is None else "both"
            raise violation(
                "ExactlyOneOf",
                f"names {said} of by and within",
                "name one, for example within: 2h, or by: 2030-01-01T00:00:00Z",
            )
        if self.within is not None and int(self.within) == 0:
            raise violation(
                "ContradictoryObjectives", "within is zero, which nothing can keep", "name a time, for example 2h"
            )
        return self

    def by_ms(self, from_ms: int) -> int:
        """The instant that is meant where it is counted from `from_ms`, Unix milliseconds."""
        if self.by is not None:
            return int(self.by)
        assert self.within is not None, "one of the two is named"
        return from_ms + self.within.ms


LATENCIES = ("time_to_first_token", "inter_token_latency", "time_per_output_token", "request_latency")


class Objectives(Strict):
    """What must be achieved, in the field's terms; anyone's load generator can check them."""

    time_to_first_token: LatencyObjective | None = Field(
        default=None,
        description="from the request to the first token of its answer; at least one percentile, such as p95: 1s",
    )
    inter_token_latency: LatencyObjective | None = Field(
        default=None,
        description="between one token of an answer and the next; at least one percentile, such as p95: 60ms",
    )
    time_per_output_token: LatencyObjective | None = Field(
        default=None,
        description="the mean time a token of an answer after the first; at least one percentile, such as p95: 60ms",
    )
    request_latency: LatencyObjective | None = Field(
        default=None, description="from the request to the end of its answer; at least one percentile, such as p95: 10s"
    )
    output_tokens_per_second: Rate | None = Field(
        default=None,
        description="at least so many tokens of answers in a second, over each window, while there is so much to do",
        examples=["40"],
    )
    requests_per_second: Rate | None = Field(
        default=None,
        description="at least so many requests answered in a second, over each window, while there are so many",
    )
    samples_per_second: Rate | None = Field(
        default=None,
        description="at least so many samples in a second of training; not promised yet, a need that "
        "asks for it is refused",
    )
    step_time: LatencyObjective | None = Field(
        default=None,
        description="the time that a step of training takes; not promised yet, a need that asks for it is refused",
    )
    completion: Completion | None = Field(
        default=None, description="by when the work is done: an instant, or a time from the offer on; not of inference"
    )
    availability: Ratio | None = Field(
        default=None,
        description="at least this share of the requests is answered, in at least this share of the windows",
    )
    start_latency: LatencyObjective | None = Field(
        default=None,
        description="from acceptance to the start of the work; not promised yet, a need that asks for it is refused",
    )
    cel_rules = rules.OBJECTIVES

    def latencies(self) -> list[tuple[str, str, Duration]]:
        """(metric in wire spelling, percentile, bound) of every latency objective of inference."""
        from pydantic.alias_generators import to_camel

        found = [(to_camel(name), getattr(self, name)) for name in LATENCIES]
        return [
            (name, p, bound) for name, objective in found if objective is not None for p, bound in objective.bounds()
        ]

    @model_validator(mode="after")
    def _coherent(self) -> "Objectives":
        whole = dict(self.request_latency.bounds()) if self.request_latency else {}
        first = dict(self.time_to_first_token.bounds()) if self.time_to_first_token else {}
        for p in whole.keys() & first.keys():
            if first[p] > whole[p]:
                raise violation(
                    "ContradictoryObjectives",
                    f"timeToFirstToken.{p} ({first[p]}) is above requestLatency.{p} ({whole[p]}); "
                    "the first token is part of the request",
                )
        return self


class Assurance(Strict):
    """How sure it must be: in windows of this length, in this share of them, with this confidence."""

    window: Duration = Field(
        default_factory=lambda: WINDOW_DEFAULT,
        description="promises are judged window by window; this is how long one is, at least 1s and "
        "at most the term; default 60s",
        examples=["60s"],
    )
    share: Ratio = Field(
        default_factory=lambda: Ratio.parse(0.95),
        description="in at least this share of the windows the objectives are kept, above 0 and below 1; default 0.95",
    )
    confidence: Ratio = Field(
        default_factory=lambda: Ratio.parse(0.9),
        description="how sure it must be, before anything is promised, that this share is reached, "
        "above 0 and below 1; default 0.9",
        examples=["0.9"],
    )
    retention: Duration | None = Field(
        default=None,
        description="how long windows, journals and logs are kept; 30 days where nothing is said, and never shorter "
        "than the accounting period (the term, or 30 days)",
        examples=["90d"],
    )
    cel_rules = rules.ASSURANCE

    @model_validator(mode="after")
    def _measurable(self) -> "Assurance":
        if self.window.ms > WINDOW_MS_MAX:
            raise violation(
                "InvalidWindow", f"window {self.window} is above 30 days, longer than any accounting", "ask for less"
            )
        if self.window.ms < 1000:
            raise violation(
                "InvalidWindow", f"window {self.window} is below one second, too short to judge a percentile in"
            )
        return self


class Residency(Strict):
    """Where it may run. Judged by policy; never relaxed by a counter-offer."""

    jurisdictions: list[Literal["EU", "EEA"]] = Field(
        default_factory=list,
        description="the site stands in a country of one of these: [EU]; with countries, a place of "
        "either list will do",
    )
    countries: list[Country] = Field(default_factory=list, description="ISO 3166-1 alpha-2 codes")
    cel_rules = rules.RESIDENCY

    @model_validator(mode="after")
    def _some_place(self) -> "Residency":
        if not self.jurisdictions and not self.countries:
            raise violation(
                "ResidencyEmpty",
                "names no place",
                "name jurisdictions: [EU] or countries: [DE], or leave residency out",
            )
        return self


class Term(Strict):
    """For how long, and from when."""

    duration: Duration | None = Field(
        default=None, description="for how long; absent: until end, and 24h where there is none", examples=["8h"]
    )
    start: Instant | None = Field(default=None, description="not before; at once when absent", examples=[AN_INSTANT])
    start_by: Instant | None = Field(
        default=None, description="latest start that still serves; absent: any", examples=[AN_INSTANT]
    )
    end: Instant | None = Field(
        default=None, description="until when; of start, duration and end two say it all", examples=[AN_INSTANT]
    )
    cel_rules = rules.TERM

    @property
    def length_ms(self) -> int | None:
        """How long it is, where that can be told without a clock."""
        if self.duration is not None:
            return self.duration.ms
        return int(self.end) - int(self.start) if self.start is not None and self.end is not None else None

    @model_validator(mode="after")
    def _forward(self) -> "Term":
        last_ms = max(int(at) for at in (self.start or 0, self.start_by or 0, self.end or 0))
        if last_ms + (self.duration.ms if self.duration is not None else 0) > TERM_END_MS_MAX:
            raise violation("InvalidTerm", "ends after the year 8999, which nothing can keep", "name an earlier time")
        if self.duration is not None and int(self.duration) == 0:
            raise violation("InvalidTerm", "duration is zero", "ask for at least a second")
        if self.duration is not None and self.end is not None and self.start is not None:
            raise violation("InvalidTerm", "start, duration and end together say the same thing twice", "leave one out")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise violation("InvalidTerm", "end is not after start")
        if self.start is not None and self.start_by is not None and self.start_by < self.start:
            raise violation("InvalidTerm", "startBy is before start")
        return self
