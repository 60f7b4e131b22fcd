"""One measured request, as every view (trial, tap, prober) records it, and what each objective reads of it.

A value that is not known exactly is an interval: a request still waiting has waited *at least* so long. Verdicts are
drawn from both ends of the intervals, so that an unfinished request can prove a breach but never hide one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from tenure.promises.objectives import Metric
from tenure.promises.percentiles import nearest_rank


class Outcome(StrEnum):
    """How a request ended, as far as its observer knows."""

    COMPLETED = "completed"
    FAILED = "failed"
    """The server refused or broke it: it counts as infinitely slow."""
    REJECTED = "rejected"
    """The request itself was wrong (400, 401, 404, 413 ...): it counts for nothing."""
    ABANDONED = "abandoned"
    """Its user went away first; known to have waited until then."""
    UNFINISHED = "unfinished"
    """Still running, or its observer died; known to have taken at least `end_after_ns`."""


_OUTCOMES = {str(outcome): outcome for outcome in Outcome}


def outcome_of_status(status: int) -> Outcome:
    """Outcome of an answered HTTP status. 408, 429 and 5xx are the server's failures; other 4xx are the request's."""
    if 200 <= status < 400:
        return Outcome.COMPLETED
    if 400 <= status < 500 and status not in (408, 429):
        return Outcome.REJECTED
    return Outcome.FAILED


@dataclass(frozen=True, slots=True)
class RequestSample:
    """One request. `arrival_ns` is Unix time; all else are durations from arrival, measured on a monotonic clock."""

    arrival_ns: int
    first_token_after_ns: int | None
    gaps_ns: tuple[int, ...]
    end_after_ns: int | None
    prompt_tokens: int | None
    output_tokens: int | None
    status: int
    outcome: Outcome = Outcome.COMPLETED
    request_id: str = ""
    sent_after_ns: int = 0
    """How late its sender was with it, connecting included; part of the latency, and a check on the sender."""
    progress_after_ns: int | None = None
    """When the newest token is known to have come, for a request whose gaps are recorded only at its end."""
    streamed: bool | None = None
    """Whether its answer was asked for as a stream, so that there is a first token to wait for; None where not known,
    which is taken as a stream."""
    gaps_at_least_ns: tuple[int, ...] = ()
    """Of a running answer, whose gaps are recorded only at its end: how long some of them were at the least, one value
    for each span in which tokens are known to have come."""
    end_by_kernel: bool = False
    """Whether its end is when the last bytes came, as the kernel has it, and not when whoever waited for them awoke."""

    @property
    def counts(self) -> bool:
        """Whether any promise is owed for it."""
        return self.outcome is not Outcome.REJECTED

    @property
    def last_token_after_ns(self) -> int | None:
        """When the newest token came."""
        if self.progress_after_ns is not None or self.first_token_after_ns is None:
            return self.progress_after_ns
        return self.first_token_after_ns + sum(self.gaps_ns)

    def as_record(self) -> dict[str, Any]:
        """Plain JSON. The instant is text, because canonical JSON (RFC 8785) holds no integer above 2^53."""
        seldom = {
            "streamed": self.streamed,
            "gapsAtLeastNs": list(self.gaps_at_least_ns) or None,
            "endByKernel": self.end_by_kernel or None,
        }
        return {name: value for name, value in seldom.items() if value is not None} | {
            "arrivalNs": str(self.arrival_ns),
            "firstTokenAfterNs": self.first_token_after_ns,
            "gapsNs": list(self.gaps_ns),
            "endAfterNs": self.end_after_ns,
            "promptTokens": self.prompt_tokens,
            "outputTokens": self.output_tokens,
            "status": self.status,
            "outcome": str(self.outcome),
            "requestId": self.request_id,
            "sentAfterNs": self.sent_after_ns,
            "progressAfterNs": self.progress_after_ns,
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> RequestSample:
        """Inverse of `as_record`. Raises KeyError or ValueError on anything else."""
        # In the order of the fields: verification does this for every request of every window.
        return cls(
            int(record["arrivalNs"]),
            record["firstTokenAfterNs"],
            tuple(record["gapsNs"]),
            record["endAfterNs"],
            record["promptTokens"],
            record["outputTokens"],
            record["status"],
            _OUTCOMES.get(record["outcome"]) or Outcome(record["outcome"]),
            record.get("requestId", ""),
            record.get("sentAfterNs", 0),
            record.get("progressAfterNs"),
            record.get("streamed"),
            tuple(record.get("gapsAtLeastNs", ())),
            record.get("endByKernel", False),
        )


@dataclass(frozen=True, slots=True)
class Window:
    """A span of Unix milliseconds, its start included and its end not. A request belongs where it arrived."""

    start_ms: int
    end_ms: int

    def holds(self, instant_ns: int) -> bool:
        """Whether an instant (Unix nanoseconds) falls into the window."""
        return self.start_ms * 1_000_000 <= instant_ns < self.end_ms * 1_000_000


class Reading(NamedTuple):
    """An interval in nanoseconds that holds the true value; `math.inf` when no upper end is known."""

    low: float
    high: float


def readings(
    samples: Iterable[RequestSample], metric: Metric, owed_gaps: int = 1, bound_ns: float = math.inf
) -> list[Reading]:
    """Every value that the metric takes over these requests: one a request, for the inter-token latency one a gap.

    `owed_gaps` is how many gaps an answer of the declared length has. A request that failed, or is still running, is
    charged those that it has not delivered, so that refusing requests can never improve a pooled percentile.

    `bound_ns` is what the objective allows. A user who left when it had passed waited too long, whoever ended the
    wait; one who left earlier tells nothing of what was still to come.
    """
    read = _READERS[metric]
    return [reading for sample in samples if sample.counts for reading in read(sample, owed_gaps, bound_ns)]


def percentile_reading(values: Sequence[Reading], percentile: float) -> Reading:
    """The interval that holds the nearest-rank percentile. Raises ValueError when there are no values."""
    rank = nearest_rank(percentile, len(values)) - 1
    return Reading(sorted(v.low for v in values)[rank], sorted(v.high for v in values)[rank])


def _unended(sample: RequestSample, waited_ns: float | None, bound_ns: float) -> list[Reading]:
    """A duration that never came to its end, or has not yet; `waited_ns` of it are known to have passed."""
    if sample.outcome is Outcome.FAILED:
        return [Reading(math.inf, math.inf)]
    waited = float(waited_ns or 0)
    if sample.outcome is Outcome.ABANDONED and waited <= bound_ns:
        return []
    return [Reading(waited, math.inf)]


def _time_to_first_token(sample: RequestSample, owed_gaps: int, bound_ns: float) -> list[Reading]:  # noqa: ARG001
    if sample.outcome is Outcome.FAILED:
        return _unended(sample, None, bound_ns)  # Also where it broke off behind its first token: it was no answer.
    if sample.first_token_after_ns is not None:
        return [Reading(sample.first_token_after_ns, sample.first_token_after_ns)]
    if sample.outcome is Outcome.COMPLETED:
        return []  # Answered in one piece, as its user asked: there was no first token to time.
    return _unended(sample, None if sample.streamed is False else sample.end_after_ns, bound_ns)


def _request_latency(sample: RequestSample, owed_gaps: int, bound_ns: float) -> list[Reading]:  # noqa: ARG001
    if sample.outcome is Outcome.COMPLETED and sample.end_after_ns is not None:
        return [Reading(sample.end_after_ns, sample.end_after_ns)]
    return _unended(sample, sample.end_after_ns, bound_ns)


def _gaps(sample: RequestSample, owed_gaps: int, bound_ns: float) -> list[Reading]:
    closed = [Reading(gap, gap) for gap in sample.gaps_ns]
    if sample.outcome is Outcome.COMPLETED:
        return closed
    if _known_so_far(sample, owed_gaps):
        return _running_gaps(sample, closed, owed_gaps)
    missing = max(1, owed_gaps - len(closed))
    # Who left has one gap open; what would have come behind it nobody waited for.
    rest = _unended(sample, None, bound_ns) * (missing - 1)
    return closed + _unended(sample, _open_gap_ns(sample), bound_ns) + rest


def _known_so_far(sample: RequestSample, owed_gaps: int) -> bool:
    """Whether what is known of a running answer proves anything. Not of one that is longer than was declared: that it
    came late may be its user's doing, which shows once it ends."""
    within = (sample.output_tokens or 0) - 1 <= owed_gaps
    return sample.outcome is Outcome.UNFINISHED and within and bool(sample.gaps_at_least_ns)


def _running_gaps(sample: RequestSample, closed: list[Reading], owed_gaps: int) -> list[Reading]:
    """What came late came late, however fast the rest of an answer of the declared length comes. From above nothing is
    known before its end."""
    known = closed + [Reading(gap, math.inf) for gap in sample.gaps_at_least_ns]
    # Behind its last token no gap is open, however long its end takes.
    whole = (sample.output_tokens or 0) > owed_gaps
    still_open = 0.0 if whole else float(_open_gap_ns(sample) or 0)
    return [*known, Reading(still_open, math.inf), *[Reading(0.0, math.inf)] * (owed_gaps - 1 - len(known))]


def _open_gap_ns(sample: RequestSample) -> int | None:
    """What has been waited since the newest token; None before the first."""
    last = sample.last_token_after_ns
    return None if last is None or sample.end_after_ns is None else max(0, sample.end_after_ns - last)


def _time_per_output_token(sample: RequestSample, owed_gaps: int, bound_ns: float) -> list[Reading]:
    if _known_so_far(sample, owed_gaps) and sample.first_token_after_ns is not None:
        took = (sample.last_token_after_ns or 0) - sample.first_token_after_ns
        return [Reading(took / max(owed_gaps, 1), math.inf)]
    if sample.outcome is Outcome.ABANDONED:
        # With the open gap it may be too slow already, however fast the rest of an answer had come.
        whole = sum(sample.gaps_ns) + (_open_gap_ns(sample) or 0)
        late = _unended(sample, whole / max(owed_gaps, len(sample.gaps_ns) + 1), bound_ns)
        if late:
            return late
    if sample.gaps_ns and sample.outcome in (Outcome.COMPLETED, Outcome.ABANDONED):
        mean = sum(sample.gaps_ns) / len(sample.gaps_ns)
        return [Reading(mean, mean)]
    return [] if sample.outcome is Outcome.COMPLETED else _unended(sample, None, bound_ns)


_READERS = {
    Metric.TIME_TO_FIRST_TOKEN: _time_to_first_token,
    Metric.INTER_TOKEN_LATENCY: _gaps,
    Metric.REQUEST_LATENCY: _request_latency,
    Metric.TIME_PER_OUTPUT_TOKEN: _time_per_output_token,
}
