"""A run's folder: what is where in it, and writes that survive a crash. Small on purpose: supervisors import it.

RUNS/RUN_ID/
  spec.json        what was asked, written once, before anything starts
  state.json       what the supervisor last recorded
  lock             held (flock) by the supervisor for life: there is never a second one
  commands/NAME    identity of the newest process of each command, written by itself before its first instruction
  logs/NAME.log    its output, CRI log format, rotated
  pipes/           named pipes that carry the output to the supervisor
  control          the supervisor's socket
  work/            working directory with the files placed in it
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from contextlib import suppress
from typing import Any


class RunFolder:
    """Paths and records of one run."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.spec = f"{path}/spec.json"
        self.state = f"{path}/state.json"
        self.lock = f"{path}/lock"
        self.commands = f"{path}/commands"
        self.logs = f"{path}/logs"
        self.pipes = f"{path}/pipes"
        self.control = f"{path}/control"
        self.work = f"{path}/work"

    @property
    def run_id(self) -> str:
        """The run's id is the folder's name."""
        return os.path.basename(self.path)

    def make(self) -> None:
        """Create the folder and what belongs in it; existing parts stay."""
        for part in (self.path, self.commands, self.logs, self.pipes, self.work):
            os.makedirs(part, mode=0o700, exist_ok=True)
        sync_directory(os.path.dirname(self.path))

    def command(self, name: str) -> str:
        """Where the identity of a command's newest process stands."""
        return f"{self.commands}/{name}"


class RecordDamaged(ValueError):  # noqa: N818 - a state of the disk
    """A record that is there and is none: cut off, or overwritten."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} is no record: {why}")
        self.path = path


class NotKnownToLast(OSError):  # noqa: N818 - a state of the disk
    """A record was put in its place, and the disk did not confirm that it will still be there after a power cut."""


def write_json(path: str, value: dict[str, Any]) -> None:
    """Replace a record so that a crash, or a full disk, leaves the old or the new one, whole.

    Raises NotKnownToLast where it was replaced all the same; after any other OSError the old one is there.
    """
    temporary = _write_aside(path, value)
    try:
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
    try:
        sync_directory(os.path.dirname(path))
    except OSError as error:
        raise NotKnownToLast(error.errno, error.strerror, path) from error


def write_json_once(path: str, value: dict[str, Any]) -> bool:
    """Create a record, whole. False, and nothing changed, where somebody else's is there."""
    temporary = _write_aside(path, value)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(temporary)
    sync_directory(os.path.dirname(path))
    return True


def _write_aside(path: str, value: dict[str, Any]) -> str:
    temporary = f"{path}.{os.getpid()}.{time.monotonic_ns()}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        left = json.dumps(value).encode()
        while left:  # write(2) may take a part, as it does where the disk runs full in the middle
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except BaseException:
        os.unlink(temporary)
        raise
    finally:
        os.close(descriptor)
    return temporary


def drop_half_written(path: str) -> None:
    """Remove what writers of a record left beside it when they were killed. For its only writer."""
    folder, name = os.path.split(path)
    for other in os.listdir(folder):
        if other.startswith(f"{name}.") and other.endswith(".new"):
            with suppress(OSError):
                os.unlink(f"{folder}/{other}")


def read_json(path: str) -> dict[str, Any] | None:
    """A record, or None where there is none yet. Raises RecordDamaged where what is there is none."""
    try:
        with open(path, "rb") as file:
            value = json.loads(file.read())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RecordDamaged(path, str(error)) from None
    if not isinstance(value, dict):
        raise RecordDamaged(path, "it is no mapping")
    return value


def sync_directory(path: str) -> None:
    """Make renames and creations inside `path` durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def try_lock(path: str) -> int | None:
    """Take the run's lock; its descriptor is kept open for life. None where a supervisor has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return None
        raise
    return descriptor


def socket_address(folder_descriptor: int) -> str:
    """Address of the control socket by way of an open folder: a socket's own path may hold only 107 bytes."""
    return f"/proc/self/fd/{folder_descriptor}/control"
