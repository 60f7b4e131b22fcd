"""A witness beside the database: the version of the last acknowledged write, and the lock of the one process.

SQLite drops the torn end of its write-ahead log in silence, as it must after a crash. So the version of each
acknowledged commit is also kept in a file of one line. It is written after the commit's own sync and before anybody is
told, without a sync of its own: whatever survives of it never runs ahead of an honest disk, and a database that has
fallen behind it has lost acknowledged writes.
"""

import fcntl
import os
import zlib
from pathlib import Path

from tenure.store.errors import StoreInUseError

_LINE_BYTES = 40


class Watermark:
    """The witness file of one store, locked while open."""

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        """Raises StoreInUseError when another process holds it, OSError when it cannot be opened."""
        self._path = path
        flags = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
        self._fd = os.open(path, flags | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise StoreInUseError(f"another process has {path.parent} open; stop it first (`tenure down`)") from None

    def read(self) -> int | None:
        """The version last noted; 0 when nothing was, None when the line is damaged."""
        line = os.pread(self._fd, _LINE_BYTES, 0)
        if not line:
            return 0
        try:
            version, checksum = line.split()
            return int(version) if int(checksum, 16) == zlib.crc32(version) else None
        except ValueError:
            return None

    def note(self, version: int) -> None:
        """Note `version`, in place, so that a full disk does not hinder it."""
        digits = b"%020d" % version
        os.pwrite(self._fd, b"%s %08x\n" % (digits, zlib.crc32(digits)), 0)

    def close(self) -> None:
        """Give the lock back."""
        os.close(self._fd)
