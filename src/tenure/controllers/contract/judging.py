"""Judging windows: what the tap and the prober wrote down, window by window, into verdicts and accounts.

The journals lie beside the run and go on while this is dead, so windows that passed meanwhile are judged afterwards.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tenure.controllers.contract.stating import state_windows
from tenure.controllers.contract.terms import promises_of
from tenure.controllers.plane import Plane
from tenure.controllers.serving import TAP_MARK_MS
from tenure.measurement import windows_of
from tenure.measurement.gathering import COUNTED_MS, LEFT_MS_MAX, Declared, gather
from tenure.measurement.heartbeat import newest_mark_ms
from tenure.measurement.journal_reader import JournalReading, read_journal
from tenure.measurement.journal_reading import Checkpoint
from tenure.measurement.journal_witness import head_of
from tenure.measurement.periods import percentile_of, window_sketch
from tenure.measurement.sketch import Sketch
from tenure.promises import (
    Account,
    LatencyObjective,
    Metric,
    Promise,
    View,
    Window,
    WindowEvidence,
    WindowVerdict,
    account_of,
    evidence_until_ms,
    judge,
    period_ms_of,
    ready,
    worst,
)
from tenure.promises.objectives import MICRO
from tenure.quantities import Duration, Instant, Rate
from tenure.resources import Contract
from tenure.resources.kinds import standing as wire

WINDOWS_PER_PASS_MAX = 500
SHOWN_PER_PROMISE = 5
RECENT_PER_PROMISE = 40
BACK_WINDOWS = 4
SETTLING_MS_MAX = 3_000
PROBER_MARK_MS = 1_000
TAP, PROBER = "journal", "prober"
"""The folders of the two journals beside a run."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a contract stands: each promise's account and newest verdicts, and whether Ready may be shown."""

    fresh: tuple[WindowVerdict, ...]  # those of this pass that are settled
    newest: tuple[WindowVerdict, ...]
    recent: tuple[WindowVerdict, ...]  # the newest settled ones, enough to judge a remedy by
    accounts: tuple[tuple[Promise, Account], ...]
    measured: tuple[Sketch, ...]  # beside the accounts: what users saw over the whole period
    ready: bool
    evidence_ms: int | None = None  # up to when there is evidence of all promises, Unix ms
    commissioned: bool = False  # whether that is the commissioning, because no window is judged yet

    @property
    def remedy_due(self) -> bool:
        """Some promise burns its budget fast now, and has done so for a while."""
        return any(account.remedy_due for _, account in self.accounts)

    @property
    def verdict(self) -> str:
        """The worst of the promises'."""
        return str(worst([found.verdict for _, found in self.accounts]))


NOTHING_JUDGED = Standing((), (), (), (), (), ready=False)
"""Where nothing is promised by windows."""


def judge_windows(plane: Plane, contract: Contract, until_ms: int | None = None) -> Standing | None:
    """Judge every window since the last settled one, up to now or `until_ms`. None without such promises.

    `until_ms` is the end of a contract whose processes are gone: nothing more will come, so every window is settled.
    Reads files; call it in a thread.
    """
    promises = promises_of(contract.spec.promises)
    signature = contract.status.signature if contract.status else None
    if not promises or signature is None:
        return None
    now_ms, window_ms = plane.clock.now_ms(), promises[0].assurance.window_ms
    # From the oldest window that could not be settled yet; windows behind it that are settled stay as they are.
    open_ms = plane.known.oldest_open_ms(contract.uid)
    settled_ms = plane.known.newest_settled_ms(contract.uid)
    begin_ms = open_ms if open_ms is not None else max(int(signature.signed_at), settled_ms or 0)
    end_ms = now_ms if until_ms is None else min(now_ms, until_ms)
    windows = _due(plane, contract, len(promises), windows_of(begin_ms, end_ms, window_ms))
    _note_heads(plane, contract, now_ms)
    fresh = _judge(plane, contract, promises, windows, now_ms, until_ms) if windows else []
    accounts, newest, recent, measured = [], [], [], []
    may_be_ready = True
    heard_ms = _heard_ms(plane, contract, now_ms)
    evidence: list[int | None] = []
    # Back from the end of what is judged: after a term nobody watched, its first windows count as its last ones do.
    since_ms = end_ms - period_ms_of(_term_ms(contract))
    until_settled_ms = plane.known.newest_settled_ms(contract.uid) or since_ms
    for promise in promises:
        measured.append(plane.periods.merged(contract.uid, promise.name, since_ms, until_settled_ms))
        # Settled ones alone: a queue that keeps windows open hides no broken one behind them.
        verdicts = plane.known.newest(contract.uid, promise.name, RECENT_PER_PROMISE, settled=True)
        counts = plane.known.tally(contract.uid, promise.name, since_ms)
        accounts.append((promise, account_of(counts, verdicts, promise.assurance, _term_ms(contract))))
        newest += plane.known.newest(contract.uid, promise.name, SHOWN_PER_PROMISE)
        recent += verdicts
        young = ready(verdicts, now_ms, window_ms, settling_ms=settling_ms(window_ms), heard_ms=heard_ms)
        may_be_ready = may_be_ready and young
        evidence.append(evidence_until_ms(verdicts, heard_ms))
    evidence_ms = None if None in evidence else min(found for found in evidence if found is not None)
    commissioned_ms = _commissioned_ms(contract) if not recent else None
    if commissioned_ms is not None and now_ms - commissioned_ms <= window_ms:
        may_be_ready, evidence_ms = True, commissioned_ms  # younger than a window, until the first one is judged
    return Standing(
        fresh=tuple(v for v in fresh if v.settled),
        newest=tuple(newest),
        recent=tuple(recent),
        accounts=tuple(accounts),
        measured=tuple(measured),
        ready=may_be_ready,
        evidence_ms=evidence_ms,
        commissioned=commissioned_ms is not None,
    )


def _due(plane: Plane, contract: Contract, promises: int, windows: Sequence[Window]) -> Sequence[Window]:
    """What one pass looks at: windows that nobody has judged yet, the oldest first, and those still open.

    Settled ones are left out before it is cut to a pass: one answer that stays open holds back no later window.
    """
    known = plane.known.judged_since(contract.uid, windows[0].start_ms, promises) if windows else {}
    new = [window for window in windows if window.start_ms not in known][:WINDOWS_PER_PASS_MAX]
    still_open = [window for window in windows if known.get(window.start_ms) is False]
    return sorted([*new, *still_open[: WINDOWS_PER_PASS_MAX - len(new)]], key=lambda window: window.start_ms)


def _heard_ms(plane: Plane, contract: Contract, now_ms: int) -> int | None:
    """The tap's newest sign of life. One from a time to come, by a clock that was set, says nothing of now."""
    heard_ms = newest_mark_ms(run_folder(plane, contract) / TAP)
    return None if heard_ms is None or heard_ms > now_ms + TAP_MARK_MS else min(heard_ms, now_ms)


def _commissioned_ms(contract: Contract) -> int | None:
    found = contract.status.commissioning if contract.status else None
    return int(found.finished_at) if found is not None and found.finished_at is not None and found.holds else None


def settling_ms(window_ms: int) -> int:
    """A window is judged once the tap has marked its end and we have looked; till then the one before is newest."""
    return min(window_ms, SETTLING_MS_MAX)


def _judge(
    plane: Plane,
    contract: Contract,
    promises: Sequence[Promise],
    windows: Sequence[Window],
    now_ms: int,
    ended_ms: int | None,
) -> list[WindowVerdict]:
    window_ms = windows[0].end_ms - windows[0].start_ms
    since_ns = (windows[0].start_ms - max(BACK_WINDOWS * window_ms, 2 * COUNTED_MS)) * 1_000_000
    # The prober's first: what it noted of the tap's journal was written there before.
    prober = _read(plane, contract, PROBER, since_ns, PROBER_MARK_MS)
    # A server may still be answering whoever left before.
    tap = _read(plane, contract, TAP, since_ns - LEFT_MS_MAX * MICRO, TAP_MARK_MS, prober.witnessed if prober else ())
    rate = contract.spec.promises.probes_per_second
    views = frozenset(map(View, contract.spec.promises.views))
    if not views:  # signed before contracts said who looks at them
        views = frozenset({View.TAP, View.PROBER}) if rate else frozenset({View.TAP})
    length = promises[0].load.output_tokens
    declared = Declared(views, rate.per_second if rate else 0.0, output_tokens=length)
    judged: list[tuple[WindowVerdict, WindowEvidence]] = []
    sketches: dict[tuple[str, int], Sketch] = {}
    for window in windows:
        evidence = gather(window, now_ms, tap, declared=declared, prober=prober, ended_ms=ended_ms)
        for promise in promises:
            judged.append((judge(promise, window, evidence), evidence))
            if (sketch := window_sketch(promise, window, evidence)) is not None:
                sketches[promise.name, window.start_ms] = sketch
    # Stated first: a verdict that is not in the evidence is not said.
    stated = state_windows(plane, contract, [(verdict, found) for verdict, found in judged if verdict.settled])
    verdicts = [*stated, *(verdict for verdict, _ in judged if not verdict.settled)]
    plane.known.record_windows(contract.uid, verdicts, sketches)
    for name, reading in ((TAP, tap), (PROBER, prober)):
        if reading is not None:
            plane.known.journals.remember(contract.uid, name, reading, now_ms)
    return verdicts


def _note_heads(plane: Plane, contract: Contract, now_ms: int) -> None:
    """At every look, not only when a window is over: a record that was noted cannot be rewritten unseen."""
    for name in (TAP, PROBER):
        head = head_of(run_folder(plane, contract) / name, now_ms * MICRO)
        if head is not None:
            plane.known.journals.note(contract.uid, name, head)


def _read(
    plane: Plane, contract: Contract, name: str, since_ns: int, mark_ms: int, witnessed: Sequence[Checkpoint] = ()
) -> JournalReading | None:
    """A journal of the run, and whether it goes on from where it was last read and bears out what was seen of it since:
    it may have been changed meanwhile."""
    folder = run_folder(plane, contract) / name
    if not folder.is_dir():
        return None
    seen = plane.known.journals.get(contract.uid, name)
    # What was compared before is not held against it again.
    last, doubted_ns = (seen.checkpoint.sequence, seen.doubt.to_ns if seen.doubt else 0) if seen else (0, 0)
    since_then = [head for head in witnessed if head.sequence > last and head.at_ns > doubted_ns]
    reading = read_journal(
        folder,
        since_ns=since_ns,
        mark_ms=mark_ms,
        known=seen.checkpoint if seen else None,
        noted=[*plane.known.journals.noted(contract.uid, name), *since_then],
    )
    if seen is not None and seen.doubt is not None:
        reading.damages.append(seen.doubt)
    return reading


def run_folder(plane: Plane, contract: Contract) -> Path:
    """Where the run keeps its journals and logs."""
    return plane.home / "runs" / contract.spec.hold.id


def _term_ms(contract: Contract) -> int:
    return int(contract.spec.term.end) - int(contract.spec.term.start)


def as_status(standing: Standing) -> dict[str, object]:
    """The part of the contract's status that shows how it stands."""
    return {
        "verdict": standing.verdict,
        "windows": windows_shown(standing),
        "accounting": [
            _accounting(promise, found, measured)
            for (promise, found), measured in zip(standing.accounts, standing.measured, strict=True)
        ],
    }


def windows_shown(standing: Standing) -> list[wire.WindowVerdict]:
    """The newest windows of each promise."""
    return [_window(verdict) for verdict in standing.newest]


def _window(verdict: WindowVerdict) -> wire.WindowVerdict:
    metric, _, percentile = verdict.promise.partition(".")
    seen, kind = verdict.observed, Metric(metric)
    rate, share = kind.is_rate, kind is Metric.AVAILABILITY
    return wire.WindowVerdict(
        metric=metric,
        percentile=percentile or None,
        start=Instant(verdict.window.start_ms),
        end=Instant(verdict.window.end_ms),
        verdict=str(verdict.verdict),
        reason=str(verdict.reason),
        measured=None if rate or share or seen is None or seen == float("inf") else Duration(round(seen)),
        measured_rate=Rate(round(seen)) if rate and seen is not None else None,
        measured_answered=round(seen) / MICRO if share and seen is not None else None,
        samples=verdict.requests,
        cause=verdict.detail or None,
    )


def _accounting(promise: Promise, found: Account, measured: Sketch) -> wire.Accounting:
    objective = promise.objective
    seen = percentile_of(measured, objective.percentile) if isinstance(objective, LatencyObjective) else None
    return wire.Accounting(
        metric=str(objective.metric),
        percentile=f"p{objective.percentile:g}" if isinstance(objective, LatencyObjective) else None,
        windows=found.windows,
        kept=found.kept,
        breached=found.breached,
        unverifiable=found.unverifiable,
        attainment=found.attainment,
        budget_windows=found.budget,
        budget_left=found.budget_left,
        measured=None if seen is None or seen == float("inf") else Duration(math.ceil(seen)),
        samples=measured.count,
        burn_rate_short=found.burn_short,
        burn_rate_long=found.burn_long,
        verdict=str(found.verdict),
    )
