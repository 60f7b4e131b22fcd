"""The story as one HTML file that opens offline: no script, no font, nothing fetched."""

import math
from collections.abc import Sequence
from html import escape

from tenure.cli.audit.chart import observed_of
from tenure.cli.audit.limits import limit_of, limit_text, limit_word, seen_text
from tenure.cli.audit.replay import Audit, Episode, RemedyTaken, Window, unverifiable_text
from tenure.cli.pages import asset, document
from tenure.cli.words import burn_text
from tenure.controllers.contract.deadline import Completion
from tenure.promises import Promise, Verdict
from tenure.quantities import format_instant

WIDTH, HEIGHT = 1000, 100
UNSEEN = 0.03
"""The height of a window without a figure, as a share of the chart: there to be pointed at."""


def page(audit: Audit) -> str:
    """The whole file."""
    title = f"Audit of {audit.name}"
    ended = f", ended: {escape(audit.ended)}" if audit.ended else ""
    credit = f'<p class="breached">Credit {escape(str(audit.credit))}</p>' if audit.credit is not None else ""
    body = (
        f"<h1>{escape(title)}: {_said(audit.verdict)}</h1>"
        f'<p class="dim">{audit.statements} signed statements{ended}. Every figure is recomputed from the evidence '
        "log; <code>tenure evidence export</code> and <code>verify</code> let anyone check it.</p>"
        f"{credit}<h2>Hard promises: {_said(audit.hard)}</h2>{_completion(audit.completion)}"
        + "".join(_promise(audit, promise) for promise in audit.promises)
        + (_key() if audit.promises else "")
        + f"<h2>Breaches</h2>{_breaches(audit.episodes)}"
    )
    return document(title, body, style=asset("audit.css"))


def _said(verdict: Verdict) -> str:
    return f'<span class="{verdict.lower()}">{verdict}</span>'


def _completion(found: Completion | None) -> str:
    if found is None:
        return ""
    said = _said(found.verdict) if found.verdict is not None else "not due yet"
    return f'<h2>Completion: {said}</h2><p class="dim">by {format_instant(found.by_ms)}; {escape(found.said)}</p>'


def _key() -> str:
    words = {
        Verdict.KEPT: "kept",
        Verdict.BREACHED: "breached",
        Verdict.UNVERIFIABLE: "unverifiable, or not owed",
    }
    spans = "".join(f'<span class="{verdict.lower()}">{word}</span>' for verdict, word in words.items())
    return f'<div class="key dim">one bar a window: {spans}</div>'


def _breaches(episodes: Sequence[Episode]) -> str:
    if not episodes:
        return '<p class="dim">No window was breached.</p>'
    rows = "".join(
        f"<tr><td>{format_instant(e.start_ms)}</td><td>{escape(e.promise)}</td><td>{e.windows}</td>"
        f"<td>{_seconds(e.detected_after_ms)}</td>"
        f"<td>{escape(e.cause or '')}</td><td>{_steps(e.remedies)}</td>"
        f"<td>{_seconds(e.remedied_after_ms)}</td></tr>"
        for e in episodes
    )
    head = "".join(
        f"<th>{name}</th>"
        for name in ("from", "promise", "windows", "detected after", "likeliest cause", "steps", "kept again after")
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>'


def _seconds(ms: int | None) -> str:
    return "" if ms is None else f"{ms / 1000:.1f} s"


def _promise(audit: Audit, promise: Promise) -> str:
    found, windows = audit.accounts[promise.name], audit.windows[promise.name]
    attained = (
        "nothing owed yet" if found.attainment is None else f"{found.attainment:.1%} of {found.owed} owed windows"
    )
    unsaid = unverifiable_text(windows)
    reasons = f"; unverifiable: {escape(unsaid)}" if unsaid else ""
    return (
        f"<h2>{escape(promise.name)} {escape(limit_text(promise))}: {_said(found.verdict)}</h2>"
        f'<p class="dim">kept in {attained} (promised {promise.assurance.share:.0%}); budget {found.budget_left} of '
        f"{found.budget} windows left, {burn_text(found.burn_short, found.burn_long)}; "
        f"{found.not_owed} windows were not owed{reasons}</p>"
        f"{_chart(windows, promise)}"
    )


def _chart(windows: list[Window], promise: Promise) -> str:
    """One bar a window, in a square that the page stretches; the promise is the line across its middle."""
    if not windows:
        return '<p class="dim">No window was judged.</p>'
    step, top = WIDTH / len(windows), 2.0 * limit_of(promise)
    bars = "".join(_bar(window, promise, place * step, step, top) for place, window in enumerate(windows))
    line = f'<line class="bound" x1="0" x2="{WIDTH}" y1="{HEIGHT / 2}" y2="{HEIGHT / 2}"/>'
    word = limit_word(promise)
    up = "".join(f"<span>{text}</span>" for text in (f"2x {word}", word, "0"))
    first, last = windows[0].verdict.window.start_ms, windows[-1].verdict.window.end_ms
    return (
        f'<div class="windows"><div class="up">{up}</div><svg viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'preserveAspectRatio="none" role="img" aria-label="{len(windows)} windows">{bars}{line}</svg>'
        f'<div class="along"><span>{format_instant(first)}</span><span>{format_instant(last)}</span></div></div>'
    )


def _bar(window: Window, promise: Promise, left: float, step: float, top: float) -> str:
    seen, verdict = observed_of(window), window.verdict
    share = UNSEEN if seen is None else 1.0 if math.isinf(seen) else min(1.0, seen / top)
    said = f"{format_instant(verdict.window.start_ms)}: {verdict.verdict}, {verdict.reason}"
    if seen is not None and not math.isinf(seen):
        said += f", {seen_text(promise, seen)}"
    said += f"; {window.cause['said']}" if window.cause is not None else ""
    height = HEIGHT * max(share, UNSEEN)
    return (
        f'<rect class="{verdict.verdict.lower()}" x="{left:.2f}" y="{HEIGHT - height:.2f}" '
        f'width="{step * 0.92:.2f}" height="{height:.2f}"><title>{escape(said)}</title></rect>'
    )


def _steps(remedies: Sequence[RemedyTaken]) -> str:
    return "<br>".join(f"{escape(r.rung)}: {escape(r.cause)} ({escape(r.outcome or 'not judged')})" for r in remedies)
