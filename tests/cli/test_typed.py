"""What is shown to be typed next means the same home: where --home was given, it names it."""

import json
from pathlib import Path

import pytest

from tenure.cli.typed import given, one_line, typed
from tests.cli.host import Shell, make_namespace
from tests.cli.manifests import CHAT


@pytest.mark.parametrize(
    ("words", "so"),
    [
        ("tenure accept chat-1", "tenure --home '/a b' accept chat-1"),
        ("`tenure up`, or `tenure down`", "`tenure --home '/a b' up`, or `tenure --home '/a b' down`"),
        ("  next   tenure inventory show", "  next   tenure --home '/a b' inventory show"),
        ("see `tenure explain workload.spec`", None),
        ("see `tenure price set --help`", None),
        ("tenure lint -f x, tenure ask -f x", "tenure lint -f x, tenure --home '/a b' ask -f x"),
        ("tenure --home DIR down --purge", None),
        ("state is in /home/me/tenure now", None),
        ("tenure.dev/log and Tenure up", None),
    ],
)
def test_a_command_names_the_home_that_was_given(words: str, so: str | None) -> None:
    with one_line():
        assert typed(words) == words, "twin: none was given"
        given("/a b")
        assert typed(words) == (so or words)
        with one_line():
            assert typed(words) == words, "a command that this one runs was given none"
    assert typed(words) == words, "and it is forgotten with its line"


def test_next_steps_of_failures_name_it(offline: Shell, tmp_path: Path) -> None:
    there = tmp_path / "there"
    assert f"tenure --home {there} up" in offline("--home", there, "get", "workloads").err.replace("\n", " ")
    told = json.loads(offline("get", "workloads", "-o", "json", f"--home={there}").err)
    assert f"tenure --home {there} up" in told["nextStep"]
    assert "--home" not in offline("get", "workloads").err


def test_answers_name_it(live_home: Path, offline: Shell) -> None:
    make_namespace(live_home, "typed")
    home = ("--home", live_home, "-n", "typed")
    offline("apply", "-f", "-", *home, stdin=CHAT)
    assert f"`tenure --home {live_home} doctor`" in " ".join(offline("why", "chat", *home).out.split())
    assert "--home" not in Shell(live_home)("why", "chat", "-n", "typed").out


def test_so_does_the_start(offline: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"pid": 1, "url": "https://127.0.0.1:1", "machine": "m", "site": "local"}
    monkeypatch.setattr("tenure.cli.running._start", lambda *_: told)
    assert f"next   tenure --home {offline.home} inventory show" in offline("--home", offline.home, "up").out
    assert "next   tenure inventory show, or tenure request" in offline("up").out
