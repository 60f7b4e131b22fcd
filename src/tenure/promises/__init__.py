"""What a promise means: objectives, bounds from samples, verdicts, error budgets.

Promises: pure functions of their arguments (no clock, no I/O, no chance), so that every bound and every verdict can be
recomputed by a stranger from the recorded samples. Durations are integer nanoseconds, instants Unix milliseconds (of
requests: nanoseconds), rates micro-units per second.
Refuses: to bound what the samples do not carry (it says what would), and to call kept what was not seen.
"""

from tenure.promises.autocorrelation import Exchangeability, exchangeability
from tenure.promises.binomial import binomial_interval, poisson_quantile
from tenure.promises.bounds import (
    Bound,
    Method,
    NoBound,
    bound_by_requests,
    bound_by_windows,
    confidence_carried,
    request_content,
    samples_needed,
    tolerance_rank,
)
from tenure.promises.objectives import (
    Assurance,
    LatencyObjective,
    Load,
    Metric,
    Objective,
    Promise,
    RateObjective,
)
from tenure.promises.percentiles import nearest_rank, percentile_of
from tenure.promises.samples import (
    Outcome,
    Reading,
    RequestSample,
    Window,
    outcome_of_status,
    percentile_reading,
    readings,
    window_percentile,
)

__all__ = [
    "Assurance",
    "Bound",
    "Exchangeability",
    "LatencyObjective",
    "Load",
    "Method",
    "Metric",
    "NoBound",
    "Objective",
    "Outcome",
    "Promise",
    "RateObjective",
    "Reading",
    "RequestSample",
    "Window",
    "binomial_interval",
    "bound_by_requests",
    "bound_by_windows",
    "confidence_carried",
    "exchangeability",
    "nearest_rank",
    "outcome_of_status",
    "percentile_of",
    "percentile_reading",
    "poisson_quantile",
    "readings",
    "request_content",
    "samples_needed",
    "tolerance_rank",
    "window_percentile",
]
