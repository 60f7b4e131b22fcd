"""On a screen of 80 columns no figure is cut, and each stands beside its promise."""

import pytest
from rich.console import Console, RenderableType

from tenure.cli.answer import answer_view
from tenure.cli.contract_view import contract_view
from tenure.cli.own.status import _table
from tests.cli import answers

NOW_MS = 4_005_190_800_000
CONTRACT = answers.contract_object("chat-3f2a1c", "team-a", "chat", **answers.active_status())
VIEWS: dict[str, RenderableType] = {
    "status": _table([CONTRACT], NOW_MS),
    "contract": contract_view(CONTRACT, now_ms=NOW_MS),
    "offers": answer_view(answers.offers(), now_ms=NOW_MS, held=True, expires_ms=NOW_MS + 60_000),
    "counter-offers": answer_view(answers.counter_offers(), now_ms=NOW_MS, held=True, expires_ms=NOW_MS + 60_000),
    "refusal": answer_view(answers.refused(), now_ms=NOW_MS, held=True),
}


def at_80_columns(view: RenderableType) -> list[str]:
    screen = Console(width=80, no_color=True)
    with screen.capture() as caught:
        screen.print(view)
    return caught.get().splitlines()


@pytest.mark.parametrize("name", VIEWS)
def test_nothing_is_cut(name: str) -> None:
    lines = at_80_columns(VIEWS[name])
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if "…" in line]


@pytest.mark.parametrize("name", ["status", "contract"])
def test_each_figure_stands_on_the_line_where_its_promise_begins(name: str) -> None:
    lines = at_80_columns(VIEWS[name])
    for figure, metric in (("402ms", "time to first token"), ("30ms", "inter-token latency")):
        assert any(figure in line and metric in line for line in lines), lines
