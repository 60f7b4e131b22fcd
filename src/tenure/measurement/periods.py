"""A promise's values over a long span, merged from the sketches of its windows: 1 % exact, in memory that is bounded.

A period may hold a million windows, and it is looked at every second. Hours that are over are merged once and kept as
one sketch each (at most 720 of them in 30 days), so that a look reads the windows of the hours at both ends alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tenure.measurement.sketch import Sketch
from tenure.measurement.store import MeasurementStore
from tenure.promises import (
    LatencyObjective,
    Metric,
    Outcome,
    Promise,
    RequestSample,
    Window,
    WindowEvidence,
    nearest_rank,
    readings,
)
from tenure.promises.overlong import without_overlong

HOUR_MS = 3_600_000


def window_sketch(promise: Promise, window: Window, evidence: WindowEvidence) -> Sketch | None:
    """The values that a window's own requests took, every doubt taken as the worst; None for a promise of a rate.

    What runs on and on counts as in the verdict. Of an answer that still ran when its window was broken the gaps that
    were known count, and not those to come: they may never be told, and are no worst of anything.

    Probes are left out: what users and what probers saw is never pooled.
    """
    objective = promise.objective
    if not isinstance(objective, LatencyObjective):
        return None
    requests = without_overlong(promise, window, evidence).requests
    if objective.metric in (Metric.INTER_TOKEN_LATENCY, Metric.TIME_PER_OUTPUT_TOKEN):
        requests = tuple(map(_as_far_as_known, requests))
    values = readings(requests, objective.metric, promise.load.output_tokens - 1, objective.bound_ns)
    return Sketch(value.high for value in values)


def _as_far_as_known(sample: RequestSample) -> RequestSample:
    if sample.outcome is not Outcome.UNFINISHED or not sample.gaps_at_least_ns:
        return sample
    return replace(sample, outcome=Outcome.COMPLETED, gaps_ns=sample.gaps_at_least_ns, gaps_at_least_ns=())


class Periods:
    """Merged values of promises over spans that begin and end at any instant."""

    def __init__(self, store: MeasurementStore) -> None:
        self._store = store
        self._hours: dict[tuple[str, str], dict[int, Sketch]] = {}
        self._newest: dict[tuple[str, str], tuple[int, Sketch]] = {}

    def merged(self, contract: str, promise: str, from_ms: int, to_ms: int) -> Sketch:
        """All values of the windows that began in [from_ms, to_ms). Merged anew only once `to_ms` has moved."""
        until_ms, newest = self._newest.get((contract, promise), (None, Sketch()))
        if until_ms != to_ms:
            newest = self._merge(contract, promise, from_ms, to_ms)
            self._newest[contract, promise] = to_ms, newest
        return newest

    def _merge(self, contract: str, promise: str, from_ms: int, to_ms: int) -> Sketch:
        whole = Sketch()
        kept = self._hours.setdefault((contract, promise), {})
        for start_ms, end_ms in _hours(from_ms, to_ms):
            if start_ms not in kept or end_ms - start_ms != HOUR_MS:
                found = self._store.merged(contract, promise, start_ms, end_ms)
                if end_ms - start_ms == HOUR_MS and self._store.settled_between(contract, promise, start_ms, end_ms):
                    kept[start_ms] = found
            else:
                found = kept[start_ms]
            whole.merge(found)
        for old_ms in [hour for hour in kept if hour + HOUR_MS <= from_ms]:
            del kept[old_ms]
        return whole

    def forget(self, contract: str) -> None:
        """The contract is over."""
        for key in [key for key in self._hours if key[0] == contract]:
            del self._hours[key]
            self._newest.pop(key, None)


def percentile_of(sketch: Sketch, percentile: float) -> float | None:
    """The nearest-rank percentile as the upper edge of its bucket: at most 2 % too long, never too short. ns."""
    return sketch.at_rank(nearest_rank(percentile, sketch.count))[1] if sketch.count else None


def _hours(from_ms: int, to_ms: int) -> Iterable[tuple[int, int]]:
    """The span cut at the clock's hours."""
    at_ms = from_ms
    while at_ms < to_ms:
        end_ms = min(to_ms, (at_ms // HOUR_MS + 1) * HOUR_MS)
        yield at_ms, end_ms
        at_ms = end_ms
