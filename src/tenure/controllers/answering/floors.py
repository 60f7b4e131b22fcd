"""Floors of rates from windows measured under saturation: what a shape delivers whenever that much is demanded. Pure.

A server that is never without work shows what it can do; one under a declared load shows what was asked of it. Only the
first bounds a floor. It bounds no latency: the load generator waits for answers before it asks again.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from tenure.controllers.answering.measured import CONFIDENCE_LEAST, Carried, Measured
from tenure.promises import (
    Assurance,
    Bound,
    Load,
    Metric,
    NoBound,
    RateObjective,
    RequestSample,
    Window,
    bound_by_windows,
    window_rate_micro,
)
from tenure.quantities import Rate


def saturated_like(measured: Sequence[Measured], target: Load, window_ms: int) -> list[Measured]:
    """What was measured under saturation with such lengths. Longer prompts cost more and bound shorter ones."""
    return [
        m
        for m in measured
        if m.saturated
        and m.window_ms == window_ms
        and m.load.prompt_tokens >= target.prompt_tokens
        and m.load.output_tokens == target.output_tokens
    ]


def carry_floor(measured: Sequence[Measured], objective: RateObjective, assurance: Assurance) -> Carried | None:
    """The highest honest floor, at the confidence asked or the most that the evidence carries."""
    found = [carried for m in measured if (carried := _carry(m, objective, assurance)) is not None]
    return max(found, key=lambda carried: (carried.assurance.confidence, carried.floor_micro), default=None)


def _carry(evidence: Measured, objective: RateObjective, assurance: Assurance) -> Carried | None:
    rates = rates_micro(evidence.windows, evidence.window_ms, objective.metric, evidence.choosing)
    answer = _bound(rates, assurance, assurance.confidence)
    if isinstance(answer, Bound):
        return Carried(objective, answer, assurance, evidence)
    lesser = math.floor(answer.confidence_carried * 100) / 100
    if answer.reason != "TooFewWindows" or not CONFIDENCE_LEAST <= lesser < assurance.confidence:
        return None
    answer = _bound(rates, assurance, lesser)
    if isinstance(answer, NoBound):
        return None
    return Carried(objective, answer, replace(assurance, confidence=lesser), evidence)


def _bound(rates: Sequence[float], assurance: Assurance, confidence: float) -> Bound | NoBound:
    """The least is the worst, so the rates are negated for a bound on what is large."""
    return bound_by_windows([-rate for rate in rates], assurance.share, confidence)


def rates_micro(
    windows: Sequence[Sequence[RequestSample]], window_ms: int, metric: Metric, leaving_out: int = 1
) -> list[float]:
    """Micro-units per second delivered in each window but the first, to which nothing was carried over.

    What an answer goes on with in the next window counts where it came, though nobody asked anew in that window.
    """
    samples: list[RequestSample] = [sample for window in windows for sample in window]
    starts = _starts(windows, window_ms)
    return [
        0.0 if start is None else window_rate_micro(metric, samples, Window(start, start + window_ms))
        for start in starts[leaving_out:]
    ]


def _starts(windows: Sequence[Sequence[RequestSample]], window_ms: int) -> list[int | None]:
    """When each window began, Unix ms: known from a request in it, else one window after the one before."""
    starts: list[int | None] = []
    for window in windows:
        before = starts[-1] if starts else None
        if window:
            starts.append(min(sample.arrival_ns for sample in window) // (window_ms * 10**6) * window_ms)
        else:
            starts.append(None if before is None else before + window_ms)
    return starts


def rounded_down(floor_micro: float) -> Rate:
    """A measured floor as it is promised: down to two significant digits, so never more than was measured."""
    value = max(0, int(floor_micro))
    step = 10 ** max(0, len(str(value)) - 2)
    return Rate(value // step * step)
