"""Replacing a small file so that a crash leaves the old one or the new one, never half of either."""

import os
from collections.abc import Iterable
from pathlib import Path


def replace_file(path: Path, data: bytes | Iterable[bytes], *, mode: int) -> None:
    """Write `data`, whole or in parts, beside `path` and move it there, both made durable.

    Others never read it with a wider mode. Raises OSError; `path` is then as it was.
    """
    temporary = path.with_name(f".{path.name}.new")  # one name: what a crash left is written over, not left for good
    temporary.unlink(missing_ok=True)
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.writelines([data] if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
