"""The story in a terminal: one column a window, bars against the bound, marks where something was done."""

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from tenure.cli.audit.limits import limit_of, limit_text, limit_word
from tenure.cli.audit.replay import Audit, Episode, Window, unverifiable_text
from tenure.cli.words import burn_text, counted
from tenure.controllers.contract.deadline import Completion
from tenure.promises import Promise, Verdict
from tenure.quantities import format_instant

BARS = " ▁▂▃▄▅▆▇█"
COLOURS = {Verdict.KEPT: "green", Verdict.BREACHED: "red", Verdict.UNVERIFIABLE: "yellow"}
ROWS = 4


def render(audit: Audit, width: int) -> RenderableType:
    """Everything about one contract."""
    colour = COLOURS[audit.verdict]
    head = Text.assemble(
        (audit.name, "bold"),
        "  ",
        (str(audit.verdict), f"bold {colour}"),
        (f"  {audit.statements} signed statements", "dim"),
        (f"  ended: {audit.ended}" if audit.ended else "", "dim"),
    )
    parts: list[RenderableType] = [head, Text()]
    parts += [Text.assemble(("hard promises  ", "bold"), (str(audit.hard), COLOURS[audit.hard])), Text()]
    if audit.completion is not None:
        parts += [_completion(audit.completion), Text()]
    for promise in audit.promises:
        parts += [*_promise(audit, promise, width), Text()]
    if audit.episodes:
        parts.append(Text("breaches", "bold"))
        parts += [Padding(_episode(episode), (0, 0, 0, 2)) for episode in audit.episodes]
    elif audit.promises:
        parts.append(Text("no window was breached", "dim"))
    if audit.credit is not None:
        parts.append(Text(f"credit {audit.credit}", "red"))
    return Group(*parts)


def _completion(found: Completion) -> Text:
    word, colour = ("not due yet", "dim") if found.verdict is None else (str(found.verdict), COLOURS[found.verdict])
    return Text.assemble(
        ("completion  ", "bold"), (word, colour), (f"  by {format_instant(found.by_ms)}; {found.said}", "dim")
    )


def _promise(audit: Audit, promise: Promise, width: int) -> list[RenderableType]:
    found, windows = audit.accounts[promise.name], audit.windows[promise.name]
    attained = "nothing owed yet" if found.attainment is None else f"{found.attainment:.1%} kept of {found.owed} owed"
    title = Text.assemble(
        (promise.name, "bold"),
        f" {limit_text(promise)}  ",
        (str(found.verdict), COLOURS[found.verdict]),
        (f"  {attained}; {found.not_owed} not owed; budget {found.budget_left} of {found.budget} left; ", "dim"),
        (burn_text(found.burn_short, found.burn_long), "red" if found.remedy_due else "dim"),
    )
    if not windows:
        return [title, Text("  no window was judged", "dim")]
    shown = windows[-max(10, width - 12) :]
    unsaid = unverifiable_text(windows)
    reasons = [Text(f"{'':>10}unverifiable: {unsaid}", COLOURS[Verdict.UNVERIFIABLE])] if unsaid else []
    return [title, *_bars(shown, promise), _axis(shown, len(windows)), *reasons]


def _bars(windows: Sequence[Window], promise: Promise) -> list[Text]:
    """Bars of `ROWS` lines; the line of the promise is where the upper half begins."""
    top, word = 2.0 * limit_of(promise), limit_word(promise)
    rows = []
    for row in range(ROWS - 1, -1, -1):
        label = f"2x {word}" if row == ROWS - 1 else word if row == ROWS // 2 - 1 else ""
        line = Text(f"{label:>9} ", "dim")
        for window in windows:
            line.append(_cell(window, row, top), COLOURS[window.verdict.verdict])
        rows.append(line)
    return rows


def _cell(window: Window, row: int, top: float) -> str:
    seen = observed_of(window)
    if seen is None:
        return "·" if row == 0 else " "
    height = (ROWS if math.isinf(seen) else min(seen / top, 1.0) * ROWS) - row
    return BARS[max(0, min(8, round(height * 8)))] if height > 0 or row else BARS[1]


def observed_of(window: Window) -> float | None:
    """What was seen; a breach without a figure is one in which requests failed, infinitely slow."""
    seen = window.verdict.observed
    return math.inf if seen is None and window.verdict.verdict is Verdict.BREACHED else seen


def _axis(windows: Sequence[Window], of: int) -> Text:
    first, last = windows[0].verdict.window.start_ms, windows[-1].verdict.window.end_ms
    length = (windows[0].verdict.window.end_ms - first) / 1000
    span = f"{format_instant(first)[11:19]} to {format_instant(last)[11:19]} UTC, {length:g} s a column"
    newest = f", the newest {len(windows)} of {of} windows; --html shows all" if len(windows) < of else ""
    return Text(f"{'':>10}{span}{newest}", "dim")


def _episode(episode: Episode) -> Text:
    text = Text.assemble(
        ("✗ ", "red"),
        f"{format_instant(episode.start_ms)[11:19]}  {episode.promise}: {counted(episode.windows, 'window')}, "
        f"detected {episode.detected_after_ms / 1000:.1f} s after the first was over",
    )
    if episode.cause is not None:
        text.append(f"\n  because {episode.cause}", "yellow")
    for remedy in episode.remedies:
        text.append(f"\n  → {remedy.rung}: {remedy.cause}", "cyan")
        text.append(f"  {remedy.outcome or 'not judged yet'}", "bold")
    if episode.remedied_after_ms is not None:
        text.append(f"\n  ✓ kept again {episode.remedied_after_ms / 1000:.1f} s after the first step", "green")
    elif episode.kept_again_ms is not None:
        text.append("\n  ✓ kept again without a step", "green")
    return text
