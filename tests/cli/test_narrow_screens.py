"""On a screen of 80 columns no figure is cut, and each stands beside its promise."""

import sys

import pytest
from rich.console import Console, RenderableType

from tenure.cli import screen
from tenure.cli.answer import answer_view
from tenure.cli.contract_view import contract_view, verdict_view
from tenure.cli.own.status import _table
from tests.cli import answers

HEADINGS = ("name", "reason", "message")
EVENTS = [
    (
        "chat-3f2a1c",
        "TrialFailed",
        "402 ms where 300 ms was asked, in 3 of 12 windows, so that no more can be promised",
    ),
    ("chat", "Started", "its run started"),
]
NOW_MS = 4_005_190_800_000
LONG = answers.contract_object(
    "embeddings-of-search-9b1c44", "team-a", "embeddings", **{**answers.active_status(), "phase": "Commissioning"}
)
CONTRACT = answers.contract_object("chat-3f2a1c", "team-a", "chat", **answers.active_status())
ACCOUNTED = answers.contract_object(
    "chat-3f2a1c",
    "team-a",
    "chat",
    **answers.active_status(
        accounting=[
            {
                "metric": "interTokenLatency",
                "percentile": "p95",
                "windows": 259_200,
                "kept": 250_000,
                "breached": 9_200,
                "unverifiable": 0,
                "attainment": 0.9645,
                "budgetWindows": 25_920,
                "budgetLeft": 16_720,
                "verdict": "Unverifiable",
            }
        ]
    ),
)
VIEWS: dict[str, RenderableType] = {
    "status": _table([CONTRACT], NOW_MS),
    "status of a long name": _table([CONTRACT, LONG], NOW_MS),
    "verdict": verdict_view(ACCOUNTED),
    "contract": contract_view(CONTRACT, now_ms=NOW_MS),
    "offers": answer_view(answers.offers(), now_ms=NOW_MS, held=True, expires_ms=NOW_MS + 60_000),
    "counter-offers": answer_view(answers.counter_offers(), now_ms=NOW_MS, held=True, expires_ms=NOW_MS + 60_000),
    "refusal": answer_view(answers.refused(), now_ms=NOW_MS, held=True),
}


def at_80_columns(view: RenderableType) -> list[str]:
    console = Console(width=80, no_color=True)
    with console.capture() as caught:
        console.print(view)
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


def test_words_of_a_state_stay_whole_beside_a_long_name() -> None:
    assert any("Commissioning" in line for line in at_80_columns(VIEWS["status of a long name"]))


def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int | None) -> list[str]:
    """What `get` shows on a terminal of so many columns; None: through a pipe."""
    monkeypatch.setenv("COLUMNS", str(columns or 80))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: columns is not None, raising=False)
    screen.say_table(HEADINGS, EVENTS)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("columns", [50, 80, 100])
def test_long_cells_wrap_in_their_column(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    lines = printed(capsys, monkeypatch, columns)
    begins = lines[0].index("MESSAGE")
    assert max(map(len, lines)) <= columns
    assert {line[begins - 1] for line in lines} == {" "}
    assert " ".join(line[begins:] for line in lines).split() == ["MESSAGE", *" ".join(e[2] for e in EVENTS).split()]


def test_through_a_pipe_a_row_is_a_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(printed(capsys, monkeypatch, None)) == 1 + len(EVENTS)


def test_where_even_words_do_not_fit_a_row_is_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(printed(capsys, monkeypatch, 20)) == 1 + len(EVENTS)
