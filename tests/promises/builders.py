"""Requests and promises in one line each."""

from __future__ import annotations

from tenure.promises import Assurance, LatencyObjective, Load, Metric, Outcome, Promise, RequestSample

MS = 1_000_000


def request(
    at_ms: int = 0,
    *,
    first_ms: float | None = 100,
    gaps_ms: tuple[float, ...] = (10, 10, 10),
    end_ms: float | None = None,
    outcome: Outcome = Outcome.COMPLETED,
    prompt_tokens: int | None = 50,
    output_tokens: int | None = 4,
    status: int = 200,
    request_id: str = "",
) -> RequestSample:
    gaps = tuple(round(gap * MS) for gap in gaps_ms) if first_ms is not None else ()
    end_ns = round(end_ms * MS) if end_ms is not None else None
    if end_ns is None and outcome is Outcome.COMPLETED and first_ms is not None:
        end_ns = round(first_ms * MS) + sum(gaps)
    return RequestSample(
        arrival_ns=at_ms * MS,
        first_token_after_ns=None if first_ms is None else round(first_ms * MS),
        gaps_ns=gaps,
        end_after_ns=end_ns,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
        status=status,
        outcome=outcome,
        request_id=request_id,
    )


def promise(
    metric: Metric = Metric.TIME_TO_FIRST_TOKEN,
    percentile: float = 95,
    bound_ms: int = 200,
    *,
    arrivals: float = 1.0,
    window_ms: int = 10_000,
    share: float = 0.9,
    confidence: float = 0.9,
) -> Promise:
    return Promise(
        LatencyObjective(metric, percentile, bound_ms * MS),
        Load(round(arrivals * 1e6), prompt_tokens=50, output_tokens=4),
        Assurance(window_ms, share, confidence),
    )
