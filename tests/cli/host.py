"""A real embedded host in a thread, the command line in process, and a hand that writes what controllers would."""

import contextlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.cli import run
from tenure.client import Client, from_home
from tenure.resources import Namespace, ObjectMeta


@dataclass(frozen=True)
class Ran:
    """One command line's outcome."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def status(self) -> Any:
        """The error, where JSON was asked for."""
        return json.loads(self.err)


@dataclass
class Shell:
    """Runs `tenure` in this process against one home, in one namespace."""

    home: Path
    namespace: str = ""

    def __call__(self, *tokens: object, stdin: str | bytes | None = None) -> Ran:
        words = [str(token) for token in tokens]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _standard_input(stdin):
            os.environ["TENURE_HOME"] = str(self.home)
            os.environ["COLUMNS"] = "110"
            code = run(words)
        return Ran(code, out.getvalue(), err.getvalue())

    def here(self, *tokens: object, stdin: str | bytes | None = None) -> Ran:
        """The same, in the namespace of this test."""
        return self(*tokens, "-n", self.namespace, stdin=stdin)

    def objects(self) -> set[str]:
        """Every object in this test's namespace and in the cluster, by kind and name."""
        return set(self.here("get", "all,secrets,events,leases,namespaces", "-o", "name").out.split())

    def controllers(self) -> Client:
        """The identity that may write Offers, Contracts and status."""
        return Client(from_home(self.home, "controllers"))

    def user(self) -> Client:
        return Client(from_home(self.home, "user"))


@contextlib.contextmanager
def _standard_input(given: str | bytes | None) -> Iterator[None]:
    import sys

    before = sys.stdin
    data = given.encode() if isinstance(given, str) else given or b""
    sys.stdin = io.TextIOWrapper(io.BytesIO(data))
    try:
        yield
    finally:
        sys.stdin = before


def make_namespace(home: Path, name: str) -> None:
    with Client(from_home(home, "user")) as client:
        client.create(Namespace(metadata=ObjectMeta(name=name)))
