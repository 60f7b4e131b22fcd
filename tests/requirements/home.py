"""A real home with a real control plane, and its commands run as a person would."""

import contextlib
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.cli.main import run
from tests.support.last_words import UP


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class House:
    """One TENURE_HOME."""

    path: Path

    def tenure(self, *tokens: object) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(["--home", str(self.path), *map(str, tokens)])
        if tokens[0] == "up" or "--keep" in tokens:
            UP[self.path] = None
        if "--purge" in tokens:
            UP.pop(self.path, None)
        return Said(code, out.getvalue(), err.getvalue())

    def must(self, *tokens: object) -> Said:
        said = self.tenure(*tokens)
        assert said.code == 0, f"{tokens}: {said.code}\n{said.out}\n{said.err}"
        return said

    def manifest(self, name: str, text: str) -> Path:
        path = self.path.parent / f"{name}.yaml"
        path.write_text(text)
        return path

    def command(self, name: str, *, extra: str = "", run_line: str = "[sleep, infinity]") -> Path:
        """A need of any command: a core, for ten minutes."""
        return self.manifest(
            name,
            f"apiVersion: tenure.dev/v1alpha1\nkind: Workload\nmetadata: {{name: {name}, namespace: default}}\n"
            f"spec:\n  command: {{}}\n  run: {{command: {run_line}}}\n  term: {{duration: 10m}}\n{extra}",
        )

    def close(self) -> None:
        self.tenure("down", "--purge", "--yes")


def house(folder: Path) -> House:
    """A home that is up."""
    os.environ.pop("TENURE_HOME", None)
    made = House(folder / "home")
    made.must("up")
    return made
