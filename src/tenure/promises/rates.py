"""Rate floors: they hold in a window whenever that much is demanded.

Demanded means: by the middle of the window there was work enough for the whole window at the floor's rate, and at no
time was there none. A window without that much demand keeps its floor trivially and says so. Under a steady load just
at the floor a server that is too slow builds a backlog, and the backlog is what makes the next window demanding.
"""

from __future__ import annotations

from tenure.promises.objectives import MICRO, Load, Metric, RateObjective
from tenure.promises.samples import Outcome, RequestSample, Window
from tenure.promises.verdicts import Reason, Verdict
from tenure.promises.views import WindowEvidence

_IDLE_SHARE = 0.01
"""Idle moments of a hundredth of the window are within the timing of arrivals and do not excuse."""


def delivered(metric: Metric, samples: list[RequestSample], window: Window) -> int:
    """Tokens that came, or answers that were completed, within the window."""
    start_ns, end_ns = window.start_ms * MICRO, window.end_ms * MICRO
    if metric is Metric.REQUESTS_PER_SECOND:
        ends = [s.arrival_ns + s.end_after_ns for s in samples if s.outcome is Outcome.COMPLETED and s.end_after_ns]
        return sum(start_ns <= end < end_ns for end in ends)
    return sum(_tokens_between(sample, start_ns, end_ns) for sample in samples)


def window_rate_micro(metric: Metric, samples: list[RequestSample], window: Window) -> float:
    """Rate (micro-units per second) at which tokens or completed answers came within the window."""
    return delivered(metric, samples, window) * MICRO * 1000 / (window.end_ms - window.start_ms)


def _tokens_between(sample: RequestSample, start_ns: int, end_ns: int) -> int:
    if sample.first_token_after_ns is None:
        # Answered in one piece: all its tokens came with its end.
        ended = sample.arrival_ns + (sample.end_after_ns or 0)
        whole = sample.outcome is Outcome.COMPLETED and start_ns <= ended < end_ns
        return (sample.output_tokens or 0) if whole else 0
    at = sample.arrival_ns + sample.first_token_after_ns
    count = int(start_ns <= at < end_ns)
    for gap in sample.gaps_ns:
        at += gap
        count += start_ns <= at < end_ns
    return count


def judge_rate(
    objective: RateObjective, load: Load, window: Window, evidence: WindowEvidence
) -> tuple[Verdict, Reason, str, float | None, int]:
    """Verdict, reason, detail, the rate seen (micro/s) and how many requests it rests on."""
    samples = [sample for sample in (*evidence.carried, *evidence.requests) if sample.counts]
    rate_micro = window_rate_micro(objective.metric, samples, window)
    if rate_micro >= objective.floor_micro:
        return Verdict.KEPT, Reason.WITHIN_BOUND, f"{len(samples)} requests", rate_micro, len(samples)
    if any(s.outcome is Outcome.UNFINISHED and s.first_token_after_ns is not None for s in samples):
        # The gaps of a running answer are known at its end only, and with them its tokens.
        return Verdict.UNVERIFIABLE, Reason.NOT_SETTLED, "answers are still running", rate_micro, len(samples)
    if any(s.outcome is Outcome.ABANDONED and not s.gaps_ns and (s.output_tokens or 0) > 1 for s in samples):
        detail = "answers run on that are longer than declared; when their tokens came is not known"
        return Verdict.UNVERIFIABLE, Reason.LOAD_ABOVE_DECLARED, detail, rate_micro, len(samples)
    if not _demanded(objective, load, window, samples):
        return Verdict.KEPT, Reason.NOT_DEMANDED, "less was asked for", rate_micro, len(samples)
    return Verdict.BREACHED, Reason.FLOOR_MISSED, f"{len(samples)} requests", rate_micro, len(samples)


def _demanded(objective: RateObjective, load: Load, window: Window, samples: list[RequestSample]) -> bool:
    length_ms = window.end_ms - window.start_ms
    middle_ns = (window.start_ms * MICRO) + length_ms * MICRO // 2
    early = [sample for sample in samples if sample.arrival_ns < middle_ns]
    tokens = objective.metric is Metric.OUTPUT_TOKENS_PER_SECOND
    work = sum(_remaining(sample, objective, load, window.start_ms * MICRO) if tokens else 1 for sample in early)
    return work * MICRO * 1000 >= objective.floor_micro * length_ms and _busy(window, samples)


def _remaining(sample: RequestSample, objective: RateObjective, load: Load, start_ns: int) -> int:
    """Tokens that a request still wanted when the window began; unknown lengths count as the declared one.

    Who left wanted more than he got, or a stall that drives users away would pass for a lack of demand; but no more
    than the floor would have given him by then, or asking and leaving at once would pass for demand.
    """
    wanted = load.output_tokens
    if sample.outcome is Outcome.COMPLETED and sample.output_tokens is not None:
        wanted = sample.output_tokens
    elif sample.outcome is Outcome.ABANDONED:
        due = objective.floor_micro * (sample.end_after_ns or 0) // (MICRO * 1_000_000_000)
        wanted = max(sample.output_tokens or 0, min(load.output_tokens, due))
    return max(0, wanted - _tokens_between(sample, 0, start_ns))


def _busy(window: Window, samples: list[RequestSample]) -> bool:
    """Whether some request was open practically all the time."""
    start_ns, end_ns = window.start_ms * MICRO, window.end_ms * MICRO
    reach, idle = start_ns, 0
    for sample in sorted(samples, key=lambda s: s.arrival_ns):
        if sample.arrival_ns >= end_ns:
            break
        idle += max(0, sample.arrival_ns - reach)
        ended = sample.arrival_ns + sample.end_after_ns if sample.end_after_ns is not None else end_ns
        reach = max(reach, end_ns if sample.outcome is Outcome.UNFINISHED else ended)
    idle += max(0, end_ns - reach)
    return idle <= _IDLE_SHARE * (end_ns - start_ns)
