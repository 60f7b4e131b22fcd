"""`tenure observe coverage`: contracts of one name in two namespaces are two, each with its own layers."""

from pathlib import Path

import pytest

from tenure.resources import Contract
from tests.cli.answers import active_status, contract_object
from tests.cli.host import Shell, make_namespace
from tests.support.embedded import embedded_in_thread


def test_contracts_of_one_name_in_two_namespaces_are_not_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded_in_thread(tmp_path / "home") as host:
        monkeypatch.setenv("TENURE_HOME", str(host.home))
        shell = Shell(host.home, "team-a")
        with shell.controllers() as client:
            for namespace in ("team-a", "team-b"):
                make_namespace(host.home, namespace)
                client.create(contract_object("chat-1", namespace, "chat"))
                client.patch_status(Contract, "chat-1", {"status": active_status()}, namespace=namespace)
        told = shell.here("observe", "coverage", "-o", "json").json["contracts"]
        assert [(one["namespace"], one["contract"]) for one in told] == [("team-a", "chat-1"), ("team-b", "chat-1")]
        text = shell.here("observe", "coverage").out
        assert "team-b/chat-1" in text
        assert "team-a/chat-1" not in text, "that is here"
        limits = next(line for line in text.splitlines() if line.strip().startswith("limits"))
        assert "no run 'hold-1' is known here" in limits, "in words, without the type of the error"
        assert "RunNotFound" not in text
