"""Health checks that never block the supervisor: one connection at a time, driven by its event loop."""

from __future__ import annotations

import os
import select
import socket
import time
from typing import Any


class Health:
    """Asks, and keeps `healthy` (None before the first answer), `healthy_since_ms`, `first_healthy_ms`."""

    def __init__(self, spec: dict[str, Any], port: int) -> None:
        self.spec = spec
        self.port = port
        self.healthy: bool | None = None
        self.healthy_since_ms: int | None = None
        self.first_healthy_ms: int | None = None
        self.due_ns: int | None = None
        self._failures = 0
        self._socket: socket.socket | None = None
        self._deadline_ns = 0
        self._answer = b""

    @property
    def wake_ns(self) -> int | None:
        """When it wants to be called though nothing arrived."""
        return self._deadline_ns if self._socket is not None else self.due_ns

    def begin(self) -> None:
        """The command was started: ask at once."""
        self.cease()
        self.due_ns = time.monotonic_ns()

    def cease(self) -> None:
        """The command is down."""
        self._drop()
        self.healthy, self.healthy_since_ms, self.due_ns, self._failures = None, None, None, 0

    def watch(self) -> tuple[int, int] | None:
        """Descriptor and events to poll for, while a question is under way."""
        if self._socket is None:
            return None
        return self._socket.fileno(), select.POLLIN if self._sent else select.POLLOUT

    def turn(self, events: int) -> bool:
        """Go on after `events` (0: the time came). True where health changed."""
        now_ns = time.monotonic_ns()
        if self._socket is None:
            if self.due_ns is not None and now_ns >= self.due_ns:
                self._ask(now_ns)
            return False
        if events:
            return self._go_on()
        if now_ns >= self._deadline_ns:
            return self._settle(False)
        return False

    def _ask(self, now_ns: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self._deadline_ns = now_ns + self.spec["timeout_ms"] * 1_000_000
        self._sent, self._answer = False, b""
        self._socket.connect_ex(("127.0.0.1", self.port))

    def _go_on(self) -> bool:
        assert self._socket is not None
        try:
            if not self._sent:
                error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    raise OSError(error, os.strerror(error))
                if self.spec["path"] is None:
                    return self._settle(True)
                host = f"127.0.0.1:{self.port}"
                request = f"GET {self.spec['path']} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
                self._socket.send(request.encode())
                self._sent = True
                return False
            data = self._socket.recv(1024)
            self._answer += data
            if b"\r\n" not in self._answer and data and len(self._answer) < 4096:
                return False
            words = self._answer.split(b"\r\n", 1)[0].split()
            return self._settle(len(words) > 1 and words[0].startswith(b"HTTP/1.") and words[1][:1] == b"2")
        except OSError:
            return self._settle(False)

    def _settle(self, good: bool) -> bool:
        self._drop()
        before = self.healthy
        now_ms = time.time_ns() // 1_000_000
        if good:
            self._failures = 0
            if not self.healthy:
                self.healthy, self.healthy_since_ms = True, now_ms
                self.first_healthy_ms = self.first_healthy_ms or now_ms
        else:
            self._failures += 1
            if self.healthy and self._failures >= self.spec["failures_max"]:
                self.healthy, self.healthy_since_ms = False, None
        waits = self.spec["interval_ms"] if self.healthy_since_ms else self.spec["starting_interval_ms"]
        self.due_ns = time.monotonic_ns() + waits * 1_000_000
        return before != self.healthy

    def _drop(self) -> None:
        self._sent = False
        if self._socket is not None:
            self._socket.close()
            self._socket = None
