"""The truth of the real part: what the load generator saw from outside, against each verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from benchmarks.honesty.episodes import Said, note_episode
from benchmarks.honesty.real_stage import ANSWER_S_MAX, LOAD, PROBES_PER_S, WINDOW_MS, Stage
from benchmarks.honesty.row import Row, unprobed_windows_max
from tenure.promises import (
    LatencyObjective,
    Promise,
    Reason,
    RequestSample,
    Tolerance,
    Window,
    WindowVerdict,
    poisson_quantile,
    window_percentile,
)

EDGE_NS = Tolerance().probe_ns
"""Between the instant at which the generator had sent a request and that of its arrival at the tap: so near the edge of
a window, a request may count for either."""


def rows_of(
    stage: Stage,
    promises: list[Promise],
    windows: tuple[Window, ...],
    samples: tuple[RequestSample, ...],
    said: dict[tuple[str, int], Said],
) -> list[Row]:
    """The verdicts against what the generator saw, by the fault that overlapped the window."""
    rows: dict[str, Row] = {}
    spoilt: dict[tuple[str, int], bool] = {}
    everyone = sorted((as_sent(s) for s in (*samples, *stage.flood)), key=lambda s: s.arrival_ns)
    probes_ns = stage.probes_ns()

    def row(kind: str) -> Row:
        return rows.setdefault(kind, Row(kind, unprobed_windows_max=unprobed_windows_max(PROBES_PER_S, WINDOW_MS)))

    for window in windows:
        start_ns, end_ns = window.start_ms * 1_000_000, window.end_ms * 1_000_000
        kinds = [kind for kind, began, ended in stage.spans if began < end_ns and ended > start_ns]
        for promise in promises:
            one = said.get((promise.name, window.start_ms))
            if one is not None:
                lie = unprobed(window, stage.lies_ns, probes_ns)
                found = row(kinds[0] if kinds else "none")
                spoilt[promise.name, window.start_ms] = count(
                    found, promise, window, everyone, one.verdict, lie, explained(window, one.verdict, stage.kills_ns)
                )
    for promise in promises:
        own = {start: one for (name, start), one in said.items() if name == promise.name}
        for kind, began, ended in stage.spans:
            starts = [s for s in sorted(own) if s * 1_000_000 < ended and (s + WINDOW_MS) * 1_000_000 > began]
            note_episode(row(kind), starts, own, partial(_is_spoilt, spoilt, promise.name), promise.assurance)
    return list(rows.values())


def _is_spoilt(spoilt: dict[tuple[str, int], bool], promise: str, start_ms: int) -> bool:
    return spoilt.get((promise, start_ms), False)


def as_sent(sample: RequestSample) -> RequestSample:
    """A request from when it had been sent: up to there, its generator's own lateness is nobody's latency, and the tap
    saw it in the window in which it came, not in the one in which it was due."""
    late_ns = sample.sent_after_ns
    first_ns = sample.first_token_after_ns
    return replace(
        sample,
        arrival_ns=sample.arrival_ns + late_ns,
        first_token_after_ns=None if first_ns is None else first_ns - late_ns,
        end_after_ns=None if sample.end_after_ns is None else sample.end_after_ns - late_ns,
    )


def unprobed(window: Window, lies_ns: Sequence[tuple[int, int]], probes_ns: Sequence[int]) -> int:
    """The how-manieth window this is of a tap's lie that no probe was sent into yet; 0 where that is not so."""
    end_ns = window.end_ms * 1_000_000
    begun = [began for began, ended in lies_ns if began < end_ns and ended > window.start_ms * 1_000_000]
    if not begun or any(begun[-1] <= at_ns < end_ns for at_ns in probes_ns):
        return 0
    into_ms = window.end_ms - begun[-1] // 1_000_000
    return -(-into_ms // WINDOW_MS)


def explained(window: Window, verdict: WindowVerdict, kills_ns: Sequence[int]) -> str:
    """Why a breach may be a true one of which the generator knows nothing; empty where nothing tells."""
    start_ns, until_ns = window.start_ms * 1_000_000, (window.end_ms + 1000 * ANSWER_S_MAX) * 1_000_000
    if verdict.reason is Reason.REQUESTS_FAILED and any(start_ns <= at_ns < until_ns for at_ns in kills_ns):
        return "the tap was killed over requests of this window: what it had not written of their answers is lost"
    return ""


def count(
    row: Row,
    promise: Promise,
    window: Window,
    everyone: Sequence[RequestSample],
    verdict: WindowVerdict,
    unprobed: int = 0,
    explained: str = "",
) -> bool:
    """Add one verdict to its row; returns whether users really missed the promise.

    Between user and tap lie at most the tolerances that the verdict states, in what was measured as in where a window
    begins and ends: a breach counts only if it is one wherever the edge is, and so does its absence.
    """
    objective = promise.objective
    assert isinstance(objective, LatencyObjective)
    edges_ms = [shift // 1_000_000 for shift in (-EDGE_NS, 0, EDGE_NS)]
    shifted = [Window(window.start_ms + first, window.end_ms + last) for first in edges_ms for last in edges_ms]
    seen = [[s for s in everyone if one.holds(s.arrival_ns)] for one in shifted]
    values = [window_percentile(some, objective, LOAD.output_tokens - 1) for some in seen]
    owed = all(len(some) <= poisson_quantile(LOAD.arrivals_per_window(WINDOW_MS), 0.999) for some in seen)
    error = Tolerance().probe_ns + Tolerance().probe_share * objective.bound_ns
    bad = owed and all(value is not None and value > objective.bound_ns + error for value in values)
    fine = all(value is not None and value < objective.bound_ns - error for value in values)
    detail = [
        (s.arrival_ns, s.outcome, s.first_token_after_ns, s.sent_after_ns, max(s.gaps_ns, default=0))
        for s in max(seen, key=len)
    ]
    told = (window.start_ms, values, detail)
    row.add(verdict, bad=bad, fine=fine, unprobed=unprobed, explained=explained, truth=told)
    return bad
