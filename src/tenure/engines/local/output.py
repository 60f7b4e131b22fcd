"""What commands write, carried to rotated files. Small on purpose: supervisors import it.

Output goes through named pipes that both ends hold open for reading and writing: when a supervisor dies, its commands
neither get SIGPIPE nor lose a byte, and the next supervisor reads on. (A command that writes more than the pipe holds,
1 MiB where granted, before that waits.)
Lines are stored in the CRI log format of Kubernetes: `RFC3339Nano stdout|stderr F|P text`, P for a part of a long line.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress

STREAMS = ("stdout", "stderr")
PIPE_BYTES = 1 << 20
LINE_BYTES_MAX = 16 * 1024
READ_BYTES = 64 * 1024
OPEN = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


def pipe_path(pipes: str, command: str, stream: str) -> str:
    """The named pipe of one stream of one command."""
    return f"{pipes}/{command}.{stream}"


def open_pipe(path: str, extra_flags: int = 0) -> int:
    """Open (making it where absent) a named pipe for both directions, so that no end ever sees it closed (fifo(7))."""
    with suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_CLOEXEC | extra_flags)


class LogFile:
    """One command's log, rotated by size: NAME.log, NAME.log.1, ... (older)."""

    def __init__(self, path: str, file_bytes_max: int, files_max: int) -> None:
        self.path = path
        self.file_bytes_max = file_bytes_max
        self.files_max = max(1, files_max)
        self._open()

    def _open(self) -> None:
        self.descriptor = os.open(self.path, OPEN, 0o600)
        self.size = os.fstat(self.descriptor).st_size

    def append(self, entries: list[bytes]) -> None:
        """Write entries, each whole in one file. A full disk loses log lines, never the workload."""
        batch: list[bytes] = []
        room = self.file_bytes_max - self.size
        for entry in entries:
            if room < len(entry) and (batch or self.size):
                self._write(batch)
                if not self._rotate():
                    return
                batch, room = [], self.file_bytes_max
            batch.append(entry)
            room -= len(entry)
        self._write(batch)

    def _write(self, entries: list[bytes]) -> None:
        with suppress(OSError):
            self.size += os.write(self.descriptor, b"".join(entries))

    def _rotate(self) -> bool:
        """Begin a new file. False where the disk refuses: the old one stays open for what still fits into it.

        A step that fails leaves a number free, and the next try moves no file past it: of those that were there none
        is lost before the new one stands. Until then there may be one more than are kept.
        """
        fresh = f"{self.path}.new"
        try:
            descriptor = os.open(fresh, OPEN | os.O_TRUNC, 0o600)
        except OSError:
            return False
        try:
            numbers = range(self.files_max)
            free = next((number for number in numbers if not os.path.exists(self._named(number))), self.files_max)
            for number in range(free, 0, -1):
                os.replace(self._named(number - 1), self._named(number))
            os.replace(fresh, self.path)
        except OSError:
            os.close(descriptor)
            with suppress(OSError):
                os.unlink(fresh)
            return False
        with suppress(OSError):
            os.unlink(self._named(self.files_max))
        os.close(self.descriptor)
        self.descriptor, self.size = descriptor, 0
        return True

    def _named(self, number: int) -> str:
        """The current file is number 0."""
        return f"{self.path}.{number}" if number else self.path


class Output:
    """One stream of one command on its way to the log."""

    def __init__(self, pipes: str, command: str, stream: str, log: LogFile) -> None:
        self.stream = stream
        self.descriptor = open_pipe(pipe_path(pipes, command, stream), os.O_NONBLOCK)
        with suppress(OSError):  # past /proc/sys/fs/pipe-user-pages-soft; the default size serves
            fcntl.fcntl(self.descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._log = log
        self._rest = b""

    def drain(self, reads_max: int = 16) -> bool:
        """Move what is there to the log. True where the pipe was emptied."""
        for _ in range(reads_max):
            try:
                data = os.read(self.descriptor, READ_BYTES)
            except BlockingIOError:
                return True
            self._take(data)
        return False

    def _take(self, data: bytes) -> None:
        stamp = self._stamp()
        *lines, self._rest = (self._rest + data).split(b"\n")
        entries: list[bytes] = []
        for line in lines:
            while len(line) > LINE_BYTES_MAX:
                entries.append(stamp + b" P " + line[:LINE_BYTES_MAX] + b"\n")
                line = line[LINE_BYTES_MAX:]
            entries.append(stamp + b" F " + line + b"\n")
        while len(self._rest) > LINE_BYTES_MAX:
            entries.append(stamp + b" P " + self._rest[:LINE_BYTES_MAX] + b"\n")
            self._rest = self._rest[LINE_BYTES_MAX:]
        if entries:
            self._log.append(entries)

    def flush(self) -> None:
        """Write an unfinished last line; called when its writer is gone."""
        if self._rest:
            self._log.append([self._stamp() + b" F " + self._rest + b"\n"])
            self._rest = b""

    def _stamp(self) -> bytes:
        """When, and which stream; what was read together shares it."""
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        return f"{stamp}.{nanoseconds:09d}Z {self.stream}".encode()
