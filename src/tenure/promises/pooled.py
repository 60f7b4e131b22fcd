"""The percentile of a window, without an object for each of its thousands of gaps.

`readings` and `percentile_reading` are the definition; this is the same value, found by selection instead of sorting.
A verifier computes it ten thousand times over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from tenure.promises.objectives import LatencyObjective, Metric
from tenure.promises.percentiles import nearest_rank
from tenure.promises.samples import Outcome, Reading, RequestSample, percentile_reading, readings

_SELECT_FROM = 256
"""Values below which sorting costs less than handing them over to numpy."""


def window_reading(samples: Sequence[RequestSample], objective: LatencyObjective, owed_gaps: int = 1) -> Reading | None:
    """The interval (ns) that holds the window's percentile; None where no request tells the metric.

    Equal to `percentile_reading(readings(..., objective.bound_ns))` in every case.
    """
    counting = [sample for sample in samples if sample.counts]
    exact = _exact(counting, objective.metric)
    if exact is None:  # some request's value is an interval
        values = readings(counting, objective.metric, owed_gaps, objective.bound_ns)
        return percentile_reading(values, objective.percentile) if values else None
    if not exact:
        return None
    value = _select(exact, nearest_rank(objective.percentile, len(exact)) - 1)
    return Reading(value, value)


def window_percentile(
    samples: Iterable[RequestSample], objective: LatencyObjective, owed_gaps: int = 1
) -> float | None:
    """The window's percentile in ns, every doubt taken as the worst (unfinished, failed: infinite); None if empty."""
    seen = window_reading(list(samples), objective, owed_gaps)
    return None if seen is None else seen.high


def _exact(samples: Sequence[RequestSample], metric: Metric) -> list[int] | None:
    """Every value of the metric, where all are whole numbers that are known exactly; None where one may not be."""
    completed = all(sample.outcome is Outcome.COMPLETED for sample in samples)
    if metric is Metric.TIME_PER_OUTPUT_TOKEN or not completed:
        return None
    if metric is Metric.INTER_TOKEN_LATENCY:
        return list(chain.from_iterable(sample.gaps_ns for sample in samples))
    if metric is Metric.TIME_TO_FIRST_TOKEN:
        # One that was answered in one piece had none.
        return [sample.first_token_after_ns for sample in samples if sample.first_token_after_ns is not None]
    ends = [sample.end_after_ns for sample in samples if sample.end_after_ns is not None]
    return ends if len(ends) == len(samples) else None


def _select(values: list[int], rank: int) -> float:
    """The value at `rank` (0 = smallest)."""
    if len(values) >= _SELECT_FROM:
        import numpy  # here, because the prober imports this room and runs beside every workload

        column = numpy.array(values)
        if column.dtype.kind == "i":  # else some value is no whole number of 64 bits, and Python compares it exactly
            column.partition(rank)
            return int(column[rank])
    return sorted(values)[rank]
