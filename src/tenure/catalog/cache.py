"""Where model files are kept: one file a digest, placed whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PackageLocation:
    """A file inside a Python package's wheel."""

    name: str
    version: str
    path: str

    def __str__(self) -> str:
        return f"package {self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class FileLocation:
    """A file on this machine; `~` is the user's home."""

    path: str

    def __str__(self) -> str:
        return f"file {self.path}"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file known by its digest (`sha256:HEX`) and the locations to try in order. `size_bytes` None: not declared."""

    name: str
    digest: str
    size_bytes: int | None
    suffix: str
    locations: tuple[PackageLocation | FileLocation, ...]

    @property
    def file_name(self) -> str:
        """Its name in the cache."""
        return self.digest.replace(":", "-") + self.suffix


def cache_dir() -> Path:
    """`$TENURE_CACHE`, else `tenure` in the XDG cache folder (XDG Base Directory Specification)."""
    chosen = os.environ.get("TENURE_CACHE")
    if chosen:
        return Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    return root / "tenure"


def cached_path(artifact: Artifact, cache: Path | None = None) -> Path | None:
    """The artifact's file where it is in the cache, else None. Its digest was checked when it was placed; here only
    the size is compared."""
    path = (cache or cache_dir()) / "models" / artifact.file_name
    try:
        size = path.stat().st_size
    except OSError:
        return None
    return path if artifact.size_bytes in (None, size) else None


def file_digest(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """`sha256:HEX` of a file; `progress` gets the bytes read so far."""
    hasher = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            hasher.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done)
    return f"sha256:{hasher.hexdigest()}"
