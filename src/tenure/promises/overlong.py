"""Requests that run on for so long that no verdict waits for their end.

One that has not begun by then has failed its user, and where a bound is on gaps one that has not come to the declared
length: as slow as the bound permits, it is long over. One that has come further is longer than was declared, one of
which its user takes no more waits for him, and how far one has come that he wants in one piece nobody knows: these
count as far as they came, as if he had left. So does every other that goes on, for a bound on its beginning or on being
answered; for a floor of a rate it tells nothing before its end. So one endless answer holds no bound's window open for
ever, and neither side gains by it.
"""

from __future__ import annotations

from dataclasses import replace

from tenure.promises.objectives import MICRO, LatencyObjective, Metric, Objective, Promise, RateObjective
from tenure.promises.samples import Outcome, RequestSample, Window
from tenure.promises.views import WindowEvidence

OPEN_PATIENCE_MS = 300_000
"""A window waits for so long at the least: five minutes, with which most clients give up by themselves."""

_HELD_MS = 5_000
"""A request whose known wait ended so long before the tap last spoke is one of which its user takes no more."""


def patience_ms(promise: Promise) -> int:
    """How long after its end a window waits for open requests: never less than twice what the bound permits."""
    objective = promise.objective
    if not isinstance(objective, LatencyObjective):
        return OPEN_PATIENCE_MS
    gaps = max(1, promise.load.output_tokens - 1) if _paced(objective) else 1
    return max(OPEN_PATIENCE_MS, 2 * gaps * objective.bound_ns // MICRO)


def without_overlong(promise: Promise, window: Window, evidence: WindowEvidence) -> WindowEvidence:
    """The evidence with its open requests settled, once they have been waited for long enough."""
    if evidence.watched_until_ms < window.end_ms + patience_ms(promise):
        return evidence
    asof_ms = evidence.tap_asof_ms or evidence.watched_until_ms
    return replace(
        evidence,
        requests=tuple(_settled(promise, sample, asof_ms) for sample in evidence.requests),
        carried=tuple(_settled(promise, sample, asof_ms) for sample in evidence.carried),
        probes=tuple(replace(probe, outside=_given_up(probe.outside)) for probe in evidence.probes),
    )


def _given_up(sample: RequestSample) -> RequestSample:
    """A probe without an end: its prober waits for a minute and no longer."""
    return sample if sample.outcome is not Outcome.UNFINISHED else replace(sample, outcome=Outcome.ABANDONED)


def _settled(promise: Promise, sample: RequestSample, asof_ms: int) -> RequestSample:
    if sample.outcome is not Outcome.UNFINISHED:
        return sample
    if sample.streamed is False or _held(sample, asof_ms) or _longer_than_declared(promise, sample):
        return replace(sample, outcome=Outcome.ABANDONED)
    if sample.first_token_after_ns is None or _is_paced(promise.objective):
        return replace(sample, outcome=Outcome.FAILED)
    # It goes on, within the declared length, and no bound says how slowly it may.
    return sample if isinstance(promise.objective, RateObjective) else replace(sample, outcome=Outcome.ABANDONED)


def _held(sample: RequestSample, asof_ms: int) -> bool:
    waited_until_ms = (sample.arrival_ns + (sample.end_after_ns or 0)) // MICRO
    return asof_ms - waited_until_ms > _HELD_MS


def _longer_than_declared(promise: Promise, sample: RequestSample) -> bool:
    """Whether it has the tokens of a whole answer already, and not because it drips slower than the bound permits."""
    came, first, last = sample.output_tokens or 0, sample.first_token_after_ns, sample.last_token_after_ns
    if came < max(2, promise.load.output_tokens) or first is None or last is None:
        return False
    objective = promise.objective
    if isinstance(objective, LatencyObjective) and _paced(objective):
        return (last - first) / (came - 1) <= objective.bound_ns
    return True


def _is_paced(objective: Objective) -> bool:
    return isinstance(objective, LatencyObjective) and _paced(objective)


def _paced(objective: LatencyObjective) -> bool:
    return objective.metric in (Metric.INTER_TOKEN_LATENCY, Metric.TIME_PER_OUTPUT_TOKEN)
