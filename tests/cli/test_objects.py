"""kubectl's grammar: the verbs on objects do and say what kubectl's do."""

import json
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.cli.host import Shell
from tests.cli.manifests import CHAT, chat


@pytest.fixture
def stored(shell: Shell) -> Shell:
    assert shell.here("apply", "-f", "-", stdin=CHAT).code == 0
    return shell


def test_apply_creates_then_leaves_alone_then_changes_then_takes_away(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "chat.yaml"
    file.write_text(CHAT)
    assert shell.here("apply", "-f", file).out == "workload.tenure.dev/chat created\n"
    assert shell.here("apply", "-f", file).out == "workload.tenure.dev/chat unchanged\n"
    file.write_text(chat(term="{duration: 7d}"))
    assert shell.here("apply", "-f", file).out == "workload.tenure.dev/chat configured\n"
    file.write_text(CHAT.replace("  term: {duration: 30d}\n", ""))
    assert shell.here("apply", "-f", file).out == "workload.tenure.dev/chat configured\n"
    assert "term" not in shell.here("get", "workload", "chat", "-o", "json").json["spec"]


def test_apply_leaves_to_others_what_it_never_set(stored: Shell) -> None:
    stored.here("patch", "workload", "chat", "-p", "{spec: {acceptedOffer: chat-1}}")
    stored.here("label", "workload", "chat", "team=a")
    assert "unchanged" in stored.here("apply", "-f", "-", stdin=CHAT).out
    found = stored.here("get", "workload", "chat", "-o", "json").json
    assert found["spec"]["acceptedOffer"] == "chat-1"
    assert found["metadata"]["labels"] == {"team": "a"}


def test_apply_reads_folders_and_several_documents(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{chat('one')}---\n{chat('two')}")
    (tmp_path / "b.json").write_text(json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}}))
    (tmp_path / "notes.txt").write_text("not a manifest")
    ran = shell.here("apply", "-f", tmp_path)
    assert ran.out.split() == [
        "workload.tenure.dev/one",
        "created",
        "workload.tenure.dev/two",
        "created",
        "secret/key",
        "created",
    ]


def test_dry_runs_store_nothing(shell: Shell) -> None:
    assert (
        shell.here("apply", "-f", "-", "--dry-run=client", stdin=CHAT).out
        == "workload.tenure.dev/chat valid (dry run)\n"
    )
    ran = shell.here("apply", "-f", "-", "--dry-run=server", stdin=CHAT)
    assert ran.out == "workload.tenure.dev/chat created (server dry run)\n"
    assert shell.here("get", "workload", "chat").code == 3


def test_a_client_dry_run_needs_no_host(offline: Shell) -> None:
    assert offline("apply", "-f", "-", "--dry-run=client", stdin=CHAT).code == 0


def test_create_refuses_what_exists_and_generates_names(stored: Shell) -> None:
    ran = stored.here("create", "-f", "-", stdin=CHAT)
    assert (ran.code, "[AlreadyExists]" in ran.err) == (4, True)
    generated = stored.here("create", "-f", "-", "-o", "name", stdin=CHAT.replace("name: chat", "generateName: chat-"))
    assert generated.out.startswith("workload.tenure.dev/chat-")


def test_the_manifests_namespace_and_the_options_must_agree(shell: Shell) -> None:
    ran = shell.here("apply", "-f", "-", stdin=CHAT.replace("name: chat", "name: chat, namespace: other"))
    assert (ran.code, "[NamespaceMismatch]" in ran.err) == (2, True)
    missing = shell("apply", "-f", "-", "-n", "nowhere", stdin=CHAT)
    assert (missing.code, "kind Namespace" in missing.err) == (3, True)


def test_get_prints_tables_with_the_kinds_own_columns(stored: Shell) -> None:
    lines = stored.here("get", "wl").out.splitlines()
    assert lines[0].split() == ["NAME", "PHASE", "CONTRACT", "AGE"]
    assert lines[1].split()[:3] == ["chat", "<none>", "<none>"]
    assert stored.here("get", "wl", "-o", "wide").out.split()[:5] == ["NAME", "PHASE", "CONTRACT", "ENDPOINT", "AGE"]
    assert stored.here("get", "wl", "--no-headers").out.startswith("chat ")
    everywhere = [line.split()[:2] for line in stored("get", "workloads", "-A").out.splitlines()]
    assert everywhere[0] == ["NAMESPACE", "NAME"]
    assert [stored.namespace, "chat"] in everywhere


def test_several_kinds_come_as_several_tables_with_qualified_names(stored: Shell) -> None:
    out = stored.here("get", "workloads,namespaces").out
    assert "workload.tenure.dev/chat" in out
    assert "namespace/default" in out
    assert out.count("NAME") == 2


@pytest.mark.parametrize("spelling", ["workload", "workloads", "wl", "Workload", "workloads.tenure.dev"])
def test_kinds_are_found_however_they_are_spelled(stored: Shell, spelling: str) -> None:
    assert stored.here("get", spelling, "chat", "-o", "name").out == "workload.tenure.dev/chat\n"
    assert stored.here("get", f"{spelling}/chat", "-o", "name").out == "workload.tenure.dev/chat\n"


def test_get_in_other_formats(stored: Shell) -> None:
    assert stored.here("get", "wl", "chat", "-o", "jsonpath={.spec.load.promptTokens}").out == "50"
    assert stored.here("get", "wl", "-o", 'jsonpath={range .items[*]}{.metadata.name}{"\\n"}{end}').out == "chat\n"
    columns = "custom-columns=NAME:.metadata.name,TOKENS:.spec.load.outputTokens,NONE:.status.phase"
    assert stored.here("get", "wl", "-o", columns).out == snapshot("""\
NAME   TOKENS   NONE
chat   40       <none>
""")
    assert stored.here("get", "wl", "-o", "json").json["kind"] == "List"


def test_what_get_prints_as_yaml_applies_again_and_changes_nothing(stored: Shell) -> None:
    text = stored.here("get", "wl", "chat", "-o", "yaml").out
    assert stored.here("apply", "-f", "-", stdin=text).code == 0
    assert stored.here("get", "wl", "chat", "-o", "jsonpath={.metadata.generation}").out == "1"


def test_nothing_found_is_said_and_is_no_error(shell: Shell) -> None:
    ran = shell.here("get", "offers")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"No resources found in {shell.namespace} namespace.\n"
    assert shell.here("get", "wl", "nobody", "--ignore-not-found").code == 0


def test_selectors_choose(stored: Shell) -> None:
    stored.here("label", "wl", "chat", "tier=front")
    assert stored.here("get", "wl", "-l", "tier=front", "-o", "name").out == "workload.tenure.dev/chat\n"
    assert stored.here("get", "wl", "-l", "tier!=front", "-o", "name").out == ""
    assert stored.here("get", "wl", "--field-selector", "metadata.name=other", "-o", "name").out == ""


def test_describe_shows_everything_and_the_events(stored: Shell) -> None:
    out = stored.here("describe", "workload", "chat").out
    for expected in ("Name:         chat", "Time To First Token:", "P95: 1s", "Events:       <none>"):
        assert expected in out
    assert "last-applied" not in out


def test_diff_exits_0_for_the_same_and_1_for_a_difference(stored: Shell) -> None:
    same = stored.here("diff", "-f", "-", stdin=CHAT)
    assert (same.code, same.out) == (0, "")
    other = stored.here("diff", "-f", "-", stdin=chat(term="{duration: 7d}"))
    assert other.code == 1
    assert "-    duration: 30d" in other.out
    assert "+    duration: 7d" in other.out
    assert stored.here("diff", "-f", "-", stdin="a: [").code > 1
    assert stored.here("get", "wl", "chat", "-o", "jsonpath={.spec.term.duration}").out == "30d"


def test_labels_and_annotations_are_set_overwritten_and_taken_away(stored: Shell) -> None:
    assert stored.here("label", "wl", "chat", "a=1", "b=2").out == "workload.tenure.dev/chat labeled\n"
    assert stored.here("label", "wl", "chat", "a=2").code == 4
    assert stored.here("label", "wl", "chat", "a=2", "b-", "--overwrite").code == 0
    stored.here("annotate", "wl/chat", "note/x=y z")
    metadata = stored.here("get", "wl", "chat", "-o", "json").json["metadata"]
    assert metadata["labels"] == {"a": "2"}
    assert metadata["annotations"]["note/x"] == "y z"


def test_delete_waits_until_it_is_gone(stored: Shell) -> None:
    assert stored.here("delete", "wl", "chat").out == 'workload.tenure.dev "chat" deleted\n'
    assert stored.here("get", "wl", "chat").code == 3
    assert stored.here("delete", "wl", "chat", "--ignore-not-found").code == 0
    assert stored.here("delete", "wl", "--all").code == 0


def test_delete_says_what_a_finalizer_waits_for_and_gives_up_in_time(stored: Shell) -> None:
    stored.here("patch", "wl", "chat", "-p", "{metadata: {finalizers: [example.com/hold]}}")
    ran = stored.here("delete", "wl", "chat", "--timeout", "0.2s")
    assert ran.code == 1
    assert "example.com/hold" in ran.err
    stored.here("patch", "wl", "chat", "-p", '{"metadata": {"finalizers": null}}')
    assert stored.here("wait", "wl/chat", "--for=delete", "--timeout=5s").code == 0


def test_edit_changes_and_reopens_on_errors(stored: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "editor.sh"
    # First a mistake; when the file comes back with the error on top, correct it.
    script.write_text(
        '#!/bin/sh\nif grep -q "unknown field" "$1"; then sed -i "/nonsense/d" "$1"; '
        'else sed -i "s/duration: 30d/duration: 7d/; s/^spec:/spec:\\n  nonsense: 1/" "$1"; fi\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("TENURE_EDITOR", str(script))
    assert stored.here("edit", "wl", "chat").out == "workload.tenure.dev/chat edited\n"
    assert stored.here("get", "wl", "chat", "-o", "jsonpath={.spec.term.duration}").out == "7d"
    monkeypatch.setenv("TENURE_EDITOR", "true")
    assert "cancelled" in stored.here("edit", "wl", "chat").out


def test_explain_works_without_a_host_and_says_what_a_field_means(offline: Shell) -> None:
    out = offline("explain", "wl.spec.load").out
    for expected in ("KIND:     Workload", "FIELD: load <Object>", "requestsPerSecond <number> -required-"):
        assert expected in out
    assert "promptTokens" in offline("explain", "workload.spec", "--recursive").out


def test_users_may_not_write_what_tenure_alone_writes(shell: Shell) -> None:
    offer = {"apiVersion": "tenure.dev/v1alpha1", "kind": "Offer", "metadata": {"name": "x"}, "spec": {}}
    assert shell.here("create", "-f", "-", stdin=json.dumps(offer)).code == 2
    shell.here("apply", "-f", "-", stdin=CHAT)
    ran = shell.here("patch", "wl", "chat", "--subresource", "status", "-p", "{status: {phase: Running}}")
    assert (ran.code, "[Forbidden]" in ran.err) == (2, True)


def test_home_may_be_named_anywhere(shell: Shell, tmp_path: Path) -> None:
    elsewhere = Shell(tmp_path)
    assert elsewhere("--home", shell.home, "get", "namespaces", "-o", "name").code == 0
    assert elsewhere("get", "--home", shell.home, "namespaces").code == 0
    assert elsewhere("get", "namespaces").code == 7


def test_a_kubeconfig_reaches_the_same_host(stored: Shell, tmp_path: Path) -> None:
    kubeconfig = stored("config", "kubeconfig").out.strip()
    ran = Shell(tmp_path)("get", "wl", "-n", stored.namespace, "--kubeconfig", kubeconfig, "-o", "name")
    assert ran.out == "workload.tenure.dev/chat\n"
    assert stored("config", "current-context").out == "tenure\n"
    assert stored("config", "get-contexts").out.split()[-2:] == ["*", "tenure"]
