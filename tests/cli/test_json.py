"""Every command answers in JSON, by a schema that is written down and tested."""

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from cyclopts import App

from tenure.cli.commands import make_app
from tenure.cli.failures import Failure
from tenure.cli.quickstart.outcome import Mark, Outcome, of_keeping, of_proof
from tenure.cli.quickstart.stage import Stage
from tenure.cli.schemas import ANSWERS, ERROR, OUTPUTS, WITHOUT_JSON
from tenure.cli.screen import OUTPUT_VERSION
from tenure.engines import LocalEngine
from tenure.engines.runstate import LogLine
from tenure.evidence import contract_source, contract_statement, contract_subject
from tenure.resources import HardwareProfile, Machine, Model, ObjectMeta, Offer, Site
from tenure.topology import digest, identity_json, to_json
from tests.cli import answers
from tests.cli.hand import acting
from tests.cli.host import Ran, Shell, make_namespace
from tests.cli.journals import journal_with, one_answer
from tests.cli.json_cases import (
    CHANGING,
    IN_A_NAMESPACE,
    ON_THE_HOST,
    STARTING,
    TOLD,
    WITH_EVIDENCE,
    WITHOUT_A_HOST,
    Answered,
    all_answered,
)
from tests.cli.manifests import CHAT
from tests.evidence.builders import AT_MS, a_log
from tests.evidence.test_command import SPEC, UID, WHO, a_verdict
from tests.requirements.fleets import fleet, hopper
from tests.support.embedded import embedded_in_thread
from tests.topology.builders import a_machine, an_observed

TRACE = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\njob-0,4000,8192,1,1000\njob-1,4000,8192,8,1000\n"
HARDWARE_WORD = CHAT + "  resources: {cores: 2}\n"


def follows_its_schema(ran: Ran, kind: str) -> Any:
    """The answer, once it is of this kind and as its schema says."""
    text = ran.err if kind == ERROR else ran.out
    assert text.startswith("{"), ran
    content = json.loads(text)
    if kind == "Object":
        assert content["kind"] in ("Workload", "Contract")
    else:
        assert content["kind"] == kind, ran.err
    if kind not in ("Object", "List", ERROR):
        assert content["apiVersion"] == OUTPUT_VERSION
    jsonschema_rs.validate(OUTPUTS[kind], content)
    return content


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A host that knows a site, a machine and a model whose file lies on this machine."""
    folder = tmp_path_factory.mktemp("stocked")
    (folder / "own.gguf").write_bytes(b"GGUF")
    hexes = hashlib.sha256(b"GGUF").hexdigest()
    with embedded_in_thread(folder / "home") as host, Shell(host.home).controllers() as client:
        client.create(Site(metadata=ObjectMeta(name="local")))
        profile = {"digest": digest(a_machine()), "topology": identity_json(a_machine())}
        client.create(HardwareProfile.model_validate({"metadata": {"name": "hw-1"}, "spec": profile}))
        spec = {"site": "local", "profile": "hw-1"}
        client.create(Machine.model_validate({"metadata": {"name": "laptop"}, "spec": spec}))
        cores = [core.id for core in a_machine().cores]
        status = {"state": "Ready", "cores": len(cores), "sellableCores": cores, "sellableMemory": "8Gi"}
        client.patch_status(Machine, "laptop", {"status": status})
        sources = [{"file": {"path": str(folder / "own.gguf")}}]
        own = {"format": "gguf", "digest": f"sha256:{hexes}", "licence": "CC0-1.0", "sources": sources}
        client.create(Model.model_validate({"metadata": {"name": "own"}, "spec": own}))
        yield host.home


@pytest.fixture
def host(stocked: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    """The command line against that host, in a namespace that is this test's alone."""
    monkeypatch.setenv("TENURE_HOME", str(stocked))
    monkeypatch.setenv("TENURE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(LocalEngine, "logs", lambda *_, **__: iter([LogLine(4_005_190_800_000, "stdout", "up")]))
    monkeypatch.setattr("tenure.cli.own.repeat._send", one_answer)
    journal_with(stocked / "runs" / "hold-1" / "journal", "traced-1")
    namespace = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60].strip("-")
    make_namespace(stocked, namespace)
    return Shell(stocked, namespace)


@pytest.fixture(scope="module")
def held(stocked: Path) -> Shell:
    """A namespace where `chat` holds its contract, for all lines that leave it so."""
    make_namespace(stocked, "held")
    return holding(Shell(stocked, "held"))


def holding(shell: Shell) -> Shell:
    with acting(shell):
        assert shell.here("request", "-f", "-", "--accept", "best", stdin=CHAT).code == 0
    return shell


@pytest.mark.parametrize("line", [line for line in IN_A_NAMESPACE if line not in CHANGING])
@pytest.mark.usefixtures("host")
def test_in_a_namespace(held: Shell, line: str) -> None:
    follows_its_schema(held.here(*line.split(), "-o", "json", stdin=CHAT), IN_A_NAMESPACE[line])


@pytest.mark.parametrize("line", CHANGING)
def test_in_a_namespace_of_its_own(host: Shell, line: str) -> None:
    holding(host)
    if line.startswith("renew"):
        _hold_a_renewal(host)
    with acting(host):
        ran = host.here(*line.split(), "-o", "json", stdin=CHAT)
    follows_its_schema(ran, IN_A_NAMESPACE[line])


@pytest.mark.parametrize("line", ON_THE_HOST)
def test_on_the_host(host: Shell, line: str, tmp_path: Path) -> None:
    ran = host(*line.replace("{folder}", str(tmp_path)).split(), "-o", "json", stdin=CHAT)
    follows_its_schema(ran, ON_THE_HOST[line])


def _hold_a_renewal(host: Shell) -> None:
    with host.controllers() as client:
        offer = answers.offer_object("chat-again", host.namespace, "chat")
        client.create(offer.model_copy(update={"spec": offer.spec.model_copy(update={"renews": "chat-3f2a1c"})}))
        client.patch_status(Offer, "chat-again", {"status": {"phase": "Held"}}, namespace=host.namespace)


@pytest.mark.parametrize("line", WITHOUT_A_HOST)
def test_without_a_host(offline: Shell, stocked: Path, line: str, tmp_path: Path) -> None:
    (tmp_path / "hardware.yaml").write_text(HARDWARE_WORD)
    (tmp_path / "machine.json").write_text(json.dumps(to_json(an_observed())))
    fleet(tmp_path / "fleet.csv", hopper("m-0", "rack-0"))
    (tmp_path / "trace.csv").write_text(TRACE)
    if line.startswith("restore"):
        assert Shell(stocked)("backup", tmp_path / "backup").code == 0
    ran = offline(*line.replace("{folder}", str(tmp_path)).split(), "-o", "json", stdin=CHAT)
    follows_its_schema(ran, WITHOUT_A_HOST[line])


@pytest.mark.parametrize("line", WITH_EVIDENCE)
def test_with_evidence(offline: Shell, line: str, tmp_path: Path) -> None:
    log = a_log(offline.home)
    log.append(contract_statement(**WHO, uid=UID, spec=SPEC, at_ms=AT_MS))
    subjects = [contract_subject(**WHO, spec=SPEC)]
    log.issue_checkpoint(contract_source(UID), purpose="activation", subjects=subjects, at_ms=AT_MS)
    log.append_all([a_verdict(number, 900 if number == 2 else 200) for number in range(4)])
    log.close()
    (tmp_path / "key.pem").write_text(offline("evidence", "show", "--public-key").out)
    assert offline("evidence", "export", "chat-abc", "--to", tmp_path / "b.jsonl").code == 0
    (tmp_path / "damaged.jsonl").write_text((tmp_path / "b.jsonl").read_text().replace('"Kept"', '"kept"', 1))
    follows_its_schema(offline(*line.replace("{folder}", str(tmp_path)).split(), "-o", "json"), WITH_EVIDENCE[line])


@pytest.mark.real
def test_starting_and_stopping(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home")
    try:
        for line, kind in STARTING.items():
            follows_its_schema(shell(*line.split(), "-o", "json"), kind)
    finally:
        shell("down", "--purge", "--yes")


@pytest.fixture
def told_in_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of the quickstart's story is a line on either stream; three of them come to something."""
    came_to = {
        "keep": of_keeping({"Kept": 3}, 30),
        "control_dies": Outcome("Control dies", Mark.NOT_SHOWN, "the machine was too slow"),
        "prove": of_proof(verified=1, flipped=1),
    }

    def step(name: str) -> Callable[..., str]:
        def tell(stage: Stage, *_: object, **__: object) -> str:
            print(name)
            print(name, file=sys.stderr)
            stage.outcomes += [came_to[name]] if name in came_to else []
            return name

        return tell

    for place, names in (
        ("need", ("discover", "ask")),
        ("contract", ("accept",)),
        ("refusal", ("refuse_and_counter",)),
        ("kept", ("keep", "breach_and_remedy")),
        ("control", ("control_dies",)),
        ("evidence", ("prove",)),
        ("ending", ("what_holds",)),
    ):
        for name in names:
            monkeypatch.setattr(f"tenure.cli.quickstart.{place}.{name}", step(name))


@pytest.mark.usefixtures("told_in_lines")
@pytest.mark.parametrize("line", TOLD)
def test_a_story(offline: Shell, line: str) -> None:
    ran = offline(*line.split(), "-o", "json")
    said = follows_its_schema(ran, TOLD[line])
    assert ran.err == "", "the story is not told to programs"
    short = "--short" in line
    assert said["running"] == ("--keep" in line)
    assert [one["outcome"] for one in said["outcomes"]] == ([] if short else ["Held", "NotShown", "Broken"])
    assert said["notShown"] == ([] if short else ["Control dies"]), "neither broken nor seen to hold"
    assert (ran.code, said["broken"]) == ((0, False) if short else (1, True))


@pytest.mark.usefixtures("told_in_lines")
def test_twin_a_person_is_told_the_story(offline: Shell) -> None:
    ran = offline("quickstart", "--short")
    assert ran.out.split() == ["discover", "ask", "accept", "refuse_and_counter", "what_holds"]


@pytest.mark.usefixtures("told_in_lines")
def test_a_story_that_breaks_off_answers_with_the_error_alone(offline: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise Failure("`tenure up` ended with 7", exit_code=7, reason="StoryInterrupted")

    monkeypatch.setattr("tenure.cli.quickstart.need.discover", interrupted)
    ran = offline("quickstart", "-o", "json")
    assert (ran.code, ran.out) == (7, "")
    assert follows_its_schema(ran, ERROR)["reason"] == "StoryInterrupted"
    assert not offline.home.exists(), "nothing is left"


def leaves(app: App, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command that can be run, by its words."""
    inner = [name for name in app if not name.startswith("-")]
    if not inner:
        yield " ".join(path)
    for name in inner:
        yield from leaves(app[name], (*path, name))


def test_every_command_says_what_it_answers_with_or_why_not() -> None:
    assert set(leaves(make_app())) == {*ANSWERS, *WITHOUT_JSON}
    assert not set(ANSWERS) & set(WITHOUT_JSON)


def test_twin_a_command_without_a_schema_is_found() -> None:
    app = make_app()
    app.command(lambda: None, name="novelty")
    assert set(leaves(app)) - {*ANSWERS, *WITHOUT_JSON} == {"novelty"}


def test_every_kind_of_every_command_is_run_above() -> None:
    said = {Answered(command, kind) for command, kinds in ANSWERS.items() for kind in kinds}
    assert said - all_answered() == set()
    assert {case for case in all_answered() - said if case.kind != ERROR} == set()


def test_every_schema_is_one_and_somebody_answers_by_it() -> None:
    for schema in OUTPUTS.values():
        jsonschema_rs.validator_for(schema)
    assert {kind for kinds in ANSWERS.values() for kind in kinds} | {ERROR} == set(OUTPUTS)


def test_twin_a_member_that_no_schema_names_is_refused(offline: Shell) -> None:
    content = {**offline("down", "-o", "json").json, "novelty": 1}
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(OUTPUTS["Stopped"], content)


def test_what_a_scan_wrote_is_read_back(offline: Shell, tmp_path: Path) -> None:
    scanned = offline("inventory", "scan", "--no-try", "-o", "json")
    (tmp_path / "scan.json").write_text(scanned.out)
    again = offline("inventory", "scan", "--from", tmp_path / "scan.json", "-o", "json")
    assert again.json == scanned.json
