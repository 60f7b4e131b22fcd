"""What a contract's own windows measured, as evidence for the next terms. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from tenure.controllers.answering.capability import choosing_windows
from tenure.controllers.answering.measured import Measured, RunShape
from tenure.promises import Load, RequestSample, poisson_quantile

LESS_THAN_DECLARED = 0.05
"""Arrivals below this quantile of the declared process were a lighter load than was declared."""
LENGTH_TOLERANCE = 0.1
"""Lengths that are shorter by less than this are those declared: users do not count tokens."""


def measured_in_service(
    windows: Sequence[Sequence[RequestSample]],
    *,
    shape: RunShape,
    declared: Load,
    window_ms: int,
    hardware_class: str,
    runtime: str,
    at_ms: int,
) -> Measured | None:
    """The windows as evidence of the shape that ran, under the load that there really was, at most the declared one.

    Evidence under a lighter load never bounds a heavier one, so what nobody asked of it in service is not promised on.
    None where no window has a request.
    """
    asked = tuple(tuple(window) for window in windows if window)
    if not asked:
        return None
    return Measured(
        shape=shape,
        load=load_seen(asked, len(windows) * window_ms, declared),
        window_ms=window_ms,
        windows=asked,
        choosing=choosing_windows(len(asked)) if len(asked) > 1 else 0,
        neighbours="quiet",  # as it happened to be: the weaker key
        hardware_class=hardware_class,
        runtime=runtime,
        measured_at_ms=at_ms,
    )


def load_seen(windows: Sequence[Sequence[RequestSample]], length_ms: int, declared: Load) -> Load:
    """The declared load where what came is in keeping with it, else what came, axis by axis."""
    samples = [sample for window in windows for sample in window]
    expected = declared.arrivals_per_second * length_ms / 1000
    arrivals = declared.arrivals_micro
    if len(samples) < poisson_quantile(expected, LESS_THAN_DECLARED):
        arrivals = len(samples) * 10**9 // length_ms
    return replace(
        declared,
        arrivals_micro=arrivals,
        prompt_tokens=_length([s.prompt_tokens for s in samples], declared.prompt_tokens),
        output_tokens=_length([s.output_tokens for s in samples], declared.output_tokens),
    )


def _length(seen: Sequence[int | None], declared: int) -> int:
    known = [tokens for tokens in seen if tokens]
    mean = sum(known) // len(known) if known else declared
    return declared if mean >= declared * (1 - LENGTH_TOLERANCE) else max(1, mean)
