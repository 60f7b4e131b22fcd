"""The file of a backup: a plain tar whose first member lists every other one with its size and SHA-256.

Plain, so that any system's `tar` reads it and a damaged byte is pinned to the file that it lies in. The list carries a
digest of itself. Digests show damage, not forgery: whoever can write the file can write its list.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import rfc8785

FORMAT = "tenure-backup/1"
MANIFEST = "manifest.json"
MANIFEST_BYTES_MAX = 64 << 20
_CHUNK_BYTES = 1 << 20


class BackupDamagedError(Exception):
    """The file is not what was written; `problems` names each part that is not."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class NotABackupError(BackupDamagedError):
    """The file does not even begin as a backup does: most likely it never was one, or it lost its beginning."""


class TargetUnwritableError(Exception):
    """A backup's file cannot be written; `error` says why."""

    def __init__(self, error: OSError) -> None:
        self.error = error
        super().__init__(str(error))


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of a backup."""

    path: str  # relative to the home, with slashes
    bytes: int
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """As the manifest lists it."""
        return {"path": self.path, "bytes": self.bytes, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: `about` says of what and when."""

    about: dict[str, Any]
    files: tuple[Kept, ...]

    @property
    def bytes(self) -> int:
        """Bytes of all files together."""
        return sum(file.bytes for file in self.files)


def pack(folder: Path, target: Path, about: dict[str, Any]) -> Manifest:
    """Write everything under `folder` into `target`, which only its owner can read: it holds keys.

    Raises FileExistsError; TargetUnwritableError; OSError of what is read.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    kept = tuple(Kept(path.relative_to(folder).as_posix(), path.stat().st_size, _digest(path)) for path in paths)
    manifest = Manifest(about, kept)
    partial = target.with_name(target.name + ".partial")
    try:
        with _made(partial) as out:
            with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                content = _manifest_bytes(manifest)
                tar.addfile(_entry(MANIFEST, len(content)), io.BytesIO(content))
                for file, path in zip(kept, paths, strict=True):
                    with path.open("rb") as source:
                        tar.addfile(_entry(file.path, file.bytes), source)
            with _writing():
                out.flush()
                os.fsync(out.fileno())
        with _writing():
            os.link(partial, target)  # never replaces another file
    finally:
        partial.unlink(missing_ok=True)
    return manifest


@contextmanager
def _writing() -> Iterator[None]:
    """What fails in here fails for the file that is written, and not for those that are read."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise TargetUnwritableError(error) from error


class _Target(io.FileIO):
    """A file that says of itself that it cannot be written."""

    def write(self, data: Any, /) -> int:
        with _writing():
            return super().write(data)


def _made(path: Path) -> io.BufferedWriter:
    """The file, new and its owner's alone."""
    with _writing():
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        return io.BufferedWriter(_Target(descriptor, "w"))


def unpack(source: Path, folder: Path) -> Manifest:
    """Write the files of a backup under `folder`, each checked as it is written.

    Raises NotABackupError; BackupDamagedError naming every file that is damaged, missing or not listed; OSError.
    """
    problems: list[str] = []
    found: set[str] = set()
    try:
        with _opened(source) as tar:
            members = iter(tar)
            manifest = _read_manifest(tar, members)
            listed = {file.path: file for file in manifest.files}
            for member in members:
                file = listed.get(member.name)
                if file is None or not member.isreg() or member.name in found:
                    problems.append(f"{member.name!r} is not in its list")
                    continue
                found.add(member.name)
                content = tar.extractfile(member)
                assert content is not None, "a regular file has content"
                if _write(content, folder / file.path) != (file.bytes, file.sha256):
                    problems.append(f"{file.path} is not as it was written")
    except (tarfile.TarError, EOFError) as error:
        raise BackupDamagedError([*problems, f"{source.name} is no whole backup: {error}"]) from None
    problems += [f"{path} is missing" for path in listed if path not in found]
    if problems:
        raise BackupDamagedError(problems)
    return manifest


def _opened(source: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(source, mode="r:")
    except tarfile.TarError as error:
        raise NotABackupError([f"it is no tar file: {error}"]) from None


def _read_manifest(tar: tarfile.TarFile, members: Iterator[tarfile.TarInfo]) -> Manifest:
    first = next(members, None)
    if first is None or first.name != MANIFEST or not first.isreg() or first.size > MANIFEST_BYTES_MAX:
        raise NotABackupError([f"it does not begin with {MANIFEST}"])
    content = tar.extractfile(first)
    assert content is not None, "a regular file has content"
    try:
        document = json.loads(content.read())
        said = document.pop("sha256")
        if hashlib.sha256(rfc8785.dumps(document)).hexdigest() != said:
            raise BackupDamagedError([f"{MANIFEST} is not as it was written"])
        if document["format"] != FORMAT:
            raise BackupDamagedError([f"its format is {document['format']}, this Tenure reads {FORMAT}"])
        files = tuple(Kept(str(f["path"]), int(f["bytes"]), str(f["sha256"])) for f in document["files"])
        about = dict(document["about"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupDamagedError([f"{MANIFEST} is not as it was written ({type(error).__name__})"]) from None
    outside = [file.path for file in files if not _inside(file.path)]
    if outside:
        raise BackupDamagedError([f"{path!r} leads out of the home" for path in outside])
    return Manifest(about, files)


def _inside(path: str) -> bool:
    parts = PurePosixPath(path)
    return bool(path) and "\0" not in path and not parts.is_absolute() and ".." not in parts.parts


def _manifest_bytes(manifest: Manifest) -> bytes:
    document: dict[str, Any] = {
        "format": FORMAT,
        "about": manifest.about,
        "files": [file.to_json() for file in manifest.files],
    }
    return json.dumps({**document, "sha256": hashlib.sha256(rfc8785.dumps(document)).hexdigest()}, indent=1).encode()


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


def _write(content: IO[bytes], path: Path) -> tuple[int, str]:
    """Bytes written and their digest."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return size, digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
