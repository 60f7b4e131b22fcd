"""Stock kubectl against the embedded host, command by command."""

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.wrong_input import CASES, REACHING, written
from tests.server.builders import namespace, secret, workload
from tests.support.embedded import Embedded, embedded_in_thread

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed on this machine"),
]
Kubectl = Callable[..., str]
HANG_SECONDS = 120


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Embedded]:
    with embedded_in_thread(tmp_path / "home") as running:
        yield running


@pytest.fixture
def environment(host: Embedded, tmp_path: Path) -> dict[str, str]:
    """A home of its own, so that no cache or configuration of this machine's user is read or written."""
    home = tmp_path / "user"
    home.mkdir(exist_ok=True)
    return {"PATH": os.environ["PATH"], "HOME": str(home), "KUBECONFIG": str(host.home / "kubeconfig")}


@pytest.fixture
def kubectl(environment: dict[str, str]) -> Kubectl:
    def run(*arguments: str, given: Any = None, code: int = 0) -> str:
        text = given if isinstance(given, str) or given is None else yaml.safe_dump(given)
        done = subprocess.run(
            ["kubectl", *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            env=environment,
            check=False,
        )
        assert done.returncode == code, f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout if code == 0 else done.stdout + done.stderr

    return run


def kill(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        process.kill()


def objects(kubectl: Kubectl) -> set[str]:
    """Every object that there is."""
    return set(kubectl("get", "tenure,secrets,events,leases,namespaces", "-A", "-o", "name").split())


def patch_status(host: Embedded, name: str, status: dict[str, Any]) -> None:
    """As a controller would."""
    from tenure.client import Client, from_home
    from tenure.resources import Workload

    with Client(from_home(host.home, "controllers")) as client:
        client.patch_status(Workload, name, {"status": status})


def test_api_resources_lists_every_kind(kubectl: Kubectl) -> None:
    from tenure.resources import KINDS

    listed = kubectl("api-resources", "--no-headers")
    assert {line.split()[-1] for line in listed.splitlines()} == {kind.kind for kind in KINDS}
    assert "wl" in kubectl("api-resources", "--categories=tenure")
    assert "tenure.dev/v1alpha1" in kubectl("api-versions")


def test_explain(kubectl: Kubectl) -> None:
    assert "interTokenLatency" in kubectl("explain", "workload.spec.objectives")
    assert "<string>" in kubectl("explain", "wl.spec.objectives.timeToFirstToken.p95")
    assert "labels" in kubectl("explain", "workload.metadata")
    assert "FIELD: finalizers" in kubectl("explain", "namespace.spec.finalizers")
    assert "hold" in kubectl("explain", "contract", "--recursive")


def test_apply_and_apply_again(kubectl: Kubectl) -> None:
    assert kubectl("apply", "-f", "-", given=namespace("team")) == "namespace/team created\n"
    assert kubectl("apply", "-f", "-", given=namespace("team")) == "namespace/team unchanged\n"
    labelled = namespace("team")
    labelled["metadata"]["labels"] = {"cost": "42"}
    assert kubectl("apply", "-f", "-", given=labelled) == "namespace/team configured\n"
    wanted = workload(namespace="team")
    assert kubectl("apply", "-f", "-", given=wanted) == "workload.tenure.dev/chat created\n"
    assert kubectl("apply", "-f", "-", given=wanted) == "workload.tenure.dev/chat unchanged\n"
    wanted["spec"]["objectives"]["timeToFirstToken"]["p95"] = "2s"
    del wanted["spec"]["objectives"]["timeToFirstToken"]
    wanted["spec"]["objectives"]["interTokenLatency"] = {"p95": "60ms"}
    assert kubectl("apply", "-f", "-", given=wanted) == "workload.tenure.dev/chat configured\n"
    found = json.loads(kubectl("get", "wl", "chat", "-n", "team", "-o", "json"))
    assert found["spec"]["objectives"] == {"interTokenLatency": {"p95": "60ms"}}
    assert found["metadata"]["generation"] == 2


def test_apply_says_what_is_wrong_and_leaves_nothing(kubectl: Kubectl) -> None:
    wrong = workload()
    wrong["spec"]["objectives"]["timeToFirstToken"]["p95"] = "soon"
    wrong["spec"]["lode"] = {}
    said = kubectl("apply", "-f", "-", given=wrong, code=1)
    assert "spec.objectives.timeToFirstToken.p95" in said
    assert "spec.lode" in said
    assert "did you mean load" in said
    assert "NotFound" in kubectl("get", "wl", "chat", code=1)


@pytest.mark.parametrize("verb", ["apply", "create"])
@pytest.mark.parametrize("case", REACHING)
def test_what_is_wrong_is_said_with_its_field_and_leaves_nothing(kubectl: Kubectl, case: str, verb: str) -> None:
    _, _, path = CASES[case]
    before = objects(kubectl)
    said = kubectl(verb, "-f", "-", given=written(case).decode(), code=1)
    assert path in said
    assert REACHING[case] in said
    assert objects(kubectl) == before


@pytest.mark.parametrize("case", ["ten megabytes", "invalid UTF-8", "not YAML", "aliases", "a tag", "unknown kind"])
def test_what_kubectl_itself_refuses_leaves_nothing(kubectl: Kubectl, tmp_path: Path, case: str) -> None:
    file = tmp_path / "m.yaml"
    file.write_bytes(written(case))
    before = objects(kubectl)
    kubectl("apply", "-f", str(file), code=1)
    assert objects(kubectl) == before


def test_a_manifest_of_ten_megabytes_is_refused_at_the_door(kubectl: Kubectl) -> None:
    before = objects(kubectl)
    said = kubectl("create", "-f", "-", given=workload(annotations={"a": "x" * (10 << 20)}), code=1)
    assert "3145728" in said
    assert objects(kubectl) == before


def test_server_side_apply_is_refused_in_words(kubectl: Kubectl) -> None:
    said = kubectl("apply", "--server-side", "-f", "-", given=workload(), code=1)
    assert "server-side apply is left out" in said


def test_create_and_delete(kubectl: Kubectl) -> None:
    assert kubectl("create", "namespace", "team") == "namespace/team created\n"
    assert kubectl("create", "-f", "-", given=workload()) == "workload.tenure.dev/chat created\n"
    assert "AlreadyExists" in kubectl("create", "-f", "-", given=workload(), code=1)
    kubectl("create", "secret", "generic", "s", "--from-literal=key=value")
    assert kubectl("get", "secret", "s", "-o", "jsonpath={.data.key}") == "dmFsdWU="
    kubectl("apply", "-f", "-", given=secret("t", key="value"))
    assert kubectl("delete", "workload", "chat") == 'workload.tenure.dev "chat" deleted\n'
    kubectl("create", "-f", "-", given=workload("a", namespace="team"))
    assert kubectl("delete", "namespace", "team") == 'namespace "team" deleted\n'
    assert "NotFound" in kubectl("get", "namespace", "team", code=1)
    kubectl("create", "-f", "-", given=workload("b"))
    kubectl("delete", "wl", "--all")
    assert kubectl("get", "wl") == ""


def test_get_in_every_form(kubectl: Kubectl, host: Embedded) -> None:
    kubectl("create", "namespace", "team")
    kubectl("apply", "-f", "-", given=workload("a", labels={"app": "x"}))
    kubectl("apply", "-f", "-", given=workload("b", namespace="team"))
    patch_status(host, "a", {"phase": "Running", "contract": "a-1"})
    header, row = kubectl("get", "workloads").splitlines()
    assert header.split() == ["NAME", "PHASE", "CONTRACT", "AGE"]
    assert row.split()[:3] == ["a", "Running", "a-1"]
    assert "ENDPOINT" in kubectl("get", "wl", "-o", "wide")
    assert kubectl("get", "wl", "-o", "name") == "workload.tenure.dev/a\n"
    assert kubectl("get", "wl", "-A", "--no-headers").split()[0] == "default"
    assert len(kubectl("get", "wl", "-A", "--no-headers").splitlines()) == 2
    assert kubectl("get", "wl", "a", "-o", "jsonpath={.status.phase}") == "Running"
    assert yaml.safe_load(kubectl("get", "wl", "a", "-o", "yaml"))["spec"]["term"] == {"duration": "30d"}
    assert kubectl("get", "wl", "-l", "app=x", "-o", "name") == "workload.tenure.dev/a\n"
    assert kubectl("get", "wl", "-l", "app=y", "-o", "name") == ""
    assert kubectl("get", "wl", "--field-selector", "status.phase=Running", "-o", "name") == "workload.tenure.dev/a\n"
    assert kubectl("get", "wl", "--field-selector", "metadata.name=zz", "-o", "name") == ""
    assert kubectl("get", "wl", "-o", "custom-columns=N:.metadata.name").split() == ["N", "a"]
    assert "chunk" not in kubectl("get", "wl", "-A", "--chunk-size=1", "--no-headers")
    assert kubectl("get", "tenure", "-o", "name") == "workload.tenure.dev/a\n"
    assert kubectl("get", "wl", "a", "--show-labels", "--no-headers").split()[-1] == "app=x"


def test_get_watching(kubectl: Kubectl, host: Embedded, environment: dict[str, str]) -> None:
    kubectl("apply", "-f", "-", given=workload("a"))
    watching = subprocess.Popen(
        ["kubectl", "get", "wl", "-w", "-o", "custom-columns=N:.metadata.name,P:.status.phase", "--no-headers"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    table = subprocess.Popen(["kubectl", "get", "wl", "-w"], stdout=subprocess.PIPE, text=True, env=environment)
    assert watching.stdout is not None
    assert table.stdout is not None
    # A line that never comes ends with them, instead of holding up all that is to be tested after this.
    hang = threading.Timer(HANG_SECONDS, kill, (watching, table))
    hang.start()
    try:
        assert watching.stdout.readline().split() == ["a", "<none>"]
        assert table.stdout.readline().split() == ["NAME", "PHASE", "CONTRACT", "AGE"]
        table.stdout.readline()
        patch_status(host, "a", {"phase": "Running"})
        assert watching.stdout.readline().split() == ["a", "Running"]
        assert table.stdout.readline().split()[:2] == ["a", "Running"]
        kubectl("delete", "wl", "a")
        assert watching.stdout.readline().split() == ["a", "Running"]
    finally:
        hang.cancel()
        for process in (watching, table):
            process.kill()
            process.wait()
            process.stdout.close()  # type: ignore[union-attr]


def test_describe_with_events(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=workload("a"))
    found = json.loads(kubectl("get", "wl", "a", "-o", "json"))
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "a.1", "namespace": "default"},
        "involvedObject": {
            "apiVersion": "tenure.dev/v1alpha1",
            "kind": "Workload",
            "namespace": "default",
            "name": "a",
            "uid": found["metadata"]["uid"],
        },
        "type": "Normal",
        "reason": "OffersMade",
        "message": "two offers are held",
        "count": 1,
        "firstTimestamp": found["metadata"]["creationTimestamp"],
        "lastTimestamp": found["metadata"]["creationTimestamp"],
        "source": {"component": "tenure"},
    }
    other = {**event, "metadata": {"name": "b.1", "namespace": "default"}, "message": "of another"}
    other["involvedObject"] = {**event["involvedObject"], "uid": "another", "name": "b"}
    kubectl("create", "-f", "-", given=event)
    kubectl("create", "-f", "-", given=other)
    described = kubectl("describe", "wl", "a")
    assert "two offers are held" in described
    assert "of another" not in described
    assert "OffersMade" in kubectl("events", "--for", "workload/a")
    assert "two offers are held" in kubectl("get", "events")
    assert "Active" in kubectl("describe", "namespace", "default")


def test_patch(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=workload("a"))
    kubectl("patch", "wl", "a", "--type=merge", "-p", '{"spec":{"term":{"duration":"7d"}}}')
    assert kubectl("get", "wl", "a", "-o", "jsonpath={.spec.term.duration}") == "7d"
    kubectl("patch", "namespace", "default", "-p", '{"metadata":{"labels":{"a":"b"}}}')
    assert kubectl("get", "ns", "default", "-o", "jsonpath={.metadata.labels.a}") == "b"
    said = kubectl("patch", "wl", "a", "--type=json", "-p", '[{"op":"remove","path":"/spec/term"}]', code=1)
    assert "JSON patches are left out" in said
    said = kubectl("patch", "wl", "a", "--type=merge", "--subresource=status", "-p", '{"status":{}}', code=1)
    assert "controllers only" in said


def test_label_and_annotate(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=workload("a"))
    kubectl("label", "wl", "a", "tier=gold")
    kubectl("annotate", "wl", "a", "note=hello")
    found = json.loads(kubectl("get", "wl", "a", "-o", "json"))["metadata"]
    assert found["labels"] == {"tier": "gold"}
    assert found["annotations"]["note"] == "hello"
    assert found["generation"] == 1


def test_edit(kubectl: Kubectl, environment: dict[str, str], tmp_path: Path) -> None:
    kubectl("apply", "-f", "-", given=workload("a"))
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/30d/14d/" "$1"\n')
    editor.chmod(0o755)
    environment["EDITOR"] = str(editor)
    assert "edited" in kubectl("edit", "workload", "a")
    assert kubectl("get", "wl", "a", "-o", "jsonpath={.spec.term.duration}") == "14d"
    editor.write_text('#!/bin/sh\nsed -i "s/^metadata:/metadata:\\n  labels: {seen: again}/" "$1"\n')
    assert "edited" in kubectl("edit", "namespace", "default")


def test_replace(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=workload("a"))
    changed = yaml.safe_load(kubectl("get", "wl", "a", "-o", "yaml"))
    changed["spec"]["term"]["duration"] = "3d"
    kubectl("replace", "-f", "-", given=changed)
    assert "Conflict" in kubectl("replace", "-f", "-", given=changed, code=1)


def test_wait(kubectl: Kubectl, host: Embedded, environment: dict[str, str]) -> None:
    kubectl("apply", "-f", "-", given=workload("a"))
    assert "timed out" in kubectl("wait", "wl/a", "--for=jsonpath={.status.phase}=Running", "--timeout=1s", code=1)
    waiting = subprocess.Popen(
        ["kubectl", "wait", "wl/a", "--for=condition=Ready", "--timeout=60s"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    time.sleep(0.3)  # either order is fine; this one has the condition arrive over the watch
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "Kept",
        "message": "",
        "lastTransitionTime": "2096-12-01T09:00:00Z",
    }
    patch_status(host, "a", {"phase": "Running", "conditions": [ready]})
    said, _ = waiting.communicate(timeout=60)
    assert said == "workload.tenure.dev/a condition met\n"
    deleting = subprocess.Popen(
        ["kubectl", "wait", "wl/a", "--for=delete", "--timeout=60s"], stdout=subprocess.PIPE, text=True, env=environment
    )
    kubectl("delete", "wl", "a")
    deleting.communicate(timeout=60)
    assert deleting.returncode == 0


def test_diff(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=workload("a"))
    assert kubectl("diff", "-f", "-", given=workload("a")) == ""
    said = kubectl("diff", "-f", "-", given=workload("a", p95="2s"), code=1)
    assert "+      p95: 2s" in said
    assert "resourceVersion" not in "".join(line for line in said.splitlines() if line[:1] in "+-")
    assert kubectl("get", "wl", "a", "-o", "jsonpath={.metadata.generation}") == "1"
    assert "+  name: new" in kubectl("diff", "-f", "-", given=workload("new"), code=1)


def test_dry_run(kubectl: Kubectl) -> None:
    assert "(server dry run)" in kubectl("apply", "--dry-run=server", "-f", "-", given=workload("a"))
    assert kubectl("get", "wl") == ""


def test_offers_and_contracts_are_not_the_users_to_write(kubectl: Kubectl) -> None:
    offer = {"apiVersion": "tenure.dev/v1alpha1", "kind": "Offer", "metadata": {"name": "x"}, "spec": {}}
    assert "made and changed by Tenure only" in kubectl("create", "--validate=false", "-f", "-", given=offer, code=1)


def test_cascading_deletion(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=workload("owner"))
    uid = kubectl("get", "wl", "owner", "-o", "jsonpath={.metadata.uid}")
    reference = {"apiVersion": "tenure.dev/v1alpha1", "kind": "Workload", "name": "owner", "uid": uid}
    kubectl("apply", "-f", "-", given=workload("dependent", ownerReferences=[reference]))
    kubectl("delete", "wl", "owner", "--cascade=foreground")
    assert "NotFound" in kubectl("get", "wl", "dependent", code=1)


def test_works_on_after_a_restart_with_the_same_kubeconfig(tmp_path: Path) -> None:
    home, user = tmp_path / "home", tmp_path / "user"
    user.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(user), "KUBECONFIG": str(home / "kubeconfig")}
    texts = []
    for _ in range(2):
        with embedded_in_thread(home):
            texts.append((home / "kubeconfig").read_text())
            done = subprocess.run(
                ["kubectl", "get", "ns"], capture_output=True, text=True, env=environment, check=False
            )
            assert "default" in done.stdout, done.stderr
    assert texts[0] == texts[1]
