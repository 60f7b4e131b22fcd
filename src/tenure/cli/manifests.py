"""Manifests from files, folders and standard input, judged before anything is sent."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.cli import failures
from tenure.cli.requests import JsonObject
from tenure.resources import ApiObject, Kind, kind_of
from tenure.resources.documents import SIZE_BYTES_MAX, Document, decode, parse_documents, too_large
from tenure.resources.problems import Problem, ProblemsFound

SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object as its user wrote it, what its model makes of it, and where it stood."""

    content: JsonObject
    model: ApiObject
    source: str

    @property
    def kind(self) -> Kind:
        """Its row in the table of kinds."""
        return kind_of(type(self.model))

    @property
    def name(self) -> str:
        """metadata.name; empty where a name is to be generated."""
        return self.model.metadata.name or ""

    def namespace(self, default: str, chosen: str | None) -> str:
        """Where it goes. Raises Failure when the manifest says one namespace and -n another."""
        written = self.model.metadata.namespace
        if written and chosen and written != chosen and self.kind.namespaced:
            raise failures.usage(
                f"{self.source}: the manifest says namespace {written}, -n says {chosen}",
                "leave one of them out",
                "NamespaceMismatch",
            )
        return written or default


def read_manifests(paths: Sequence[str], *, recursive: bool = False, generated_names: bool = False) -> list[Manifest]:
    """Every object of every file. Raises ProblemsFound with all that is wrong with any, Failure where none is found.

    `generated_names`: a metadata.generateName serves as well as a name.
    """
    if not paths:
        raise failures.usage("name the manifest", "write -f FILE, -f FOLDER, or -f - for standard input")
    if not all(paths):  # as a path it would be the folder that one stands in, with all that lies there
        raise failures.usage("-f names no file", "write -f FILE; a variable of the shell that is not set is nothing")
    manifests: list[Manifest] = []
    problems: list[Problem] = []
    for path in paths:
        for source in _files(path, recursive):
            try:
                documents = parse_documents(read_bytes(source), source=source)
            except ProblemsFound as found:
                problems += found.problems
                continue
            for document in documents:
                _decode(document, manifests, problems, generated_names)
    if problems:
        raise ProblemsFound(problems)
    if not manifests:
        raise failures.usage(f"no object in {', '.join(paths)}", "see `tenure explain workload`", "NoObjects")
    return manifests


def read_one(path: str, kind: str) -> Manifest:
    """The only object of a file, which must be of this kind. Raises ProblemsFound, Failure."""
    manifests = read_manifests([path], generated_names=True)
    if len(manifests) != 1:
        raise failures.usage(f"{path} holds {len(manifests)} objects, one {kind} is meant", "keep one", "OneObject")
    if manifests[0].kind.kind != kind:
        problem = Problem(
            "UnknownKind",
            f"a {kind} is meant here, the manifest holds a {manifests[0].kind.kind}",
            "kind",
            f"write kind: {kind}, or use `tenure apply -f {path}`",
            path,
        )
        raise ProblemsFound([problem])
    return manifests[0]


def _decode(document: Document, manifests: list[Manifest], problems: list[Problem], generated_names: bool) -> None:
    try:
        model = decode(document)
    except ProblemsFound as found:
        problems += found.problems
        return
    if model.metadata.name or (generated_names and model.metadata.generate_name):
        manifests.append(Manifest(document.content, model, document.source))
        return
    problems.append(
        Problem(
            "MissingField",
            "is required",
            "metadata.name",
            "write metadata: {name: ...}",
            document.source,
            document.line,
            object_name=model.kind.lower(),
        )
    )


def _files(path: str, recursive: bool) -> list[str]:
    if path == "-":
        return ["-"]
    if "://" in path:
        raise failures.usage(f"{path}: manifests are read from this machine only", "download it first", "NoDownloads")
    folder = Path(path)
    if not folder.is_dir():
        return [path]
    found = sorted(f for f in (folder.rglob("*") if recursive else folder.glob("*")) if f.suffix in SUFFIXES)
    files = [str(f) for f in found if f.is_file()]
    if not files:
        raise failures.usage(f"no {', '.join(SUFFIXES)} in {path}", "name a file, or add -R", "NoObjects")
    return files


def read_bytes(source: str) -> bytes:
    """The bytes of a file; one that is too large is never read whole."""
    if source == "-":
        stream: Any = getattr(sys.stdin, "buffer", sys.stdin)
        read = stream.read(SIZE_BYTES_MAX + 1)
        data = read.encode() if isinstance(read, str) else bytes(read)
    else:
        with Path(source).open("rb") as file:
            data = file.read(SIZE_BYTES_MAX + 1)
    if len(data) > SIZE_BYTES_MAX:
        size = Path(source).stat().st_size if source != "-" else len(data)
        raise ProblemsFound([too_large(max(size, len(data)), source)])
    return data
