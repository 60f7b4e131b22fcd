"""What was seen of a window, by whom, and how far the independent views agree.

A promise is judged from the tap's requests (or, where nobody asked, from the probes). The probes as seen from outside
and the workload's own counters are there to contradict: where they do, nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import Any

from tenure.promises.percentiles import percentile_of
from tenure.promises.samples import Outcome, RequestSample
from tenure.promises.verdicts import Reason

_LONG_GAP_PERCENTILE = 90
"""Of the gaps of one answer. High enough to tell an even answer from a jerky one, and in an answer of many gaps not the
longest, which one late wake-up makes."""
_GAPS_MIN = 11
"""In an answer of fewer gaps the long ones are not compared. A tenth of eleven is more than one; up to nine, the
nearest rank of the percentile is the longest gap itself, so one late wake-up of the prober would decide, of a window
with one probe and of all that its newest probe speaks for."""


class View(StrEnum):
    """Where figures come from."""

    TAP = "tap"
    PROBER = "prober"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far views may differ before they are said to disagree: the measurement error of every verdict."""

    probe_ns: int = 50_000_000
    """Between a probe's first token outside and at the tap: connection, scheduling and network."""
    probe_share: float = 0.10
    answer_ns: float = 50_000_000
    """Between the lengths of a probe's answer outside and at the tap, beside the same share. Nothing comes behind its
    end, so the kernel knows when that came, and only its beginning is as uncertain as a first token. A prober that was
    started before an upgrade may still stamp ends when it awakes; the sample says whose they are (`end_by_kernel`), and
    only the kernel's are compared. Infinite where only first tokens are compared."""
    gap_ns: float = 100_000_000
    """Between its long gaps, beside the same share: a gap has two such ends."""
    clock_ns: int = 500_000_000
    """Between a probe's arrival by the prober's and by the tap's clock; windows of two clocks are not one window."""
    tokens_share: float = 0.05
    """Between the tokens that the tap and the workload counted, beyond what was in flight at the edges."""
    pace_share: float = 0.30
    """Between the mean time per token at the tap and in the workload's own counters."""
    lengths_share: float = 0.05
    """By how much mean lengths may exceed the declared ones: tokenizers round differently."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe: as its sender timed it, and as the tap did (None where the tap does not know it)."""

    outside: RequestSample
    inside: RequestSample | None


@dataclass(frozen=True, slots=True)
class Counters:
    """The workload's own account of a span around the window, beside the tap's account of the same span."""

    tokens: int
    tap_tokens: int
    edge_tokens: int
    """Tokens of requests so close to the edges of the span that either side may have counted them or not."""
    token_time_ns: int | None = None
    """Mean time per token in the workload's own counters; None where it has none."""
    tap_token_time_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Trouble with a sensor in this window, as its reader found it."""

    view: View
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class WindowEvidence:
    """All that a verdict on a window rests on. Anyone who holds it can draw the verdict again."""

    asof_ms: int
    """Up to when it was looked at."""
    tap_asof_ms: int | None
    """Up to when the tap has spoken; None where there is none."""
    requests: tuple[RequestSample, ...] = ()
    """Users' requests that arrived in the window."""
    carried: tuple[RequestSample, ...] = ()
    """Users' requests that arrived earlier and were open when the window began."""
    arrivals_before: tuple[int, ...] = ()
    """Users' arrivals in the windows before, newest first."""
    probes: tuple[Probe, ...] = ()
    recent_probes: tuple[Probe, ...] = ()
    """The newest probes before the window. They show whether the views agree, where the window itself has few or none;
    they are never judged by."""
    probes_due: int = 0
    """How many probes the declared budget sends in a window; 0 where none are owed."""
    probes_pending: int = 0
    """Probes that were sent before the window's end and have no outcome yet."""
    counters: Counters | None = None
    required: frozenset[View] = field(default_factory=lambda: frozenset({View.TAP}))
    """The views that the contract declares. One that is missing is a sensor gone, not a view less."""
    findings: tuple[Finding, ...] = ()
    ended_ms: int | None = None
    """When the contract ended, where this was gathered after it: nothing more will come. None while it goes on."""

    @property
    def watched_until_ms(self) -> int:
        """Up to when anything could have come: now, or the end of the contract."""
        return self.asof_ms if self.ended_ms is None else min(self.asof_ms, self.ended_ms)

    def as_record(self) -> dict[str, Any]:
        """Plain JSON, for statements."""
        ended = {} if self.ended_ms is None else {"endedMs": self.ended_ms}
        return ended | {
            "asofMs": self.asof_ms,
            "tapAsofMs": self.tap_asof_ms,
            "requests": [sample.as_record() for sample in self.requests],
            "carried": [sample.as_record() for sample in self.carried],
            "arrivalsBefore": list(self.arrivals_before),
            "probes": [_probe_record(probe) for probe in self.probes],
            "recentProbes": [_probe_record(probe) for probe in self.recent_probes],
            "probesDue": self.probes_due,
            "probesPending": self.probes_pending,
            "counters": None if self.counters is None else _counters_record(self.counters),
            "required": sorted(self.required),
            "findings": [{"view": f.view, "reason": f.reason, "detail": f.detail} for f in self.findings],
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> WindowEvidence:
        """Inverse of `as_record`. Raises KeyError or ValueError on anything else."""
        sample = RequestSample.from_record
        counters = record["counters"]
        return cls(
            asof_ms=record["asofMs"],
            tap_asof_ms=record["tapAsofMs"],
            requests=tuple(sample(r) for r in record["requests"]),
            carried=tuple(sample(r) for r in record["carried"]),
            arrivals_before=tuple(record["arrivalsBefore"]),
            probes=tuple(_probe(probe) for probe in record["probes"]),
            recent_probes=tuple(_probe(probe) for probe in record["recentProbes"]),
            probes_due=record["probesDue"],
            probes_pending=record["probesPending"],
            counters=None if counters is None else Counters(*(counters[name] for name in _COUNTER_FIELDS)),
            required=frozenset(View(name) for name in record["required"]),
            findings=tuple(Finding(View(f["view"]), Reason(f["reason"]), f["detail"]) for f in record["findings"]),
            ended_ms=record.get("endedMs"),
        )


def _probe_record(probe: Probe) -> dict[str, Any]:
    inside = None if probe.inside is None else probe.inside.as_record()
    return {"outside": probe.outside.as_record(), "inside": inside}


def _probe(record: dict[str, Any]) -> Probe:
    inside = record["inside"]
    return Probe(
        RequestSample.from_record(record["outside"]), None if inside is None else RequestSample.from_record(inside)
    )


_COUNTER_FIELDS = ("tokens", "tapTokens", "edgeTokens", "tokenTimeNs", "tapTokenTimeNs")


def _counters_record(counters: Counters) -> dict[str, Any]:
    values = (
        counters.tokens,
        counters.tap_tokens,
        counters.edge_tokens,
        counters.token_time_ns,
        counters.tap_token_time_ns,
    )
    return dict(zip(_COUNTER_FIELDS, values, strict=True))


def disagreement(evidence: WindowEvidence, tolerance: Tolerance) -> str | None:
    """Which view said what, where two of them differ beyond the tolerance; None where all agree."""
    for probes in (evidence.probes, evidence.recent_probes):
        if (found := _probes_disagree(probes, tolerance)) is not None:
            return found
    return _counters_disagree(evidence.counters, tolerance)


def _probes_disagree(probes: tuple[Probe, ...], tolerance: Tolerance) -> str | None:
    answered = [p for p in probes if p.outside.outcome is Outcome.COMPLETED]
    known = [(p.outside, p.inside) for p in answered if p.inside is not None]
    if len(known) < len(answered):
        return f"the prober had {len(answered)} answers, of which the tap knows {len(known)}"
    if known and abs(apart_ns := median(o.arrival_ns - i.arrival_ns for o, i in known)) > tolerance.clock_ns:
        return f"arrival of the probes: prober's clock {apart_ns / 1e6:+.0f} ms from the tap's"
    # From when the prober had sent it, or its own lateness would look like the tap's.
    first = [
        (outside.first_token_after_ns - outside.sent_after_ns, inside.first_token_after_ns)
        for outside, inside in known
        if outside.first_token_after_ns is not None and inside.first_token_after_ns is not None
    ]
    return _apart("first token", first, tolerance.probe_ns, tolerance) or _answers_disagree(known, tolerance)


def _answers_disagree(known: Sequence[tuple[RequestSample, RequestSample]], tolerance: Tolerance) -> str | None:
    """Whether answers were as long, and as even, at the tap as outside.

    Single gaps are no comparison: tokens that come while a process waits for a CPU are read together, as one long gap
    and some of no length. Where a whole answer begins and ends moves by one such wait. Of many gaps a few are so made,
    and of few gaps the longest is: their long ones are not compared.
    """
    whole = [(o, i) for o, i in known if i.outcome is Outcome.COMPLETED]  # Of others the tap has not told the end yet.
    spoken = [(sum(o.gaps_ns), sum(i.gaps_ns)) for o, i in whole if o.gaps_ns]
    # By the prober's count: a tap that tells fewer gaps than came does not escape by it.
    gaps = [(_long_gap_ns(o), _long_gap_ns(i)) for o, i in whole if len(o.gaps_ns) >= _GAPS_MIN and i.gaps_ns]
    ends = [
        (o.end_after_ns - o.sent_after_ns, i.end_after_ns)
        for o, i in whole
        if o.end_by_kernel and o.end_after_ns is not None and i.end_after_ns is not None
    ]
    return (
        _apart("first to last token", spoken, tolerance.answer_ns, tolerance)
        or _apart("long gaps", gaps, tolerance.gap_ns, tolerance)
        or _apart("whole answer", ends, tolerance.answer_ns, tolerance)
    )


def _long_gap_ns(sample: RequestSample) -> int:
    return percentile_of(sample.gaps_ns, _LONG_GAP_PERCENTILE)


def _apart(what: str, pairs: Sequence[tuple[int, int]], allowed_ns: float, tolerance: Tolerance) -> str | None:
    """What prober and tap say of the probes, where that is too far apart. The median, because one late wake-up is
    noise, and a sensor that lies does so each time."""
    if not pairs:
        return None
    outside_ns, inside_ns = median(o for o, _ in pairs), median(i for _, i in pairs)
    if abs(median(o - i for o, i in pairs)) <= allowed_ns + tolerance.probe_share * outside_ns:
        return None
    return f"{what} of the probes: prober {outside_ns / 1e6:.0f} ms, tap {inside_ns / 1e6:.0f} ms"


def _counters_disagree(counters: Counters | None, tolerance: Tolerance) -> str | None:
    if counters is None:
        return None
    apart = abs(counters.tokens - counters.tap_tokens)
    most = max(counters.tokens, counters.tap_tokens)
    if apart > tolerance.tokens_share * most + counters.edge_tokens:
        return f"tokens: workload {counters.tokens}, tap {counters.tap_tokens} (edges {counters.edge_tokens})"
    own, tap = counters.token_time_ns, counters.tap_token_time_ns
    if own is None or tap is None or abs(own - tap) <= tolerance.pace_share * max(own, tap):
        return None
    return f"mean time per token: workload {own / 1e6:.1f} ms, tap {tap / 1e6:.1f} ms"
