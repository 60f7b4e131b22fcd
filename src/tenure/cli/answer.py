"""An Answer as people read it: offers as cards, counter-offers by what they give up, a refusal as a funnel.

The one rendering of an answer; `ask`, `request`, `why`, `trial` and the quickstart share it.
"""

from collections.abc import Callable, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tenure.cli.chosen import add_chosen
from tenure.cli.typed import typed
from tenure.cli.words import (
    assurance_text,
    counted,
    duration_text,
    evidence_text,
    load_text,
    metric_text,
    moment_or_text,
    nanoseconds_text,
    percent,
    price_text,
    promise_text,
    shape_text,
    watts_text,
    when_text,
)
from tenure.resources.kinds.allocation import Promises, Relaxation, StatisticalPromise
from tenure.resources.kinds.answer import Answer, FunnelStep, Quote, RefusalDetail, TrialNeeded

QUIET = "bright_black"
GOOD, MIDDLING, BAD = "green", "yellow", "red"
BAR_CELLS = 20
NAME_CELLS = 36


def answer_view(answer: Answer, *, now_ms: int, held: bool, expires_ms: int | None = None) -> RenderableType:
    """The whole answer. `held`: its quotes are Offers in the ledger until `expires_ms`; else they hold nothing."""
    held = held and (not answer.quotes or any(quote.offer for quote in answer.quotes))
    parts: list[RenderableType] = [_headline(answer, held, expires_ms, now_ms)]
    if answer.refusal is not None:
        parts.append(refusal_view(answer.refusal, now_ms=now_ms))
    if answer.needs_trial is not None:
        parts.append(_trial(answer.needs_trial))
    if answer.quotes:
        best, *others = answer.quotes
        parts.append(quote_card(best, number=1, now_ms=now_ms))
        if others:
            parts.append(_others(best, others, now_ms))
    if answer.assumed:
        parts.append(Text(f"assumed: {'; '.join(answer.assumed)}", style=QUIET))
    return Group(*parts)


def quote_card(quote: Quote, *, now_ms: int, number: int | None = None) -> RenderableType:
    """One offer in full."""
    rows = _rows()
    for relaxation in quote.relaxed:
        rows.add_row("gives up", relaxation_text(relaxation, now_ms))
    if quote.unheld_because:
        rows.add_row("not held", quote.unheld_because)
    add_promises(rows, quote.promises)
    runtime = f" on {quote.runtime}" if quote.runtime else ""
    held = f"{counted(quote.cores, 'core')}, {quote.memory} of memory"
    alone = not any(p.what == "machines" and not p.value.startswith("1:") for p in quote.promises.hard)
    rows.add_row("holds", held + (f" on {quote.machine}" if quote.machine and alone else ""))
    for promise in quote.promises.hard:
        if promise.what == "reserve":
            rows.add_row("reserve", promise.value)
    if quote.chosen is not None:
        add_chosen(rows, quote.chosen)
    if quote.shape is not None:
        rows.add_row("shape", shape_text(quote.shape) + runtime)
    term = f"{when_text(int(quote.start), now_ms)} for {duration_text(int(quote.end) - int(quote.start))}"
    rows.add_row("term", term)
    rows.add_row("price", _known(price_text(quote.price)))
    rows.add_row("power", _known(watts_text(quote.watts)))
    style = GOOD if quote.meets_in_full else MIDDLING
    title = Text(" ")
    title.append(f"{number}  " if number else "", style="bold")
    title.append(quote.offer or "a quote, which holds nothing", style="bold")
    title.append("  meets the need in full " if quote.meets_in_full else "  counter-offer ", style=style)
    command = Text(typed(f" tenure accept {quote.offer} "), style="bold") if quote.offer else None
    return Panel(rows, title=title, title_align="left", subtitle=command, subtitle_align="right", border_style=style)


def add_promises(rows: Table, promises: Promises) -> None:
    """Rows for what is promised statistically, how surely, under which load, and on which evidence."""
    statistical = promises.statistical
    if statistical:
        rows.add_row("promises", _promise_grid(statistical))
    for sentence in _said_once(statistical, assurance_text):
        rows.add_row("", sentence)
    if promises.load is not None:
        rows.add_row("under", load_text(promises))
    for sentence in _said_once(statistical, evidence_text):
        rows.add_row("evidence", sentence)
    if promises.complete_by is not None:
        rows.add_row("promises", Text(f"done by {promises.complete_by}", style="bold"))
    elif not statistical:
        rows.add_row("promises", "what is reserved; nothing about speed")
    if any(promise.what == "simulated" for promise in promises.hard):
        for promise in promises.hard:
            if promise.what not in ("start", "end", "reserve"):
                rows.add_row(promise.what, promise.value)


def _said_once(promises: Sequence[StatisticalPromise], text: Callable[[StatisticalPromise], str]) -> list[str]:
    """What is true of all promises, once; where they differ, each sentence with the metrics that it is about."""
    about: dict[str, dict[str, None]] = {}
    for promise in promises:
        about.setdefault(text(promise), {})[metric_text(promise.metric)] = None
    if len(about) < 2:
        return list(about)
    return [f"{', '.join(metrics)}: {sentence}" for sentence, metrics in about.items()]


def relaxation_text(relaxation: Relaxation, now_ms: int) -> Text:
    """less: load.requestsPerSecond 8 → 3."""
    text = Text(f"{relaxation.axis}: ", style=MIDDLING)
    text.append(f"{relaxation.what} ", style="default")
    text.append(f"{moment_or_text(relaxation.asked, now_ms)} → ", style=QUIET)
    text.append(moment_or_text(relaxation.offered, now_ms), style="bold")
    return text


def _promise_grid(promises: Sequence[StatisticalPromise]) -> Table:
    """A promise a line: what, the bound, and how far the evidence is from it."""
    grid = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for _ in range(3):
        grid.add_column(no_wrap=True)
    for promise in promises:
        beside = Text("")
        if promise.asked is not None and promise.bound is not None and promise.asked < promise.bound:
            beside = Text(f"asked {promise.asked}", style=MIDDLING)
        elif promise.asked_floor is not None and promise.floor is not None and promise.floor < promise.asked_floor:
            beside = Text(f"asked {promise.asked_floor}/s", style=MIDDLING)
        elif promise.answered is not None and promise.asked_answered is not None:
            short = promise.answered < promise.asked_answered
            asked = f"asked {percent(promise.asked_answered.value)}"
            carries = promise.carried_answered or promise.answered
            beside = Text(
                asked if short else f"the evidence carries {percent(carries.value)}", style=MIDDLING if short else QUIET
            )
        elif promise.carried is not None:
            beside = Text(f"the evidence carries {nanoseconds_text(promise.carried)}", style=QUIET)
        elif promise.carried_floor is not None:
            beside = Text(f"the evidence carries {promise.carried_floor}/s", style=QUIET)
        grid.add_row(metric_text(promise.metric), Text(promise_text(promise), style="bold"), beside)
    return grid


def refusal_view(refusal: RefusalDetail, *, now_ms: int) -> RenderableType:
    """What binds with its numbers, the funnel, the conflicting set, and what to do next."""
    binding = refusal.binding
    rows = _rows()
    # When it frees has a row of its own, in words.
    message = Text(binding.message.partition("; free from ")[0], style="bold")
    rows.add_row("binding", message)
    rows.add_row("", Text(f"{binding.constraint}, imposed by {binding.imposed_by}", style=QUIET))
    if binding.frees_at is not None:
        rows.add_row("frees", when_text(int(binding.frees_at), now_ms))
    if refusal.funnel:
        rows.add_row("candidates", funnel_view(refusal.funnel))
    if refusal.conflicting:
        together = " + ".join(refusal.conflicting)
        alone = "it alone excludes everything" if len(refusal.conflicting) == 1 else "without any one of them, it fits"
        rows.add_row("conflict", Text.assemble(together, (f"   {alone}", QUIET)))
    if binding.next_step:
        rows.add_row("next", Text(typed(binding.next_step), style="bold"))
    return rows


def funnel_view(funnel: Sequence[FunnelStep]) -> RenderableType:
    """How many candidates were left after each constraint, as bars; what it removed is the pale part."""
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(max_width=NAME_CELLS, overflow="fold")
    table.add_column(no_wrap=True, min_width=BAR_CELLS)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    before = 0
    most = 1
    for step in funnel:
        count = step.removed + step.remaining
        if not count:
            continue  # after nothing is left, nothing more can be said
        if count != before:
            most = count  # other candidates from here on: shapes first, then places for them
        before = step.remaining
        kept = _cells(step.remaining, most)
        gone = max(0, _cells(count, most) - kept)
        bar = Text("█" * kept, style=GOOD if step.remaining else BAD).append("░" * gone, style=QUIET)
        removed = Text(f"−{step.removed}", style=BAD) if step.removed else Text("")
        # What is counted stands under its constraint: beside the bar there is no room on a narrow screen.
        name = Text(step.constraint).append(f"\n{step.detail}" if step.detail else "", style=QUIET)
        table.add_row(name, bar, str(step.remaining), removed)
    return table


def _cells(count: int, most: int) -> int:
    # Whatever is left is seen, however little it is.
    return max(1, round(BAR_CELLS * count / most)) if count else 0


def _headline(answer: Answer, held: bool, expires_ms: int | None, now_ms: int) -> Text:
    count = len(answer.quotes)
    until = f", held until {when_text(expires_ms, now_ms)}" if held and expires_ms else ""
    holds = until if held else "; they hold nothing"
    match answer.kind:
        case "Offers":
            noun, meet = counted(count, "offer" if held else "quote"), "meets" if count == 1 else "meet"
            return Text(f"✔ {noun} that {meet} the need in full{holds}", style=GOOD)
        case "CounterOffers":
            noun = counted(count, "counter-offer" if held else "counter-quote")
            return Text(f"◐ Not as asked; {noun}{holds}", style=MIDDLING)
        case "NeedsTrial":
            return Text("… Nobody knows yet: it takes a trial", style=MIDDLING)
    return Text("✗ Refused", style=BAD)


def _trial(needed: TrialNeeded) -> RenderableType:
    rows = _rows()
    rows.add_row("because", needed.reason)
    shapes = ", ".join(shape_text(shape) for shape in needed.shapes)
    rows.add_row(
        "a trial of", f"{needed.duration} on {counted(needed.cores, 'core')}" + (f": {shapes}" if shapes else "")
    )
    rows.add_row(
        "next", Text(typed("tenure request -f FILE"), style="bold").append("   holds what the trial needs", style=QUIET)
    )
    return rows


def _others(best: Quote, quotes: Sequence[Quote], now_ms: int) -> RenderableType:
    """The offers after the best, by what sets them apart from it."""
    relaxed = any(quote.relaxed for quote in quotes)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), header_style=QUIET, show_edge=False)
    table.add_column("or", style="bold", no_wrap=True)
    if relaxed:
        table.add_column("gives up")
    table.add_column("promises", no_wrap=True)
    table.add_column("shape")
    table.add_column("cores", justify="right")
    table.add_column("starts")
    table.add_column("an hour")
    for quote in quotes:
        given = Text("\n").join(relaxation_text(r, now_ms) for r in quote.relaxed) if quote.relaxed else Text("nothing")
        cells: list[RenderableType] = [Text(quote.offer or "quote")]
        if relaxed:
            cells.append(given)
        shape = f"{quote.shape.threads} × {quote.shape.slots}" if quote.shape else ""
        price = str(quote.price.hourly) if quote.price.hourly is not None else "unknown"
        promised = _short(quote.promises.statistical)
        cells.append("as 1" if promised == _short(best.promises.statistical) else promised)
        held_back = f" ({quote.reserve_cores} in reserve)" if quote.reserve_cores else ""
        cells += [shape, f"{quote.cores}{held_back}", when_text(int(quote.start), now_ms), price]
        table.add_row(*cells)
    return table


def _short(promises: Sequence[StatisticalPromise]) -> str:
    return "\n".join(f"{metric_text(p.metric)} {promise_text(p)}" for p in promises)


def _rows() -> Table:
    """Labelled rows: a quiet label, then text that may wrap."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style=QUIET, no_wrap=True)
    table.add_column(ratio=1)
    return table


def _known(text: str) -> Text:
    return Text(text, style=QUIET if text.startswith("unknown") else "default")
