"""A Contract as people read it: what was promised beside what was measured, where it runs, and how to use it."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tenure.cli.answer import BAD, GOOD, MIDDLING, QUIET, add_promises, relaxation_text
from tenure.cli.chosen import add_unkept
from tenure.cli.tables import WordTable
from tenure.cli.typed import typed
from tenure.cli.words import (
    burn_text,
    counted,
    duration_text,
    instant_text,
    metric_text,
    nanoseconds_text,
    percent,
    price_text,
    schedule_text,
    shape_text,
    watts_text,
)
from tenure.resources import Condition, Contract, condition_of
from tenure.resources.kinds.allocation import Claim
from tenure.resources.kinds.answer import Unkept
from tenure.resources.kinds.standing import Accounting, CommissioningFigure, Progress, WindowVerdict

VERDICTS = {"Kept": GOOD, "Breached": BAD, "Unverifiable": MIDDLING}
WINDOWS_SHOWN = 30
CLAIMS_SHOWN = 4
KEY_SHOWN = 12


def contract_view(contract: Contract, *, now_ms: int, unmet: Iterable[Unkept] = ()) -> RenderableType:
    """The whole contract, and which preferences its offer did not keep."""
    spec, status = contract.spec, contract.status
    phase = status.phase if status else "Proposed"
    rows = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    rows.add_column(style=QUIET, no_wrap=True)
    rows.add_column(ratio=1)
    for relaxation in spec.relaxed:
        rows.add_row("gave up", relaxation_text(relaxation, now_ms))
    add_unkept(rows, unmet)
    add_promises(rows, spec.promises)
    if status and status.commissioning and status.commissioning.figures:
        rows.add_row("measured", figures_view(status.commissioning.figures))
    for claim in spec.hold.in_use[:CLAIMS_SHOWN]:
        rows.add_row("holds", _claim_text(claim))
    if len(spec.hold.in_use) > CLAIMS_SHOWN:
        rows.add_row("", f"and {len(spec.hold.in_use) - CLAIMS_SHOWN} members more; -o json lists them all")
    for claim in spec.hold.reserve:
        rows.add_row("reserve", f"{_claim_text(claim)}; {reserve_text(contract, now_ms)}")
    if spec.shape is not None:
        rows.add_row("shape", shape_text(spec.shape) + (f" on {spec.runtime}" if spec.runtime else ""))
    end = int(spec.term.end)
    left = f"{duration_text(end - now_ms)} left" if end > now_ms else "over"
    rows.add_row("term", f"{instant_text(int(spec.term.start), now_ms)} to {instant_text(end, now_ms)}, {left}")
    if status and status.progress:
        rows.add_row("progress", progress_text(status.progress, now_ms))
    rows.add_row("price", price_text(spec.price))
    if spec.price.credit:
        credit = status.credit if status else None
        rows.add_row("credit", Text(str(credit), style=BAD) if credit else f"none due; {schedule_text(spec.price)}")
    rows.add_row("power", watts_text(spec.watts))
    if status and status.run and status.run.mechanism:
        rows.add_row("enforced", _enforced(contract))
    if spec.promises.views:
        rows.add_row("seen by", views_text(contract))
    if status and status.signature:
        signed, key = instant_text(int(status.signature.signed_at), now_ms), status.signature.key_id[:KEY_SHOWN]
        rows.add_row("signed", f"{signed} by key {key}")
    if status and status.endpoint:
        rows.add_row("endpoint", Text(status.endpoint, style="bold"))
    title = Text(f" {contract.name} ", style="bold").append(f"{phase} ", style=_phase_style(phase))
    if status and status.verdict:
        title.append(f"{status.verdict} ", style=VERDICTS[status.verdict])
    hint = Text(typed(f" tenure env {contract.name} "), style="bold") if status and status.endpoint else None
    style = _phase_style(phase)
    return Panel(rows, title=title, title_align="left", subtitle=hint, subtitle_align="right", border_style=style)


def progress_text(progress: Progress, now_ms: int) -> str:
    """How far, and when it will be done: a forecast, in words that do not promise."""
    text = percent(progress.ratio)
    if progress.completed_at is not None:
        return f"{text}, done {instant_text(int(progress.completed_at), now_ms)}"
    if progress.likely is not None and progress.early is not None and progress.late is not None:
        early, late = (instant_text(int(at), now_ms) for at in (progress.early, progress.late))
        text += f", done about {instant_text(int(progress.likely), now_ms)} (forecast {early} to {late})"
    return text + (f"; {progress.problem}" if progress.problem else "")


def _claim_text(claim: Claim) -> str:
    cores = f"{counted(len(claim.cores), 'core')} ({', '.join(map(str, claim.cores))})"
    memory = f", {claim.memory} of memory" if int(claim.memory) else ""
    return f"{cores}{memory} on {claim.machine}"


def reserve_text(contract: Contract, now_ms: int) -> str:
    """Whether the reserve is held back, or in use, since when and against what."""
    reserve = contract.status.reserve if contract.status else None
    if reserve is None or reserve.state == "Held" or reserve.since is None:
        return "held back, nobody else may have it"
    return f"in use since {instant_text(int(reserve.since), now_ms)}: {reserve.because}"


def views_text(contract: Contract) -> str:
    """Who looks at it independently, and whether they agreed in the newest window; else which said what."""
    views = ", ".join(contract.spec.promises.views)
    newest = contract.status.windows[-1] if contract.status and contract.status.windows else None
    if newest is None:
        return views
    if newest.verdict in ("Kept", "Breached"):
        return f"{views}: they agree"
    return f"{views}: {newest.reason}" + (f", {newest.cause}" if newest.cause else "")


def figures_view(figures: list[CommissioningFigure]) -> RenderableType:
    """Promised beside commissioned, one promise a line."""
    table = Table(box=None, show_header=True, header_style=QUIET, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("")  # words may wrap where it is narrow; numbers stay whole
    for heading in ("promised", "measured", "windows within", ""):
        table.add_column(heading, no_wrap=True)
    for figure in figures:
        name = f"{metric_text(figure.metric)} {figure.percentile or ''}".strip()
        promised = nanoseconds_text(figure.promised) or figure.promised_floor or ""
        measured = nanoseconds_text(figure.measured) or figure.measured_floor or "unknown"
        if figure.promised_answered is not None:
            promised = percent(figure.promised_answered.value)
            measured = percent(figure.measured_answered) if figure.measured_answered is not None else "unknown"
        mark = Text("✔ holds", style=GOOD) if figure.holds else Text("✗ does not hold", style=BAD)
        table.add_row(name, promised, measured, f"{figure.windows_within} of {figure.windows}", mark)
    return table


def verdict_view(contract: Contract) -> RenderableType:
    """Why its verdict is what it is: each promise's windows, budget, and newest reasons."""
    status = contract.status
    if status is None:
        return Text("nothing was observed of it yet", style=QUIET)
    parts: list[RenderableType] = []
    for condition in status.conditions:
        parts.append(condition_line(condition))
    if status.accounting:
        parts.append(_accounting(status.accounting))
        parts += [_burning(account) for account in status.accounting if account.burn_rate_short is not None]
    if status.windows:
        parts.append(_windows(status.windows))
    return Group(*parts)


def condition_line(condition: Condition) -> Text:
    """✔ Ready  Active: signed and running."""
    mark, style = {"True": ("✔", GOOD), "False": ("✗", BAD)}.get(condition.status, ("?", MIDDLING))
    text = Text(f"{mark} {condition.type}  ", style=style)
    text.append(condition.reason, style="bold")
    return text.append(typed(f"  {condition.message}") if condition.message else "", style="default")


def measured_text(contract: Contract, metric: str, percentile: str | None) -> str:
    """What was measured last for a promise: of the newest window, else of commissioning; empty where nothing was."""
    status = contract.status
    if status is None:
        return ""
    for window in reversed(status.windows):
        if (window.metric, window.percentile) != (metric, percentile):
            continue
        if window.measured is not None:
            return nanoseconds_text(window.measured)
        if window.measured_answered is not None:
            return percent(window.measured_answered)
    for figure in status.commissioning.figures if status.commissioning else ():
        if (figure.metric, figure.percentile) == (metric, percentile):
            answered = percent(figure.measured_answered) if figure.measured_answered is not None else ""
            return nanoseconds_text(figure.measured) or figure.measured_floor or answered
    return ""


def ready_reason(contract: Contract) -> str:
    """The reason of its Ready condition."""
    ready = condition_of(contract.status.conditions, "Ready") if contract.status else None
    return ready.reason if ready else ""


def _accounting(accounts: list[Accounting]) -> RenderableType:
    headings = ("promise", "verdict", "windows", "kept", "breached", "unverifiable", "attained", "budget left")
    rows: list[tuple[str | Text, ...]] = []
    for account in accounts:
        attained = percent(account.attainment) if account.attainment is not None else "unknown"
        left = f"{account.budget_left:.3g} windows" if account.budget_left is not None else "unknown"
        rows.append(
            (
                _promise_name(account),
                Text(account.verdict, style=VERDICTS[account.verdict]),
                str(account.windows),
                str(account.kept),
                str(account.breached),
                str(account.unverifiable),
                attained,
                left,
            )
        )
    return WordTable(headings, rows, ruled=False)


def _promise_name(account: Accounting) -> str:
    return f"{metric_text(account.metric)} {account.percentile or ''}".strip()


def _burning(account: Accounting) -> Text:
    """How fast the error budget goes; 1 uses it up exactly at the end of the period."""
    now, lately = account.burn_rate_short or 0.0, account.burn_rate_long or 0.0
    return Text(f"{_promise_name(account)}: {burn_text(now, lately)}", style=BAD if now > 1 else QUIET)


def _windows(windows: list[WindowVerdict]) -> RenderableType:
    """A strip a promise, oldest left: ■ kept, ✗ breached, ? unverifiable; then the newest that was not kept."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    promises = dict.fromkeys((window.metric, window.percentile) for window in windows)
    for metric, percentile in promises:
        own = [w for w in windows if (w.metric, w.percentile) == (metric, percentile)][-WINDOWS_SHOWN:]
        strip = Text()
        for window in own:
            mark = {"Kept": "■", "Breached": "✗", "Unverifiable": "?"}[window.verdict]
            strip.append(mark, style=VERDICTS[window.verdict])
        troubled = next((w for w in reversed(own) if w.verdict != "Kept"), None)
        why = f"{troubled.reason}" + (f", {troubled.cause}" if troubled.cause else "") if troubled else ""
        table.add_row(f"{metric_text(metric)} {percentile or ''}".strip(), strip, Text(why, style=QUIET))
    return table


SIMULATED = "simulated"
NOTHING_RUNS = "by nothing: it is simulated, nothing runs that could be read back"


def _enforced(contract: Contract) -> Text:
    assert contract.status is not None, "asked for a run"
    assert contract.status.run is not None, "asked for a run"
    run = contract.status.run
    if run.mechanism == SIMULATED:
        return Text(NOTHING_RUNS, style=QUIET)
    agree = sum(fact.agrees for fact in run.read_back)
    text = Text(f"by {run.mechanism}")
    if run.read_back:
        good = agree == len(run.read_back)
        said = f"   read back from the kernel: {agree} of {len(run.read_back)} agree"
        text.append(said, style=GOOD if good else BAD)
    return text


def _phase_style(phase: str) -> str:
    return {"Active": GOOD, "Ended": QUIET, "Ending": MIDDLING}.get(phase, MIDDLING)
