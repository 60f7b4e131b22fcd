"""Availability: was whoever asked answered? By windows, with one number for both of its parts.

A promise of availability A reads: in at least the share A of the windows, at least the share A of the requests is
answered. So its error budget is the windows that A leaves, which burns and is accounted for as any other's.

Answered means: it did not fail, and was at no time silent for longer than a minute. Users' requests are judged at the
tap. Probes are judged beside them, from outside, because a tap does not know of requests that never reached it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from tenure.promises.binomial import binomial_at_least
from tenure.promises.objectives import MICRO, AvailabilityObjective
from tenure.promises.samples import Outcome, Reading, RequestSample
from tenure.promises.verdicts import Reason, Verdict
from tenure.promises.views import WindowEvidence

SILENCE_NS_MAX = 60_000_000_000
"""Whoever hears nothing for so long was not answered: as long as a probe waits before it gives up."""

_HALVINGS = 60

Judged = tuple[Verdict, Reason, str, float | None, int]


def judge_availability(objective: AvailabilityObjective, evidence: WindowEvidence) -> Judged:
    """Verdict, reason, detail, the share answered (millionths) and how many requests it rests on."""
    said = [
        _judge_side(objective, whose, samples)
        for whose, samples in (("requests", evidence.requests), ("probes", [p.outside for p in evidence.probes]))
    ]
    found = [judged for judged in said if judged is not None]
    if not found:
        detail = "whoever asked left before a minute was over" if evidence.requests else "nobody asked"
        return Verdict.UNVERIFIABLE, Reason.TOO_FEW_SAMPLES, detail, None, 0
    # The worst of both sides; of equals the users' own.
    return max(found, key=lambda judged: judged[0].severity)


def _judge_side(objective: AvailabilityObjective, whose: str, samples: Iterable[RequestSample]) -> Judged | None:
    """One side's verdict, whatever becomes of what is still running; None where it has nothing to tell."""
    told = [reading for sample in samples if (reading := answered(sample)) is not None]
    if not told:
        return None
    count = len(told)
    low, high = (sum(ends) * MICRO / count for ends in zip(*told, strict=True))
    if low >= objective.share_micro:
        return Verdict.KEPT, Reason.WITHIN_BOUND, f"{count} {whose}", low, count
    if high < objective.share_micro:
        lost = sum(reading.high == 0 for reading in told)
        return Verdict.BREACHED, Reason.REQUESTS_FAILED, f"{lost} of {count} {whose} were not answered", high, count
    still = sum(reading.low != reading.high for reading in told)
    return Verdict.UNVERIFIABLE, Reason.NOT_SETTLED, f"{still} {whose} are still running", low, count


def answered(sample: RequestSample) -> Reading | None:
    """1 where it was answered, 0 where not, in between while nobody knows; None where it tells nothing.

    Whoever leaves before a minute is over and before anything came has not found out.
    """
    if not sample.counts:
        return None
    if sample.outcome is Outcome.FAILED or longest_silence_ns(sample) > SILENCE_NS_MAX:
        return Reading(0.0, 0.0)
    if sample.outcome is Outcome.COMPLETED:
        return Reading(1.0, 1.0)
    if sample.outcome is Outcome.UNFINISHED:
        return Reading(0.0, 1.0)
    return Reading(1.0, 1.0) if sample.first_token_after_ns is not None else None


def longest_silence_ns(sample: RequestSample) -> int:
    """What was waited at most for anything to come. Running answers tell their gaps at their end, so the newest token
    that is known counts; a gap that is found too long later was one of a minute by then as well."""
    ended = sample.end_after_ns or 0
    first = sample.first_token_after_ns if sample.first_token_after_ns is not None else ended
    waits = [first, *sample.gaps_ns]
    if sample.outcome in (Outcome.UNFINISHED, Outcome.ABANDONED):
        waits.append(ended - (sample.last_token_after_ns or 0))
    return max(waits)


def window_share_micro(samples: Sequence[RequestSample]) -> float | None:
    """The least share of one window's requests (millionths) that was answered; None where it tells nothing."""
    told = [reading.low for sample in samples if (reading := answered(sample)) is not None]
    return sum(told) * MICRO / len(told) if told else None


def share_carried_micro(kept: int, count: int, confidence: float) -> int:
    """The largest share (millionths, rounded down) that `kept` of `count` windows carry with this confidence.

    The lower bound of Clopper and Pearson (1934), one-sided: below it, so many kept windows would be seen with a
    probability under 1 - confidence. Where all were kept it is the share s with s^count = 1 - confidence, so it needs
    the very windows that Wilks needs.
    """
    if kept < 1 or count < 1:
        return 0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if binomial_at_least(kept, count, middle) <= 1 - confidence:
            low = middle
        else:
            high = middle
    return min(MICRO - 1, math.floor(low * MICRO))
