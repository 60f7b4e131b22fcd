"""What a command line gets wrong in its options is said before anything is written, waited for or ended."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tenure.cli.failures import Failure
from tenure.cli.ledger import the_site
from tenure.cli.verbs.change import _pairs
from tenure.cli.verbs.delete import _waiting_for
from tenure.resources import Contract, kind_of
from tests.cli import answers
from tests.cli.host import Shell
from tests.cli.manifests import CHAT


def test_a_contract_stands_where_the_time_to_wait_for_its_end_cannot_be_read(shell: Shell) -> None:
    with shell.controllers() as client:
        client.create(answers.contract_object("chat-1", shell.namespace, "chat"))
    ran = shell.here("end", "chat-1", "--timeout", "a while")
    assert (ran.code, "[InvalidQuantity]" in ran.err) == (2, True)
    assert "deletionTimestamp" not in shell.here("get", "contract", "chat-1", "-o", "json").json["metadata"]


@pytest.mark.parametrize("line", ["trial --for 0s -f -", "renew chat --for=0ms"])
def test_no_time_at_all_is_no_length_to_ask_for(offline: Shell, line: str) -> None:
    ran = offline(*line.split(), stdin=CHAT)
    assert ran.code == 2
    assert "is no time at all  [InvalidQuantity]" in ran.err


def test_a_length_is_explained_once(offline: Shell) -> None:
    assert offline("renew", "chat", "--for", "-1d").err.splitlines() == [
        "error: --for -1d is negative  [InvalidQuantity]",
        "  → write --for 10m",
    ]


@pytest.mark.parametrize("words", [["a=b", "a-"], ["a=b", "a=c"], ["a-", "a-"]])
def test_a_label_is_set_or_taken_away_once(words: list[str]) -> None:
    with pytest.raises(Failure, match="a is named twice"):
        _pairs(words)
    assert _pairs(["a=b=c", "b-", "c="]) == {"a": "b=c", "b": None, "c": ""}


def test_a_type_of_events_that_is_none_is_refused_and_case_does_not_matter(shell: Shell) -> None:
    ran = shell.here("events", "--types", "Warning,Nope")
    assert (ran.code, "--types 'Nope' is no type of events" in ran.err) == (2, True)
    assert shell.here("events", "--types", "warning, Normal").code == 0


def test_where_there_is_no_site_it_is_said_how_one_comes_about() -> None:
    nowhere: Any = SimpleNamespace(client=SimpleNamespace(list=lambda _: SimpleNamespace(items=[])))
    with pytest.raises(Failure, match="there is no site yet") as caught:
        the_site(nowhere, "")
    assert (caught.value.exit_code, caught.value.step) == (3, "`tenure up` makes that of this machine")
    assert the_site(nowhere, "local") == "local"


def test_who_waits_in_vain_is_told_for_what(shell: Shell) -> None:
    ran = shell.here("ask", "-f", "-", "--timeout", "0s", "-o", "json", stdin=CHAT)
    assert (ran.code, ran.status["reason"]) == (1, "Timeout")
    assert ran.status["message"] == "nobody answered within 0 s, and the question was taken back"
    assert "`tenure doctor`" in ran.status["nextStep"]
    assert (
        "Workload chat was not answered within 0 s"
        in shell.here("request", "-f", "-", "--timeout", "0s", stdin=CHAT).err
    )


@pytest.mark.parametrize("line", ["get workloads", "delete workloads --all", "apply -f -"])
def test_a_namespace_that_a_variable_left_empty_is_not_the_usual_one(shell: Shell, line: str) -> None:
    ran = shell(*line.split(), "-n", "", stdin=CHAT)
    assert (ran.code, ran.out) == (2, "")
    assert "no namespace can be named '': it is empty  [InvalidName]" in ran.err


def test_a_model_is_shown_as_it_can_be_applied(offline: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENURE_CACHE", str(tmp_path / "cache"))
    ran = offline("model", "show", "smollm2-135m-instruct")
    assert offline("lint", "-f", "-", stdin=ran.out).code == 0
    assert "its file is not here: `tenure model fetch smollm2-135m-instruct`" in ran.err


def test_who_waits_for_an_end_is_told_what_the_control_plane_fails_on() -> None:
    failing = {
        "type": "Reconciled",
        "status": "False",
        "reason": "ReconcileFailed",
        "message": "keeps failing (OSError)",
    }
    content = {"metadata": {"finalizers": ["tenure.dev/ledger"]}, "status": {"conditions": [failing]}}
    door: Any = SimpleNamespace(find=lambda *_: content)
    said = _waiting_for(door, kind_of(Contract), "chat-1", "default")
    assert said.endswith("waits for ReconcileFailed: keeps failing (OSError)")
    content["status"] = {}
    assert _waiting_for(door, kind_of(Contract), "chat-1", "default").endswith("waits for tenure.dev/ledger")
