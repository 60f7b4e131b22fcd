"""The kubeconfig of a home, written at each start: what is ours is as it is now, what others put into it stays."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tenure.server.kubeconfig import kubeconfig, write_kubeconfig


def written(folder: Path, url: str = "https://127.0.0.1:1", token: str = "t") -> dict[str, Any]:
    """What is there after a start."""
    (folder / "ca.crt").write_bytes(b"pem")
    write_kubeconfig(folder / "kubeconfig", url, token, folder / "ca.crt")
    assert (folder / "kubeconfig").stat().st_mode & 0o077 == 0
    found: dict[str, Any] = yaml.safe_load((folder / "kubeconfig").read_text())
    return found


def test_a_namespace_a_context_and_which_one_is_current_outlive_a_start(tmp_path: Path) -> None:
    content = written(tmp_path)
    assert content == kubeconfig("https://127.0.0.1:1", "t", b"pem")
    content["contexts"][0]["context"]["namespace"] = "team"
    content["contexts"].append({"name": "other", "context": {"cluster": "far", "user": "tenure"}})
    content["clusters"].append({"name": "far", "cluster": {"server": "https://far"}})
    content["current-context"] = "other"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(content))
    after = written(tmp_path, url="https://127.0.0.1:2", token="new")
    assert after["contexts"] == content["contexts"]
    assert after["current-context"] == "other"
    assert [cluster["cluster"]["server"] for cluster in after["clusters"]] == ["https://127.0.0.1:2", "https://far"]
    assert after["users"] == [{"name": "tenure", "user": {"token": "new"}}]


@pytest.mark.parametrize(
    "there", ["", "[1]", "a: {", "contexts: 1", "contexts: [1, {name: tenure}]", "\x00", "&a [*a]"]
)
def test_what_is_no_kubeconfig_is_replaced(tmp_path: Path, there: str) -> None:
    (tmp_path / "kubeconfig").write_text(there)
    (tmp_path / "kubeconfig").chmod(0o600)
    assert written(tmp_path)["current-context"] == "tenure"
    assert written(tmp_path)["contexts"][0] == kubeconfig("u", "t", b"pem")["contexts"][0]


def test_what_is_no_text_or_nested_too_deep_to_be_written_is_replaced(tmp_path: Path) -> None:
    for there in (b"\xff", b"a: " + b"[" * 480 + b"]" * 480):
        (tmp_path / "kubeconfig").write_bytes(there)
        assert written(tmp_path)["current-context"] == "tenure"


def test_a_current_context_that_is_not_there_is_ours(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("current-context: gone")
    assert written(tmp_path)["current-context"] == "tenure"
