"""A format that a command does not know is refused before anything is done; none is taken for another silently."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
import pytest

from tenure.cli.commands import make_app
from tenure.cli.failures import Failure
from tenure.cli.schemas import ANSWERS, OUTPUTS
from tenure.engines import LocalEngine
from tenure.engines.runstate import LogLine
from tenure.resources import Contract
from tests.cli.answers import active_status, contract_object
from tests.cli.host import Shell
from tests.cli.manifests import CHAT


def checks(command: str) -> tuple[Callable[[Any, str], None], ...]:
    """What `-o` of a command is held against as it is read."""
    app = make_app()
    for word in command.split():
        app = app[word]
    (output,) = (argument for argument in app.assemble_argument_collection() if "-o" in argument.names)
    found: Any = output.parameter.validator
    return tuple(found)


@pytest.mark.parametrize("command", ANSWERS)
def test_every_command_refuses_a_format_that_it_does_not_know(command: str) -> None:
    (check,) = checks(command)
    check(str, "json")
    with pytest.raises(Failure, match="'jsno' is not known") as caught:
        check(str, "jsno")
    assert (caught.value.exit_code, caught.value.reason) == (2, "UnknownFormat")


def test_nothing_is_made_by_a_command_whose_answer_cannot_be_shown(shell: Shell) -> None:
    ran = shell.here("apply", "-f", "-", "-o", "jsno", stdin=CHAT)
    assert (ran.code, "UnknownFormat" in ran.err) == (2, True)
    assert shell.here("get", "workloads", "-o", "name").out == ""


def test_a_key_is_not_printed_as_text_for_who_asked_for_yaml(shell: Shell) -> None:
    ran = shell.here("env", "chat", "-o", "yaml")
    assert (ran.code, ran.out, "UnknownFormat" in ran.err) == (2, "", True)


def test_a_simulated_contract_printed_nothing_and_is_not_said_to_begin_yet(shell: Shell) -> None:
    with shell.controllers() as client:
        client.create(contract_object("chat-1", shell.namespace, "chat"))
        run = {"id": "r-1", "mechanism": "simulated"}
        client.patch_status(Contract, "chat-1", {"status": active_status(run=run)}, namespace=shell.namespace)
    ran = shell.here("logs", "chat-1")
    assert (ran.code, ran.out) == (3, "")
    assert "contract chat-1 is simulated: nothing runs, so nothing was printed" in ran.err
    assert "started yet" not in ran.err


def test_logs_that_go_on_come_in_json_line_by_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def lines(*_: object, **__: object) -> Iterator[LogLine]:
        yield LogLine(4_005_190_800_000, "stdout", "up")
        yield LogLine(4_005_190_801_000, "stderr", "serving")
        raise KeyboardInterrupt  # the run goes on, and whoever watched has seen enough

    monkeypatch.setattr(LocalEngine, "logs", lines)
    with shell.controllers() as client:
        client.create(contract_object("chat-1", shell.namespace, "chat"))
        client.patch_status(Contract, "chat-1", {"status": active_status()}, namespace=shell.namespace)
    ran = shell.here("logs", "chat-1", "-f", "-o", "json")
    said = [json.loads(line) for line in ran.out.splitlines()]
    for one in said:
        jsonschema_rs.validate(OUTPUTS["Logs"], one)
    assert [one["items"][0]["text"] for one in said] == ["up", "serving"]
