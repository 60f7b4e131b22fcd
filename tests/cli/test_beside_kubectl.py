"""Beside stock kubectl: both apply to the same object and go on from each other, and both read each other's output."""

import shutil
import subprocess

import pytest

from tests.cli.host import Shell
from tests.cli.manifests import CHAT, chat

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed here"),
]


def kubectl(shell: Shell, *tokens: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = ["kubectl", "--kubeconfig", str(shell.home / "kubeconfig"), "-n", shell.namespace, *tokens]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)


def test_what_tenure_applied_kubectl_finds_unchanged_and_changes_and_back(shell: Shell) -> None:
    assert "created" in shell.here("apply", "-f", "-", stdin=CHAT).out
    assert kubectl(shell, "apply", "-f", "-", stdin=CHAT).stdout == "workload.tenure.dev/chat unchanged\n"
    assert "configured" in kubectl(shell, "apply", "-f", "-", stdin=chat(term="{duration: 7d}")).stdout
    assert "unchanged" in shell.here("apply", "-f", "-", stdin=chat(term="{duration: 7d}")).out
    without_term = CHAT.replace("  term: {duration: 30d}\n", "")
    assert "configured" in shell.here("apply", "-f", "-", stdin=without_term).out
    assert kubectl(shell, "get", "workload", "chat", "-o", "jsonpath={.spec.term}").stdout == ""


def test_both_read_what_the_other_prints(shell: Shell) -> None:
    shell.here("apply", "-f", "-", stdin=CHAT)
    ours = shell.here("get", "wl", "chat", "-o", "yaml").out
    assert kubectl(shell, "apply", "-f", "-", stdin=ours).returncode == 0
    theirs = kubectl(shell, "get", "wl", "chat", "-o", "yaml").stdout
    assert shell.here("apply", "-f", "-", "--dry-run=client", stdin=theirs).code == 0


@pytest.mark.parametrize(
    "template",
    ["{.spec.load}", '{range .items[*]}{.metadata.name}{"\\n"}{end}', "{.metadata.name}-{.spec.load.promptTokens}"],
)
def test_jsonpath_gives_what_kubectl_gives(shell: Shell, template: str) -> None:
    shell.here("apply", "-f", "-", stdin=CHAT)
    words = ["get", "wl"] if "range" in template else ["get", "wl", "chat"]
    ours = shell.here(*words, "-o", f"jsonpath={template}").out
    assert ours == kubectl(shell, *words, "-o", f"jsonpath={template}").stdout


def test_the_same_table(shell: Shell) -> None:
    shell.here("apply", "-f", "-", stdin=CHAT)
    ours = [line.split()[0] for line in shell.here("get", "wl").out.splitlines()]
    theirs = [line.split()[0] for line in kubectl(shell, "get", "wl").stdout.splitlines()]
    assert ours == theirs
