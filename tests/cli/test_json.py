"""Every command answers in JSON, by a schema that is written down and tested."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from tenure.cli import reference
from tenure.cli.commands import COMMANDS, make_app
from tenure.cli.schemas import OUTPUTS
from tenure.engines import LocalEngine
from tenure.engines.runstate import LogLine
from tests.cli import answers
from tests.cli.hand import acting
from tests.cli.host import Shell
from tests.cli.manifests import CHAT

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"

# Command lines, each in a namespace where `chat` holds contract chat-3f2a1c; and the kind of their answer.
LINES = {
    "get wl": "List",
    "describe wl chat": "Described",
    "apply -f -": "Applied",
    "create -f - --dry-run=client": "Applied",
    "delete wl chat --dry-run=server": "Applied",
    "diff -f -": "Difference",
    "wait wl/chat --for=create": "Waited",
    "logs chat": "Logs",
    "events": "List",
    "explain workload.spec": "Explanation",
    "api-resources": "ApiResources",
    "version": "Version",
    "config view": "ConfigView",
    "config kubeconfig": "Kubeconfig",
    "config current-context": "Context",
    "config get-contexts": "Contexts",
    "ask -f -": "Asked",
    "request -f -": "Requested",
    "request -f - --no-wait": "Requested",
    "accept chat-3f2a1c": "Accepted",
    "end chat": "Ended",
    "why chat": "Why",
    "why contract/chat-3f2a1c": "Why",
    "env chat": "Environment",
    "status": "StatusReport",
    "doctor": "Checkup",
    "model list": "Models",
    "model show smollm2-135m-instruct": "ModelFile",
    "price show": "Prices",
    "site show": "Sites",
    "get wl nobody": "Status",
    "bogus": "Status",
    "apply -f /dev/null": "Status",
}
# Shown in detail elsewhere: these print objects (-o json gives the object), or are another room's own.
OBJECTS_THEMSELVES = {"patch", "label", "annotate"}
WITHOUT_JSON = {"edit", "completion", "quickstart"}
TESTED_ELSEWHERE = {
    "capacity",
    "simulate",
    "backup",
    "restore",
    "renew",
    "trial",
    "up",
    "down",
    "inventory",
    "evidence",
    "ledger",
    "contract",
    "init",
    "lint",
}
WITHOUT_NAMESPACE = {"explain", "api-resources"}


@pytest.mark.parametrize("line", LINES)
def test_the_answer_follows_its_schema(shell: Shell, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalEngine, "logs", lambda *_, **__: iter([LogLine(1_796_115_600_000, "stdout", "up")]))
    tokens = [*line.split(), "-o", "json"]
    run = shell if tokens[0] in WITHOUT_NAMESPACE or LINES[line] == "Status" else shell.here
    with acting(shell):
        assert shell.here("request", "-f", "-", "--accept", "best", stdin=CHAT).code == 0
        ran = run(*tokens, stdin=CHAT)
    text = ran.err if LINES[line] == "Status" else ran.out
    content = json.loads(text)
    assert content["kind"] == LINES[line], ran.err
    jsonschema_rs.validate(OUTPUTS[LINES[line]], content)


def test_every_command_is_in_this_table_or_says_why_not() -> None:
    tested = {line.split()[0] for line in LINES}
    covered = tested | OBJECTS_THEMSELVES | WITHOUT_JSON | TESTED_ELSEWHERE
    assert {command.name for command in COMMANDS} - covered == set()


def test_every_schema_is_one() -> None:
    for schema in OUTPUTS.values():
        jsonschema_rs.validator_for(schema)


def test_objects_come_as_themselves(shell: Shell) -> None:
    shell.here("apply", "-f", "-", stdin=CHAT)
    for line in ("patch wl chat -p {} -o json", "label wl chat a=b -o json", "annotate wl chat a=b -o json"):
        assert shell.here(*line.split()).json["metadata"]["name"] == "chat"


def test_a_renewal_and_a_trial_answer_by_their_schemas(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with acting(shell) as hand:
        shell.here("request", "-f", "-", "--accept", "best", stdin=CHAT)
        hand.stop.set()
        # The renewed need is answered while the old contract stands; the hand has let go, so that the test says it.
        from tenure.resources import Workload

        said = {"phase": "Offered", "contract": None, "answer": answers.offers().to_json(), "observedGeneration": 99}
        with shell.controllers() as client:
            client.patch_status(Workload, "chat", {"status": said}, namespace=shell.namespace)
        ran = shell.here("renew", "chat-3f2a1c", "--for", "5m", "--timeout", "1s", "-o", "json")
    assert ran.code == 1, ran.out
    jsonschema_rs.validate(OUTPUTS["Status"], ran.status)
    term = shell.here("get", "wl", "chat", "-o", "json").json["spec"]["term"]
    assert term == {"duration": "5m", "start": "2026-12-31T09:00:00Z"}


def test_every_command_can_be_imported_and_describes_itself() -> None:
    app = make_app(detailed=[command.name for command in COMMANDS])
    for command in COMMANDS:
        assert app[command.name].help, command.name


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_commands(offline: Shell, shell_name: str) -> None:
    ran = offline("completion", shell_name)
    assert ran.code == 0
    for command in ("request", "api-resources", "kubeconfig"):
        assert command in ran.out


OFFERED = {
    "get wor": "workloads",
    "get wl ch": "chat",
    "get wl/ch": "wl/chat",
    "why ch": "chat",
    "accept ch": "chat-3f2a1c",
    "explain work": "workload",
    "explain workload.spec.obj": "workload.spec.objectives",
    "model fetch sm": "smollm2-135m-instruct",
}


@pytest.mark.parametrize("line", OFFERED)
def test_after_tab_the_shell_offers_kinds_names_and_fields(shell: Shell, line: str) -> None:
    with acting(shell):
        shell.here("request", "-f", "-", stdin=CHAT)
        first, *rest = line.split()
        where = [] if first in ("explain", "model") else ["-n", shell.namespace]
        ran = shell("__complete", first, *where, *rest)
    assert OFFERED[line] in ran.out.split()


def test_after_tab_without_a_host_there_is_silence(offline: Shell) -> None:
    ran = offline("__complete", "get", "workloads", "")
    assert (ran.code, ran.err) == (0, "")


def test_the_reference_is_what_the_code_says() -> None:
    assert (DOCS / reference.PAGE).read_text() == reference.page(), "run `make docs`"
    assert (DOCS / reference.SCHEMAS).read_text() == reference.schemas(), "run `make docs`"
