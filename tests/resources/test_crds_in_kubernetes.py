"""The generated CRDs before Kubernetes' own validation code, which is what a real API server would say of them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tenure.resources import KINDS, crd

VALIDATOR = Path(__file__).parent / "validator" / "main.go"
MODULE = "k8s.io/apiextensions-apiserver@v0.34.4"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("go") is None, reason="the validator is built with Go, which is not on the PATH")
def test_an_api_server_would_take_them(tmp_path: Path) -> None:
    build = tmp_path / "build"
    build.mkdir()
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
    files = []
    for kind in KINDS:
        if kind.group == "tenure.dev":
            files.append(tmp_path / f"{kind.plural}.yaml")
            files[-1].write_text(crd.crd_yaml(kind))
    judged = subprocess.run([build / "validator", *files], capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout
