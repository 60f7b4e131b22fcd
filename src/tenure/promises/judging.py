"""Judging one promise in one window: kept, breached or unverifiable, from the evidence alone.

The order of the questions is the order in which an auditor would ask them: could it be seen at all, was it owed, do the
views agree, and only then, was it met. The first "no" decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from tenure.promises.availability import judge_availability
from tenure.promises.binomial import poisson_quantile
from tenure.promises.objectives import (
    MICRO,
    AvailabilityObjective,
    LatencyObjective,
    Load,
    Objective,
    Promise,
    RateObjective,
)
from tenure.promises.overlong import without_overlong
from tenure.promises.pooled import window_reading
from tenure.promises.rates import judge_rate
from tenure.promises.samples import Outcome, Window
from tenure.promises.verdicts import Reason, Verdict, WindowVerdict
from tenure.promises.views import Tolerance, View, WindowEvidence, disagreement
from tenure.quantities import format_instant

JUDGE_VERSION = "5"
"""Named by every statement of a verdict. It is raised whenever some evidence would be judged otherwise than before, or
is recorded in other fields than before; a field that binds nothing may come without."""

_FIRST_TOKENS_ALONE = Tolerance(answer_ns=math.inf, gap_ns=math.inf)

JUDGED_ALIKE: Mapping[str, Tolerance] = MappingProxyType(
    {"3": _FIRST_TOKENS_ALONE, "4": _FIRST_TOKENS_ALONE, JUDGE_VERSION: Tolerance()}
)
"""The versions of which this one draws every verdict again, and the tolerance with which it does. Version 3 counts the
wait of users who gave up, and the probes where users tell nothing; before it, the same evidence could be called kept or
not owed. Version 4 counts gaps of answers that still run, where the evidence has them; that of version 3 never does.
Version 5 compares of the probes their gaps and ends as well; before it, only their first tokens were."""

LOAD_QUANTILE = 0.999
"""A window with more arrivals than this quantile of the declared process is not owed its latency."""

STALE_WINDOWS = 1
"""A sensor that has not spoken for this many windows after a window's end is stale, not slow."""

METRICS_PATIENCE_MS = 2_000
"""A busy server answers for its counters late; windows shorter than this do not make that a sensor gone."""

PROBE_PATIENCE_MS = 90_000
"""A probe gives up by itself after a minute; one without an outcome after this has lost its prober."""

Judged = tuple[Reason, str]

_CAUSES_FIRST = (
    *(Reason.ASLEEP, Reason.CLOCK_JUMPED, Reason.JOURNAL_DAMAGED),
    *(Reason.SENSOR_GONE, Reason.PROBER_CUT_OFF, Reason.VIEWS_DISAGREE),
)
_PRECEDENCE = {reason: place for place, reason in enumerate(_CAUSES_FIRST)}
"""Of several findings the one is named that explains the others: a sleeping machine also silences its sensors."""


def judge(
    promise: Promise, window: Window, evidence: WindowEvidence, tolerance: Tolerance | None = None
) -> WindowVerdict:
    """Verdict on a statistical promise in a window.

    Kept is said only when every required view was there, undamaged and in agreement, and the percentile lies within the
    bound whatever the unfinished requests turn out to be.
    """
    tolerance = tolerance or Tolerance()
    evidence = without_overlong(promise, window, evidence)

    def answer(
        verdict: Verdict, reason: Reason, detail: str, observed: float | None = None, requests: int = 0
    ) -> WindowVerdict:
        return WindowVerdict(
            promise.name, window, verdict, reason, detail, observed, limit_of(promise.objective), requests
        )

    rate = isinstance(promise.objective, RateObjective)
    questions: list[Callable[[], Judged | None]] = [
        lambda: _seen(window, evidence),
        lambda: _owed(promise.load, window, evidence, tolerance) if not rate else None,
        lambda: _agreed(evidence, tolerance),
    ]
    refused = next((said for question in questions if (said := question()) is not None), None)
    if refused is not None:
        found = answer(Verdict.UNVERIFIABLE, *refused, requests=len(evidence.requests))
    elif isinstance(promise.objective, LatencyObjective):
        found = answer(*_latency(promise.objective, promise.load, evidence))
    elif isinstance(promise.objective, AvailabilityObjective):
        found = answer(*judge_availability(promise.objective, evidence))
    else:
        found = answer(*judge_rate(promise.objective, promise.load, window, evidence))
    found = _patient(window, evidence, found, answer)
    if found.settled or evidence.ended_ms is None:
        return found
    detail = f"{ended_text(evidence.ended_ms)}: {found.detail}"
    return answer(Verdict.UNVERIFIABLE, Reason.CUT_BY_END, detail, found.observed, found.requests)


def ended_text(ended_ms: int) -> str:
    """How the detail of a verdict that was cut by the end of the contract (Unix ms) begins."""
    return f"the contract ended at {format_instant(ended_ms)}"


def limit_of(objective: Objective) -> int:
    """The line that an objective draws: nanoseconds of a latency, micro-units per second of a rate, millionths of an
    availability."""
    match objective:
        case LatencyObjective():
            return objective.bound_ns
        case AvailabilityObjective():
            return objective.share_micro
    return objective.floor_micro


def _patient(
    window: Window, evidence: WindowEvidence, found: WindowVerdict, answer: Callable[..., WindowVerdict]
) -> WindowVerdict:
    """The verdict, unless a view that has not spoken yet may still contradict it. A breach need not wait for it."""
    unread = View.METRICS in evidence.required and evidence.counters is None and not evidence.findings
    if unread and found.settled and found.verdict is not Verdict.BREACHED and not _late(window, evidence):
        detail = "the workload's own counters are not read yet"
        return answer(Verdict.UNVERIFIABLE, Reason.NOT_SETTLED, detail, found.observed, found.requests)
    # Nor is a window empty, which its users would bear, before the probes that it was given have spoken.
    waits = found.verdict is Verdict.KEPT or found.reason is Reason.TOO_FEW_SAMPLES
    if waits and evidence.probes_pending:
        if evidence.watched_until_ms >= window.end_ms + PROBE_PATIENCE_MS:
            detail = f"prober: {evidence.probes_pending} probes came to no end"
            return answer(Verdict.UNVERIFIABLE, Reason.PROBER_CUT_OFF, detail, found.observed, found.requests)
        detail = f"{evidence.probes_pending} probes are under way"
        return answer(Verdict.UNVERIFIABLE, Reason.NOT_SETTLED, detail, found.observed, found.requests)
    return found


def _late(window: Window, evidence: WindowEvidence) -> bool:
    """Whether the workload's counters should have been read by now."""
    return evidence.watched_until_ms >= window.end_ms + max(window.end_ms - window.start_ms, METRICS_PATIENCE_MS)


def _seen(window: Window, evidence: WindowEvidence) -> Judged | None:
    """Was every declared sensor there for the whole window?"""
    if evidence.findings:
        # A damaged sensor proves nothing, not even too much load: the operator bears it.
        first = min(evidence.findings, key=lambda finding: _PRECEDENCE.get(finding.reason, len(_PRECEDENCE)))
        return first.reason, f"{first.view}: {first.detail}"
    if evidence.tap_asof_ms is None:
        return (Reason.SENSOR_GONE, "tap: there is no journal") if View.TAP in evidence.required else None
    # After the end nothing is waited for: a tap that did not speak to the end of a window was silent in it.
    late = evidence.ended_ms is not None or evidence.asof_ms >= window.end_ms + STALE_WINDOWS * (
        window.end_ms - window.start_ms
    )
    if evidence.tap_asof_ms < window.end_ms:
        if late:
            return Reason.STALE, f"tap: last heard {(evidence.asof_ms - evidence.tap_asof_ms) / 1000:.1f} s ago"
        return Reason.NOT_SETTLED, "the window is not over for the tap"
    if View.METRICS in evidence.required and evidence.counters is None and _late(window, evidence):
        return Reason.SENSOR_GONE, "metrics: the workload's own counters were not read after the window"
    return _prober_seen(evidence) if View.PROBER in evidence.required else None


def _prober_seen(evidence: WindowEvidence) -> Judged | None:
    """A prober that sends nothing, or whose probes all fail to reach a tap that is there, is cut off."""
    if evidence.probes_due > 0 and not evidence.probes:
        return Reason.PROBER_CUT_OFF, f"prober: {evidence.probes_due} probes were due, none reported"
    if evidence.probes and all(probe.outside.status == 0 and probe.inside is None for probe in evidence.probes):
        return Reason.PROBER_CUT_OFF, f"prober: none of {len(evidence.probes)} probes reached the tap"
    return None


def _owed(load: Load, window: Window, evidence: WindowEvidence, tolerance: Tolerance) -> Judged | None:
    """Was the load within what was declared?"""
    length_ms = window.end_ms - window.start_ms
    arrivals = sum(request.counts for request in evidence.requests)
    most = poisson_quantile(load.arrivals_per_window(length_ms), LOAD_QUANTILE)
    if arrivals > most:
        detail = f"{arrivals} requests arrived; {load.arrivals_per_second:g}/s makes at most {most} in this window"
        return Reason.LOAD_ABOVE_DECLARED, detail
    if (carried := _still_paying(load, length_ms, arrivals, evidence.arrivals_before)) is not None:
        return Reason.LOAD_ABOVE_DECLARED, carried
    told = [request for request in evidence.requests if request.outcome is not Outcome.UNFINISHED]
    for name, declared, lengths in (
        ("prompts", load.prompt_tokens, [r.prompt_tokens for r in evidence.requests if r.prompt_tokens is not None]),
        ("answers", load.output_tokens, [r.output_tokens for r in told if r.output_tokens is not None]),
    ):
        if lengths and sum(lengths) / len(lengths) > declared * (1 + tolerance.lengths_share):
            mean = sum(lengths) / len(lengths)
            return Reason.LOAD_ABOVE_DECLARED, f"{name} had {mean:.0f} tokens on average, {declared} are declared"
    return None


def _still_paying(load: Load, length_ms: int, arrivals: int, before: tuple[int, ...]) -> str | None:
    """Whether this window still works off an excess: one window before was above the declared load, and all windows
    since then together still are."""
    total = arrivals
    for back, count in enumerate(before, start=1):
        total += count
        single = poisson_quantile(load.arrivals_per_window(length_ms), LOAD_QUANTILE)
        pooled = poisson_quantile(load.arrivals_per_window(length_ms * (back + 1)), LOAD_QUANTILE)
        if count > single and total > pooled:
            return f"{total} requests arrived in {back + 1} windows (at most {pooled}); the excess is still worked off"
    return None


def _agreed(evidence: WindowEvidence, tolerance: Tolerance) -> Judged | None:
    """Do the independent views say the same?"""
    found = disagreement(evidence, tolerance)
    return None if found is None else (Reason.VIEWS_DISAGREE, found)


def _latency(
    objective: LatencyObjective, load: Load, evidence: WindowEvidence
) -> tuple[Verdict, Reason, str, float | None, int]:
    """Was the percentile met? Both ends of every doubt must give the same answer."""
    samples = [sample for sample in evidence.requests if sample.counts]
    whose, owed_gaps = "requests", load.output_tokens - 1
    seen = window_reading(samples, objective, owed_gaps)
    if seen is None:  # Nobody asked, or whoever did left too early to have found out.
        probes = [probe.outside for probe in evidence.probes if probe.outside.counts]
        seen, whose = window_reading(probes, objective, owed_gaps), "probes"
        samples = probes or samples
    if seen is None:
        detail = "nobody asked" if not evidence.requests else "no request of this window tells this metric"
        return Verdict.UNVERIFIABLE, Reason.TOO_FEW_SAMPLES, detail, None, len(samples)
    count = len(samples)
    if seen.high <= objective.bound_ns:
        return Verdict.KEPT, Reason.WITHIN_BOUND, f"{count} {whose}", seen.high, count
    if seen.low > objective.bound_ns:
        if math.isinf(seen.low):
            failed = sum(sample.outcome is Outcome.FAILED for sample in samples)
            return Verdict.BREACHED, Reason.REQUESTS_FAILED, f"{failed} of {count} {whose} failed", seen.low, count
        running = sum(bool(sample.gaps_at_least_ns) for sample in samples if sample.outcome is Outcome.UNFINISHED)
        best = f", at the best that {running} still running can come to" if running else ""
        return Verdict.BREACHED, Reason.BOUND_EXCEEDED, f"{count} {whose}{best}", seen.low, count
    still = [sample.arrival_ns for sample in samples if sample.outcome is Outcome.UNFINISHED or not sample.end_after_ns]
    # Since when, not for how long: a text that grows older would be written, and waken its readers, at every look.
    detail = f"{len(still)} {whose} are open, the oldest since {format_instant(min(still) // MICRO)}"
    return Verdict.UNVERIFIABLE, Reason.NOT_SETTLED, detail, None, count
