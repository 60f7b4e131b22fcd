"""The generated CRDs before Kubernetes' own validation code, which is what a real API server would say of them."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tenure.resources import KINDS, crd
from tests.resources.rule_cases import LET_THROUGH, REFUSED, TAKEN, workload

VALIDATOR = Path(__file__).parent / "validator" / "main.go"
MODULE = "k8s.io/apiextensions-apiserver@v0.34.4"


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("go") is None, reason="the validator is built with Go, which is not on the PATH"),
]


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build = tmp_path_factory.mktemp("build")
    shutil.copy(VALIDATOR, build / "main.go")
    environment = {**os.environ, "GOFLAGS": "-mod=mod"}
    for command in (
        ["go", "mod", "init", "validator"],
        ["go", "get", MODULE],
        ["go", "mod", "tidy"],
        ["go", "build", "-o", "validator", "."],
    ):
        done = subprocess.run(command, cwd=build, env=environment, capture_output=True, text=True, check=False)
        if done.returncode and command[1] in ("get", "mod"):
            pytest.skip(f"Kubernetes' modules cannot be fetched: {done.stderr[-300:]}")
        assert done.returncode == 0, done.stderr
    return build / "validator"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = []
    for kind in KINDS:
        if kind.group == "tenure.dev":
            made.append(tmp_path / f"{kind.plural}.yaml")
            made[-1].write_text(crd.crd_yaml(kind))
    return made


def test_an_api_server_would_take_them(validator: Path, files: list[Path]) -> None:
    judged = subprocess.run([validator, *files], capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout


def test_its_rules_say_what_the_validators_say(validator: Path, files: list[Path], tmp_path: Path) -> None:
    """All but what no rule can say, and never more: what the validators take must not be refused there."""
    cases = REFUSED | TAKEN | LET_THROUGH
    (tmp_path / "objects.json").write_text(json.dumps([workload(changes) for changes in cases.values()]))
    command = [validator, *files, tmp_path / "objects.json"]
    judged = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[len(files) :]
    problems = {case: json.loads(line) for case, line in zip(cases, judged, strict=True)}
    assert [case for case, found in problems.items() if found] == list(REFUSED), problems
