"""What is shown to be typed next means the same home: where --home was given, it names it."""

import json
import shlex
from pathlib import Path

import pytest

from tenure.cli import exit_codes, screen
from tenure.cli.answer import answer_view
from tenure.cli.failures import Failure
from tenure.cli.own import repeat
from tenure.cli.typed import given, one_line, typed
from tenure.cli.words import price_text
from tenure.resources.kinds.allocation import Price
from tests.cli import answers
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
        ("name /a b/tenure, or /a b", None),
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


@pytest.mark.parametrize("named", ["my tenure x", "my tenure up"])
def test_a_folder_that_is_named_like_a_command_stays_what_it_is(offline: Shell, tmp_path: Path, named: str) -> None:
    home = tmp_path / named
    home.mkdir()
    (home / "thesis.txt").touch()
    said = " ".join(offline("--home", home, "up").err.split())
    assert f"error: {home} is not empty" in said
    assert said.endswith(f"such as {home / 'tenure'}")


@pytest.mark.parametrize("relative", ["my tenure x", "tenure", "."])
def test_so_it_does_where_it_is_named_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relative: str
) -> None:
    (tmp_path / "a tenure up" / relative).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path / "a tenure up")
    with one_line():
        given(relative)
        shown = f"such as {Path(relative).absolute() / 'tenure'}"
        assert typed(f"{shown}, or tenure up") == f"{shown}, or tenure --home {shlex.quote(relative)} up"


def test_what_a_failure_says_is_no_command_but_between_backticks(offline: Shell) -> None:
    said = " ".join(offline("--home", "/a", "evidence", "verify", "FILE").err.split())
    assert "tenure evidence verify needs --public-key" in said
    cause = {"code": "C", "message": "`tenure why x` or tenure why x"}
    failure = Failure("no `tenure up` of tenure up", exit_code=exit_codes.USAGE, reason="R", causes=[cause])
    with one_line():
        given("/a")
        shown = failure.to_text()
    assert "no `tenure --home /a up` of tenure up" in shown
    assert "`tenure --home /a why x` or tenure why x" in shown


def test_a_home_in_a_folder_that_is_gone_can_still_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with one_line():
        given("h")
        assert typed("tenure up") == "tenure --home h up"
    monkeypatch.chdir(tmp_path)


def test_refusals_prices_and_what_repeating_leaves_open_name_it(capsys: pytest.CaptureFixture[str]) -> None:
    contract = answers.contract_object("chat-1", "default", "chat")
    unknown = Price(unknown_because='nobody has declared what m costs: tenure price set m "0.10 EUR"')
    with one_line():
        given("/a")
        assert 'tenure --home /a price set m "0.10 EUR"' in price_text(unknown)
        screen.console().print(answer_view(answers.refused(), now_ms=0, held=True))
        repeat._say(contract, [], [])
    said = " ".join(capsys.readouterr().out.split())
    assert "tenure --home /a site assert local" in said
    assert "tenure --home /a describe contract" in said


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
