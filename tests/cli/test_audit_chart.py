"""The audit in a terminal: a line a promise says why windows could not be judged."""

import io

from rich.console import Console

from tenure.cli.audit.chart import render
from tenure.cli.audit.page import page
from tenure.cli.audit.replay import Audit, Window, to_json
from tenure.promises import (
    Assurance,
    LatencyObjective,
    Load,
    Metric,
    Promise,
    Reason,
    Verdict,
    WindowVerdict,
    account,
)
from tenure.promises import Window as Span

PROMISE = Promise(
    LatencyObjective(Metric.TIME_TO_FIRST_TOKEN, 95, 10**8), Load(10**6, 40, 3), Assurance(1_000, 0.5, 0.5)
)


def audit(*reasons: Reason) -> Audit:
    """One window a reason, in order of time."""
    windows = []
    for at, reason in enumerate(reasons):
        verdict = Verdict.KEPT if reason is Reason.WITHIN_BOUND else Verdict.UNVERIFIABLE
        span = Span(at * 1_000, at * 1_000 + 1_000)
        windows.append(Window(WindowVerdict(PROMISE.name, span, verdict, reason), span.end_ms + 200))
    accounts = {PROMISE.name: account([w.verdict for w in windows], PROMISE.assurance, 600_000)}
    return Audit("chat-1", {}, (PROMISE,), {PROMISE.name: windows}, accounts)


def shown(found: Audit) -> str:
    screen = Console(width=200, file=(said := io.StringIO()))
    screen.print(render(found, 100))
    return said.getvalue()


MIXED = audit(Reason.WITHIN_BOUND, Reason.STALE, Reason.VIEWS_DISAGREE, Reason.STALE, Reason.LOAD_ABOVE_DECLARED)


def test_unverifiable_windows_are_counted_by_their_reasons_the_commonest_first() -> None:
    said = "unverifiable: 2 Stale, 1 LoadAboveDeclared, 1 ViewsDisagree"
    assert said in shown(MIXED)
    assert said in page(MIXED)


def test_a_narrow_terminal_says_how_many_of_the_windows_it_shows() -> None:
    long = audit(*[Reason.WITHIN_BOUND] * 120)
    assert "the newest 88 of 120 windows" in shown(long)
    assert "the newest" not in shown(MIXED), "all of them are shown"


def test_how_fast_the_budget_goes_is_on_every_face() -> None:
    burning = audit(Reason.WITHIN_BOUND, Reason.STALE)
    account = burning.accounts[PROMISE.name]
    said = f"burn rate {account.burn_short:.3g} over 2 windows, {account.burn_long:.3g} over 8"
    assert account.burn_short > 0
    assert said in shown(burning)
    assert said in page(burning)
    told = to_json(burning)["promises"][0]["account"]
    assert (told["burnRateShort"], told["burnRateLong"]) == (account.burn_short, account.burn_long)


def test_where_all_could_be_judged_there_is_no_such_line() -> None:
    assert "unverifiable:" not in shown(audit(Reason.WITHIN_BOUND, Reason.WITHIN_BOUND))
