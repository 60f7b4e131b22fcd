"""From a journal's records to the samples that verdicts are drawn from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tenure.measurement.sketch import Sketch
from tenure.promises import Outcome, RequestSample, outcome_of_status

GAPS_KNOWN_MAX = 512
"""Of a running answer no more gaps are handed on than are kept exactly of a whole one: the longest."""


def sample_of(record: dict[str, Any]) -> RequestSample:
    """Sample of an `end` record. Gaps kept as a sketch come back as the upper edges of its buckets, never shorter."""
    sketch, gaps = record.get("gapSketch"), record.get("gapsNs")
    how, status = record["how"], record["status"]
    outcome = {"abandoned": Outcome.ABANDONED, "failed": Outcome.FAILED}.get(how) or outcome_of_status(status)
    if outcome is Outcome.COMPLETED and record.get("streamed") and record["firstNs"] is None:
        outcome = Outcome.FAILED  # A stream without a single token is no answer.
    return RequestSample(
        arrival_ns=record["arrivalNs"],
        first_token_after_ns=record["firstNs"],
        gaps_ns=tuple(Sketch.from_record(sketch).values_ns() if sketch else gaps or ()),
        end_after_ns=record["endNs"],
        prompt_tokens=record["promptTokens"],
        output_tokens=record["outputTokens"],
        status=status,
        outcome=outcome,
        request_id=record.get("requestId", ""),
        streamed=record.get("stream"),
    )


def note_progress(record: dict[str, Any], tokens: int, newest_ns: int | None) -> None:
    """What a mark says of a request in flight. Of the gaps that ended since the mark before, the longest was at least
    as long as their mean: where tokens come slower than marks, that is each gap itself."""
    before_ns = record.get("progressNs")
    if newest_ns is not None:
        came = tokens - (record.get("tokens") or 1)
        if before_ns is not None and came > 0:
            known = record.setdefault("gapsAtLeastNs", [])
            known.append(-(-(newest_ns - before_ns) // came))
            if len(known) > 2 * GAPS_KNOWN_MAX:
                known[:] = longest_gaps(known)
        record["progressNs"] = newest_ns
    record["tokens"] = tokens


def unended_sample(record: dict[str, Any], outcome: Outcome, asof_ns: int | None) -> RequestSample:
    """Sample of a request that has a start but no end; its gaps so far are not known, its newest token is, and, while
    it runs, how many there are and what the marks tell of the gaps between them."""
    running = outcome is Outcome.UNFINISHED
    return RequestSample(
        arrival_ns=record["arrivalNs"],
        first_token_after_ns=record.get("firstNs"),
        gaps_ns=(),
        end_after_ns=asof_ns,
        prompt_tokens=None,
        output_tokens=(record.get("tokens") or None) if running else None,
        status=0,
        outcome=outcome,
        request_id=record.get("requestId", ""),
        progress_after_ns=record.get("progressNs"),
        streamed=record.get("stream"),
        gaps_at_least_ns=longest_gaps(record.get("gapsAtLeastNs", ())) if running else (),
    )


def longest_gaps(gaps_ns: Iterable[int]) -> tuple[int, ...]:
    """As many as are handed on of a running answer, the longest first."""
    return tuple(sorted(gaps_ns, reverse=True)[:GAPS_KNOWN_MAX])
