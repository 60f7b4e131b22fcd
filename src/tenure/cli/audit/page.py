"""The story as one HTML file that opens offline: no script, no font, nothing fetched."""

import math
from html import escape

from tenure.cli.audit.chart import observed_of
from tenure.cli.audit.limits import limit_of, limit_text, seen_text
from tenure.cli.audit.replay import Audit, Window
from tenure.promises import Promise, Verdict
from tenure.quantities import format_instant

COLOURS = {Verdict.KEPT: "#1a7f4b", Verdict.BREACHED: "#c4302b", Verdict.UNVERIFIABLE: "#c99700"}
WIDTH, HEIGHT = 960, 140
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1c2430}
h1{font-size:1.5rem} h2{font-size:1.1rem;margin:2rem 0 .3rem} table{border-collapse:collapse}
td,th{padding:.2rem .9rem .2rem 0;text-align:left;vertical-align:top} .dim{color:#6a7482}
svg{width:100%;height:auto;background:#f6f8fa;border-radius:6px}
@media (prefers-color-scheme:dark){body{background:#12161c;color:#dfe5ec}svg{background:#1b222b}}
"""


def page(audit: Audit) -> str:
    """The whole file."""
    title = f"Audit of {audit.name}"
    rows = "".join(
        f"<tr><td>{format_instant(e.start_ms)}</td><td>{escape(e.promise)}</td><td>{e.windows}</td>"
        f"<td>{e.detected_after_ms / 1000:.1f} s</td><td>{_steps(e.remedies)}</td>"
        f"<td>{'' if e.remedied_after_ms is None else f'{e.remedied_after_ms / 1000:.1f} s'}</td></tr>"
        for e in audit.episodes
    )
    breaches = (
        "<h2>Breaches</h2><table><tr><th>from</th><th>promise</th><th>windows</th><th>detected after</th>"
        f"<th>steps</th><th>kept again after</th></tr>{rows}</table>"
        if rows
        else "<h2>Breaches</h2><p class=dim>No window was breached.</p>"
    )
    ended = f", ended: {escape(audit.ended)}" if audit.ended else ""
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{escape(title)}</title><style>{STYLE}</style><h1>{escape(title)}: "
        f"<span style='color:{COLOURS[audit.verdict]}'>{audit.verdict}</span></h1>"
        f"<p class=dim>{audit.statements} signed statements{ended}. Every figure is recomputed from the evidence log; "
        f"<code>tenure evidence export</code> and <code>verify</code> let anyone check it.</p>"
        f"<h2>Hard promises: <span style='color:{COLOURS[audit.hard]}'>{audit.hard}</span></h2>"
        + "".join(_promise(audit, promise) for promise in audit.promises)
        + breaches
        + "</html>\n"
    )


def _promise(audit: Audit, promise: Promise) -> str:
    found, windows = audit.accounts[promise.name], audit.windows[promise.name]
    attained = (
        "nothing owed yet" if found.attainment is None else f"{found.attainment:.1%} of {found.owed} owed windows"
    )
    return (
        f"<h2>{escape(promise.name)} {escape(limit_text(promise))}</h2>"
        f"<p class=dim>kept in {attained} (promised {promise.assurance.share:.0%}); budget {found.budget_left} of "
        f"{found.budget} windows left; {found.not_owed} windows were not owed</p>{_chart(windows, promise)}"
    )


def _chart(windows: list[Window], promise: Promise) -> str:
    if not windows:
        return "<p class=dim>No window was judged.</p>"
    step = WIDTH / len(windows)
    top = 2.0 * limit_of(promise)
    bars = []
    for place, window in enumerate(windows):
        seen, verdict = observed_of(window), window.verdict
        share = 0.03 if seen is None else 1.0 if math.isinf(seen) else min(1.0, seen / top)
        said = f"{format_instant(verdict.window.start_ms)}: {verdict.verdict}, {verdict.reason}"
        if seen is not None and not math.isinf(seen):
            said += f", {seen_text(promise, seen)}"
        bars.append(
            f"<rect x='{place * step:.1f}' y='{HEIGHT * (1 - share):.1f}' width='{max(step - 0.5, 0.5):.1f}' "
            f"height='{HEIGHT * share:.1f}' fill='{COLOURS[verdict.verdict]}'><title>{escape(said)}</title></rect>"
        )
    line = f"<line x1=0 x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} stroke='currentColor' stroke-dasharray='4 4'/>"
    return f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role=img>{''.join(bars)}{line}</svg>"


def _steps(remedies: tuple) -> str:  # type: ignore[type-arg]
    return "<br>".join(f"{escape(r.rung)}: {escape(r.cause)} ({escape(r.outcome or 'not judged')})" for r in remedies)
