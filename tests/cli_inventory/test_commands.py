"""`tenure inventory`: what it prints and how it exits."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from tenure.cli.main import run
from tenure.cli.schemas import OUTPUTS
from tenure.cli.screen import OUTPUT_VERSION
from tenure.topology import digest, identity_json, machine_schema, observed_from_json, to_json
from tests.support.data import data_dir
from tests.topology.builders import a_machine, an_observed


@pytest.fixture
def machine_file(tmp_path: Path) -> Path:
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(to_json(an_observed())))
    return path


def test_scan_answers_in_json_of_the_published_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inventory", "scan", "--no-try", "-o", "json"]) == 0
    value = json.loads(capsys.readouterr().out)
    jsonschema_rs.validate(OUTPUTS["ObservedMachine"], value)
    machine = {name: part for name, part in value.items() if name not in ("apiVersion", "kind")}
    jsonschema_rs.validate(machine_schema(), machine)
    assert observed_from_json(machine).topology.cores


def test_scan_answers_in_yaml_with_the_same_content(machine_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inventory", "scan", "--from", str(machine_file), "-o", "yaml"]) == 0
    said = {"apiVersion": OUTPUT_VERSION, "kind": "ObservedMachine"}
    assert yaml.safe_load(capsys.readouterr().out) == said | to_json(an_observed())


def test_scan_draws_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inventory", "scan", "--no-try"]) == 0
    out = capsys.readouterr().out
    assert "profile sha256:" in out
    assert "Kept for the system" in out


def test_scan_reads_every_sort_of_file(capsys: pytest.CaptureFixture[str], tmp_path: Path, machine_file: Path) -> None:
    profile = tmp_path / "profile.json"
    spec = {"digest": digest(a_machine()), "topology": identity_json(a_machine())}
    profile.write_text(json.dumps({"apiVersion": "tenure.dev/v1alpha1", "kind": "HardwareProfile", "spec": spec}))
    hwloc, smi = data_dir("hwloc", "nvidiaDGX2.xml"), data_dir("nvidia-smi", "qx-l40s.xml")
    for path, words in (
        (machine_file, "Example Server 2"),
        (profile, "Example Server 2"),
        (hwloc, "NVIDIA DGX-2H"),
        (smi, "running x8: degraded"),
    ):
        assert run(["inventory", "scan", "--from", str(path)]) == 0
        assert words in " ".join(capsys.readouterr().out.split()).replace(" │ ", " ")


def test_lint_of_a_complete_machine_is_yes(machine_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inventory", "lint", str(machine_file)]) == 0
    assert "✓ nothing that decisions stand on is missing" in capsys.readouterr().out


def test_lint_names_what_is_missing_with_its_reason_and_is_no(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inventory", "lint", str(data_dir("hwloc", "nvidia-dgx-gb10.xml"))]) == 1
    out = capsys.readouterr().out
    assert "✗ gpus: the file has no PCI devices; it may have been written without them" in out
    assert "· packages[0].model: the file names no processor model" in out


def test_lint_counts_what_is_wanted_only_when_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    observed = an_observed(a_machine(nics=()))
    value = to_json(observed)
    value["topology"]["product"] = {"unknown": "not filled in"}
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(value))
    assert run(["inventory", "lint", str(path)]) == 0
    assert run(["inventory", "lint", str(path), "--strict"]) == 1
    capsys.readouterr()
    assert run(["inventory", "lint", str(path), "-o", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["complete"] is True
    assert answer["missing"] == [{"path": "product", "reason": "not filled in", "weight": "wanted"}]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "neither XML nor JSON: line 1, column 2: a key in double quotes is missing"),
        (b"[]", "expected an object"),
        (b"\xff\xfe", "neither XML nor JSON"),
        (b"{}", "topology.packages: missing"),
        (b"<html></html>", "not hwloc's <topology>"),
        (b"[" * 100_000, "neither XML nor JSON: line 1, column 101: nested deeper than 100 levels"),
        (b'{"topology": {"memory": NaN}}', "neither XML nor JSON: line 1, column 25: NaN is no number in JSON"),
        (b'{"topology": {}}', "machine.topology.packages: missing"),
    ],
)
def test_a_file_that_is_no_machine_is_a_usage_error_with_a_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, words: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert run(["inventory", "lint", str(path)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "[TopologyUnreadable]" in error


def test_a_file_or_root_that_is_absent_is_not_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inventory", "lint", str(tmp_path / "absent")]) == 3
    assert run(["inventory", "scan", "--root", str(tmp_path / "absent")]) == 3
    assert "[NotFound]" in capsys.readouterr().err


def test_an_unknown_format_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inventory", "scan", "-o", "xml"]) == 2
    assert "[UnknownFormat]" in capsys.readouterr().err
