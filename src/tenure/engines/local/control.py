"""The supervisor's socket: one packet asks, one packet answers. Both ends; the server need not be alive for it.

The socket lies in the run's folder, which only the run's owner may enter; that is its access rule.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from typing import Any

from tenure.engines.local.folder import RunFolder, socket_address

PACKET_BYTES_MAX = 64 * 1024


def listen(folder: RunFolder) -> socket.socket:
    """Listen in the folder, replacing the socket of a dead predecessor (the lock says that it is dead)."""
    if os.path.lexists(folder.control):
        os.unlink(folder.control)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    directory = os.open(folder.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listener.bind(socket_address(directory))
    finally:
        os.close(directory)
    listener.listen(16)
    return listener


class Caller:
    """One connection, asked to speak once."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def fileno(self) -> int:
        """For poll."""
        return self._connection.fileno()

    def serve(self, obey: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Read the request that has arrived, obey, answer, hang up."""
        with self._connection:
            try:
                data = self._connection.recv(PACKET_BYTES_MAX)
                if data:
                    self._connection.send(json.dumps(_answer(data, obey)).encode())
            except OSError:
                return  # whoever asked has gone


def _answer(data: bytes, obey: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """What is said to a request; a refusal where it cannot be read, or cannot be made durable before it is done."""
    try:
        return obey(json.loads(data))
    except OSError as error:
        why = error.strerror or str(error)
        refused = {"ok": False, "code": "RunNotRecorded", "message": f"the run's record cannot be written: {why}"}
        return refused | {"field": str(error.filename or "")}
    except (ValueError, KeyError) as error:
        return {"ok": False, "code": "EngineFailure", "message": f"not understood: {error!r}"}


def accept(listener: socket.socket) -> Caller | None:
    """The next caller, or None where it has gone again."""
    try:
        connection, _ = listener.accept()
    except OSError:
        return None
    return Caller(connection)


def ask(folder: RunFolder, request: dict[str, Any], timeout_s: float = 10.0) -> dict[str, Any]:
    """Ask a run's supervisor. Raises OSError (TimeoutError among them) where none answers."""
    directory = os.open(folder.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC) as connection:
            connection.settimeout(timeout_s)
            connection.connect(socket_address(directory))
            connection.send(json.dumps(request).encode())
            data = connection.recv(PACKET_BYTES_MAX)
    finally:
        os.close(directory)
    if not data:
        raise ConnectionError("the supervisor hung up without an answer")
    answer: dict[str, Any] = json.loads(data)
    return answer
