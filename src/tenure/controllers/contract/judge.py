"""Commissioning's verdict: does the measurement on the very allocation contradict what is promised? Pure.

A promise that holds in a share s of the windows may miss some of the few that commissioning has time for. It fails when
so few windows lie within the bound that, were the promise true, fewer would be seen with a probability below 1 - c: the
one-sided exact binomial test at the contract's own confidence.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from tenure.controllers.answering.choices import rounded_up
from tenure.controllers.answering.floors import rates_micro, rounded_down
from tenure.measurement import TrialPlan, saturating
from tenure.promises import (
    AvailabilityObjective,
    LatencyObjective,
    Load,
    Metric,
    Objective,
    RateObjective,
    RequestSample,
    window_percentile,
    window_share_micro,
)
from tenure.promises.binomial import binomial_cdf
from tenure.promises.objectives import MICRO
from tenure.promises.percentiles import nearest_rank
from tenure.resources.kinds.allocation import Promises, Shape, StatisticalPromise
from tenure.resources.kinds.standing import CommissioningFigure

WINDOWS = 4
Windows = Sequence[Sequence[RequestSample]]


class Kind(StrEnum):
    """How a commissioning measures: latencies under the declared load, floors while there is always work."""

    UNDER_LOAD = "load"
    SATURATED = "saturation"


def objective_of(promise: StatisticalPromise) -> Objective | None:
    """The objective behind a promise of the API; None for one that this version does not know."""
    if promise.bound is not None and promise.percentile is not None:
        percentile = float(promise.percentile.removeprefix("p"))
        return LatencyObjective(Metric(promise.metric), percentile, int(promise.bound))
    if promise.floor is not None and int(promise.floor) > 0:
        return RateObjective(Metric(promise.metric), int(promise.floor))
    if promise.answered is not None:
        return AvailabilityObjective(int(promise.answered))
    return None


def commissioning_plans(promises: Promises, shape: Shape | None) -> dict[Kind, TrialPlan]:
    """What is measured before the signature, one after the other."""
    assert promises.load is not None, "statistical promises are made under a load"
    load = Load(int(promises.load.requests_per_second), promises.load.prompt_tokens, promises.load.output_tokens)
    window_ms = promises.statistical[0].window.ms
    objectives = [objective_of(promise) for promise in promises.statistical]
    plans = {}
    if any(isinstance(objective, LatencyObjective | AvailabilityObjective) for objective in objectives):
        plans[Kind.UNDER_LOAD] = TrialPlan(load, window_ms, WINDOWS)
    if any(isinstance(objective, RateObjective) for objective in objectives):
        # The first window is none to judge: nothing was carried over to it.
        in_flight = saturating(shape.slots if shape else 1)
        plans[Kind.SATURATED] = TrialPlan(load, window_ms, WINDOWS + 1, in_flight=in_flight)
    return plans


def judge_commissioning(promises: Promises, found: Mapping[Kind, Windows]) -> list[CommissioningFigure]:
    """One figure a promise, in the order of the promises. No window with a request is no holding figure."""
    owed = (promises.load.output_tokens if promises.load else 2) - 1
    figures = []
    for promise in promises.statistical:
        objective = objective_of(promise)
        if isinstance(objective, LatencyObjective):
            figures.append(_figure(promise, objective, found.get(Kind.UNDER_LOAD, ()), owed))
        elif isinstance(objective, AvailabilityObjective):
            figures.append(_answered(promise, objective, found.get(Kind.UNDER_LOAD, ())))
        elif objective is not None:
            figures.append(_floor(promise, objective, found.get(Kind.SATURATED, ())))
    return figures


def _floor(promise: StatisticalPromise, objective: RateObjective, windows: Windows) -> CommissioningFigure:
    measured = sorted(rates_micro(windows, promise.window.ms, objective.metric), reverse=True)
    within = sum(rate >= objective.floor_micro for rate in measured)
    shown = measured[nearest_rank(promise.share.value * 100, len(measured)) - 1] if measured else None
    return CommissioningFigure(
        metric=promise.metric,
        promised_floor=f"{promise.floor}/s",
        measured_floor=None if shown is None else f"{rounded_down(shown)}/s",
        windows=len(measured),
        windows_within=within,
        samples=sum(len(window) for window in windows),
        holds=bool(measured)
        and not _contradicted(len(measured), within, promise.share.value, promise.confidence.value),
    )


def _answered(promise: StatisticalPromise, objective: AvailabilityObjective, windows: Windows) -> CommissioningFigure:
    shares = [share for window in windows if (share := window_share_micro(window)) is not None]
    measured = sorted(shares, reverse=True)
    within = sum(share >= objective.share_micro for share in measured)
    shown = measured[nearest_rank(promise.share.value * 100, len(measured)) - 1] if measured else None
    return CommissioningFigure(
        metric=promise.metric,
        promised_answered=promise.answered,
        measured_answered=None if shown is None else shown / MICRO,
        windows=len(measured),
        windows_within=within,
        samples=sum(len(window) for window in windows),
        holds=bool(measured)
        and not _contradicted(len(measured), within, promise.share.value, promise.confidence.value),
    )


def _figure(
    promise: StatisticalPromise,
    objective: LatencyObjective,
    windows: Windows,
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
