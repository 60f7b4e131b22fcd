"""Bringing the views of a window together into the evidence that `tenure.promises.judge` takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from tenure.measurement.journal_reading import DamageKind, JournalReading
from tenure.measurement.journal_samples import longest_gaps
from tenure.measurement.scrape import MetricsState, Scrape, increase, state_of
from tenure.promises import Counters, Finding, Outcome, Probe, Reason, RequestSample, View, Window, WindowEvidence
from tenure.promises.availability import longest_silence_ns

_EDGE_NS = 1_000_000_000
"""Servers publish their counters at the end of a request, or a moment after; within this, either side may be first."""
COUNTED_MS = 10_000
"""Counters are compared over this much at the least: in a second, most tokens are so close to an edge that nothing
could contradict anything. In shorter windows a page that lies is so found within a few windows, not always in the
first."""
_LEFT_NS = 10_000_000_000
"""So long a server may go on with the answer to a request whose user has left. A starved one, whose every step takes as
long as users wait for a token, may for as long again as that user had waited for one."""
LEFT_MS_MAX = 120_000
"""For no longer than this: until then what it counts for those who left is not held against it."""
ARRIVING_MS_MAX = 10_000
"""A window waits for half its length, and for no longer than this, for requests that are still being sent."""
_RECENT_PROBES = 1
"""The newest alone: with more, a lie that has just begun would be outvoted by the truth before it."""

_REASONS = {
    DamageKind.GAP: Reason.JOURNAL_DAMAGED,
    DamageKind.ALTERED: Reason.JOURNAL_DAMAGED,
    DamageKind.TRUNCATED: Reason.JOURNAL_DAMAGED,
    DamageKind.REFUSED: Reason.SENSOR_GONE,
    DamageKind.ASLEEP: Reason.ASLEEP,
    DamageKind.CLOCK_JUMPED: Reason.CLOCK_JUMPED,
}


@dataclass(frozen=True, slots=True)
class Declared:
    """Which views a contract declares, and the prober's budget."""

    views: frozenset[View] = frozenset({View.TAP})
    probes_per_second: float = 0.0
    back_windows: int = 3
    """How many windows before this one are looked at for an excess of load."""
    output_tokens: int = 0
    """The declared length of an answer: what one comes to of which nobody has seen any."""


def gather(
    window: Window,
    asof_ms: int,
    tap: JournalReading | None,
    *,
    declared: Declared | None = None,
    prober: JournalReading | None = None,
    scrapes: Sequence[Scrape] = (),
    ended_ms: int | None = None,
) -> WindowEvidence:
    """Evidence of a window. `tap` and `prober` are readings of their journals, None where there is none; `scrapes` are
    readings of the workload's metrics around the window, where they are not in the prober's journal. `ended_ms` says
    when the contract ended, once it has and nothing more will come."""
    declared = declared or Declared()
    scrapes = scrapes or (prober.scrapes if prober else ())
    start_ns, end_ns = window.start_ms * 1_000_000, window.end_ms * 1_000_000
    users = tap.samples["user"] if tap else []
    if ended_ms is not None:
        users = [cut_by_end(sample, ended_ms * 1_000_000) for sample in users]
    findings = list(_journal_findings(View.TAP, tap, start_ns, end_ns)) if tap else []
    if prober is not None and View.PROBER in declared.views:
        findings += _journal_findings(View.PROBER, prober, start_ns, end_ns)
    counters, trouble = _counters(scrapes, tap, declared, start_ns, end_ns)
    probes, recent, due = _probes(prober, tap, declared, start_ns, end_ns)
    return WindowEvidence(
        asof_ms=asof_ms,
        tap_asof_ms=_spoken_until_ms(tap, window, asof_ms, ended_ms),
        requests=tuple(s for s in users if start_ns <= s.arrival_ns < end_ns),
        carried=tuple(s for s in users if s.arrival_ns < start_ns and _open_at(s, start_ns)),
        arrivals_before=_arrivals_before(users, window, declared.back_windows),
        probes=probes,
        recent_probes=recent,
        probes_due=due,
        probes_pending=_pending(prober, start_ns, end_ns) if prober and View.PROBER in declared.views else 0,
        counters=counters,
        required=declared.views,
        findings=tuple(findings) + ((trouble,) if trouble else ()),
        ended_ms=ended_ms,
    )


def cut_by_end(sample: RequestSample, ended_ns: int) -> RequestSample:
    """A request that was still running when the contract ended (Unix ns): what broke it was the end, which was agreed.
    It is known to have waited until then, and no more."""
    over_ns, lasted_ns = sample.arrival_ns + (sample.end_after_ns or 0), max(0, ended_ns - sample.arrival_ns)
    if sample.outcome is not Outcome.FAILED or sample.end_after_ns is None or over_ns < ended_ns:
        return sample
    return replace(
        sample,
        outcome=Outcome.UNFINISHED,
        gaps_ns=(),
        gaps_at_least_ns=longest_gaps(_gaps_within(sample, lasted_ns)),  # what had come late by then had come late
        end_after_ns=lasted_ns,
        progress_after_ns=sample.last_token_after_ns,
    )


def _gaps_within(sample: RequestSample, lasted_ns: int) -> Iterable[int]:
    """The gaps that were over so long after its arrival."""
    over_ns = accumulate(sample.gaps_ns, initial=sample.first_token_after_ns or 0)
    next(over_ns)
    return [gap for gap, at in zip(sample.gaps_ns, over_ns, strict=True) if at <= lasted_ns]


def _spoken_until_ms(tap: JournalReading | None, window: Window, asof_ms: int, ended_ms: int | None) -> int | None:
    """Up to when all that the tap has to say of a window is said.

    A request that is still being sent will count from its first byte, so its window waits for it; but not for long, or
    whoever sends a byte a minute could keep every verdict open.
    """
    if tap is None or tap.newest_ns is None:
        return None
    newest_ms = tap.newest_ns // 1_000_000
    patience_ms = min((window.end_ms - window.start_ms) // 2, ARRIVING_MS_MAX)
    if ended_ms is not None or asof_ms >= window.end_ms + patience_ms:
        return newest_ms
    return min([newest_ms, *(at // 1_000_000 for at in tap.arriving_ns if window.holds(at))])


def _journal_findings(view: View, reading: JournalReading, start_ns: int, end_ns: int) -> Iterable[Finding]:
    gone = Reason.PROBER_CUT_OFF if view is View.PROBER else Reason.SENSOR_GONE
    touching = [damage for damage in reading.damages if damage.touches(start_ns, end_ns)]
    for damage in touching:
        reason = gone if damage.kind is DamageKind.SILENT else _REASONS[damage.kind]
        yield Finding(view, reason, damage.detail)
    if reading.oldest_ns is not None and reading.oldest_ns > start_ns:
        yield Finding(view, gone, "the journal begins after the window did")
    elif not touching and reading.newest_ns is not None and reading.newest_ns >= end_ns:
        lived = any(first <= start_ns and end_ns <= last for first, last in reading.lived_ns)
        if not lived:
            yield Finding(view, Reason.CLOCK_JUMPED, "the clock was never inside this window")


def _open_at(sample: RequestSample, instant_ns: int) -> bool:
    if sample.outcome is Outcome.UNFINISHED or sample.end_after_ns is None:
        return sample.outcome is Outcome.UNFINISHED
    return sample.arrival_ns + sample.end_after_ns > instant_ns


def _arrivals_before(users: Sequence[RequestSample], window: Window, back: int) -> tuple[int, ...]:
    length_ns = (window.end_ms - window.start_ms) * 1_000_000
    start_ns = window.start_ms * 1_000_000
    edges = [(start_ns - (k + 1) * length_ns, start_ns - k * length_ns) for k in range(back)]
    return tuple(sum(first <= s.arrival_ns < last and s.counts for s in users) for first, last in edges)


def _probes(
    prober: JournalReading | None, tap: JournalReading | None, declared: Declared, start_ns: int, end_ns: int
) -> tuple[tuple[Probe, ...], tuple[Probe, ...], int]:
    """The window's probes, the newest before it, each beside what the tap says of it, and how many were due at least.

    Probes come at random, so that none in a window means nothing until a window without any is improbable (1 in 1,000).
    """
    if View.PROBER not in declared.views:
        return (), (), 0
    inside = {sample.request_id: sample for sample in tap.samples["prober"]} if tap else {}
    sent = prober.of("probe", start_ns, end_ns) if prober else []
    held_back = sum(start_ns <= at < end_ns for at in prober.skipped_ns) if prober else 0
    expected = declared.probes_per_second * (end_ns - start_ns) / 1e9
    due = max(0, round(expected) - held_back) if expected > 6.9 else 0
    if prober is None or prober.newest_ns is None or prober.newest_ns < start_ns:
        due = max(1, due)  # Not even a sign of life: cut off, however small the budget.
    known_since_ns = max(tap.oldest_ns or 0, tap.since_ns) if tap else start_ns
    before = [s for s in prober.samples.get("probe", []) if known_since_ns < s.arrival_ns < start_ns] if prober else []
    # What the tap's journal lost there is that time's trouble, not this window's.
    lost = tap.damages if tap else []
    before = [s for s in before if not any(d.touches(s.arrival_ns, _ended_ns(s)) for d in lost)]

    def paired(samples: Sequence[RequestSample]) -> tuple[Probe, ...]:
        return tuple(Probe(sample, inside.get(sample.request_id)) for sample in samples)

    return paired(sent), paired(before[-_RECENT_PROBES:]), due


def _pending(prober: JournalReading, start_ns: int, end_ns: int) -> int:
    """Probes that may still tell something of the window, and those that cannot any more because their prober ended:
    one that hung must not be forgotten with it."""
    under_way = sum(at < end_ns for at in prober.pending_ns)
    return under_way + sum(at < end_ns and until >= start_ns for at, until in prober.lost_ns)


def _ended_ns(sample: RequestSample) -> int:
    return sample.arrival_ns + (sample.end_after_ns or 0)


def _counted_around(sample: RequestSample, scrape: Scrape) -> bool:
    """Whether a request was under way while the counters were read, or had ended so shortly before that its tokens may
    not have been published by then. Some servers count each token at once, others a whole answer at its end."""
    over_ns = _ended_ns(sample) + _EDGE_NS
    read_ns = scrape.at_ns + scrape.took_ns
    return sample.arrival_ns <= read_ns and (sample.outcome is Outcome.UNFINISHED or over_ns >= scrape.at_ns)


def _first(before: Sequence[Scrape], tap: JournalReading | None, start_ns: int, end_ns: int) -> Scrape:
    """The scrape from which both sides are counted: as far back as a short window needs, but never into time of which
    the tap does not know everything."""
    since_ns = end_ns - COUNTED_MS * 1_000_000
    if tap is not None:
        hurt = [min(d.to_ns, start_ns) for d in tap.damages if d.from_ns < start_ns]
        since_ns = max(since_ns, max(tap.since_ns, tap.oldest_ns or 0, *hurt) + _EDGE_NS)
    return next((s for s in before if s.at_ns >= since_ns), before[-1])


def _goes_on_ns(sample: RequestSample) -> int:
    """How long a server may have gone on with an answer whose user left, or that broke: it notices at its next step."""
    return min(max(_LEFT_NS, longest_silence_ns(sample)), LEFT_MS_MAX * 1_000_000)


def _counters(
    scrapes: Sequence[Scrape], tap: JournalReading | None, declared: Declared, start_ns: int, end_ns: int
) -> tuple[Counters | None, Finding | None]:
    """Both sides' tokens from a scrape before the window to the one after it, or what is wrong with the page."""
    if View.METRICS not in declared.views:
        return None, None
    before = [s for s in scrapes if s.at_ns <= start_ns]
    after = [s for s in scrapes if s.at_ns >= end_ns]
    if not before:
        return None, Finding(View.METRICS, Reason.SENSOR_GONE, "no reading of the workload's metrics before the window")
    if not after:
        return None, None  # Perhaps not yet: the judge knows how late it is.
    first, last = _first(before, tap, start_ns, end_ns), after[0]
    between = [s for s in scrapes if first.at_ns <= s.at_ns <= last.at_ns]
    samples = [s for role in (tap.samples.values() if tap else ()) for s in role]
    ended = [(_ended_ns(s), s) for s in samples if s.outcome is not Outcome.UNFINISHED]
    whole = [s for at, s in ended if first.at_ns <= at < last.at_ns]
    edges = [s for s in samples if any(_counted_around(s, scrape) for scrape in (first, last))]
    begun_ns = first.at_ns + first.took_ns
    inner = sum(s.output_tokens or 0 for at, s in ended if begun_ns + _EDGE_NS < at < last.at_ns - _EDGE_NS)
    whole_ones = any(s.outcome is Outcome.COMPLETED for s in samples)
    longest = max([0 if whole_ones else declared.output_tokens, *(s.output_tokens or 0 for s in samples)])
    known = sum(s.output_tokens or 0 for s in edges if s.outcome is Outcome.COMPLETED)
    # A request that its user left, or that broke, may have been answered on for a while, to its full length at most.
    broken = [(at, s) for at, s in ended if s.outcome is not Outcome.COMPLETED]
    left = [s for at, s in broken if first.at_ns - _goes_on_ns(s) <= at < last.at_ns]
    running = [s for s in edges if s.outcome is Outcome.UNFINISHED]
    edge_tokens = known + longest * (len(left) + len(running))
    state = state_of(between, inner, edge_tokens)
    if state is not MetricsState.LIVE:
        return None, Finding(View.METRICS, Reason.SENSOR_GONE, f"the workload's metrics are {state}")
    timed = [s for s in whole if s.gaps_ns]
    timed_tokens = sum(1 + len(s.gaps_ns) for s in timed)
    tokens, reset = increase(between)
    spent = None
    # Where most tokens lie at the edges, the two sides speak of different requests, and their pace is no comparison.
    told = first.output_seconds is not None and last.output_seconds is not None
    if told and 2 * edge_tokens <= tokens and not reset:
        assert first.output_seconds is not None
        assert last.output_seconds is not None
        spent = last.output_seconds - first.output_seconds
    return (
        Counters(
            tokens=round(tokens),
            tap_tokens=sum(s.output_tokens or 0 for s in whole),
            edge_tokens=edge_tokens,
            token_time_ns=round(spent / tokens * 1e9) if spent and tokens else None,
            tap_token_time_ns=sum(sum(s.gaps_ns) for s in timed) // timed_tokens if timed else None,
        ),
        None,
    )
