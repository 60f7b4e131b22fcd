"""Commissioning's verdict: does the measurement on the very allocation contradict what is promised? Pure.

A promise that holds in a share s of the windows may miss some of the few that commissioning has time for. It fails when
so few windows lie within the bound that, were the promise true, fewer would be seen with a probability below 1 - c: the
one-sided exact binomial test at the contract's own confidence.
"""

from collections.abc import Sequence

from tenure.controllers.answering.choices import rounded_up
from tenure.promises import LatencyObjective, Metric, RequestSample, window_percentile
from tenure.promises.binomial import binomial_cdf
from tenure.promises.percentiles import nearest_rank
from tenure.resources.kinds.allocation import Promises, StatisticalPromise
from tenure.resources.kinds.contract import CommissioningFigure


def objective_of(promise: StatisticalPromise) -> LatencyObjective | None:
    """The latency objective behind a promise of the API; None for rates."""
    if promise.bound is None or promise.percentile is None:
        return None
    return LatencyObjective(Metric(promise.metric), float(promise.percentile.removeprefix("p")), int(promise.bound))


def judge_commissioning(promises: Promises, windows: Sequence[Sequence[RequestSample]]) -> list[CommissioningFigure]:
    """One figure a latency promise, in the order of the promises. No window with a request is no holding figure."""
    owed = (promises.load.output_tokens if promises.load else 2) - 1
    figures = []
    for promise in promises.statistical:
        objective = objective_of(promise)
        if objective is not None:
            figures.append(_figure(promise, objective, windows, owed))
    return figures


def _figure(
    promise: StatisticalPromise,
    objective: LatencyObjective,
    windows: Sequence[Sequence[RequestSample]],
    owed: int,
) -> CommissioningFigure:
    found = [window_percentile(window, objective, owed) for window in windows]
    measured = sorted(value for value in found if value is not None)
    within = sum(value <= objective.bound_ns for value in measured)
    holds = bool(measured) and not _contradicted(len(measured), within, promise.share.value, promise.confidence.value)
    # Shown beside the promise: the percentile that a share s of these windows kept.
    shown = measured[nearest_rank(promise.share.value * 100, len(measured)) - 1] if measured else None
    return CommissioningFigure(
        metric=promise.metric,
        percentile=promise.percentile,
        promised=promise.bound,
        measured=None if shown is None or shown == float("inf") else rounded_up(shown),
        windows=len(measured),
        windows_within=within,
        samples=sum(len(window) for window in windows),
        holds=holds,
    )


def _contradicted(count: int, within: int, share: float, confidence: float) -> bool:
    return binomial_cdf(within, count, share) < 1 - confidence
