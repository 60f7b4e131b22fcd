"""The side of the tap that asks the server behind, and times what it answers.

Bytes are relayed as they come and looked at afterwards, so what the tap adds to a token is a copy.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from tenure.measurement.asked import Asked, asks_for_stream, error_response
from tenure.measurement.http1 import Body, HttpError, split_head, status_of
from tenure.measurement.stream import AnswerTimer

if TYPE_CHECKING:
    from tenure.measurement.passthrough import Caller
    from tenure.measurement.tap import Tap

_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade expect content-length host authorization".split()
)


class Answerer(asyncio.Protocol):
    """The connection to the server behind, made for one request: no stale connection, so nothing is ever sent twice."""

    def __init__(self, tap: Tap, caller: Caller, asked: Asked, payload: bytes) -> None:
        self._tap, self._caller, self.asked = tap, caller, asked
        self._message = self._request_bytes(payload)
        asked.streamed = asks_for_stream(payload)
        self._buffer = bytearray()
        self._body: Body | None = None
        self._plain = asked.head.start.endswith(b"HTTP/1.0")
        self._close = asked.close_after
        self._over = False
        self._task: asyncio.Task[None] | None = None
        self.status = 0
        self.timer = AnswerTimer(streaming=False)
        self.transport: asyncio.Transport | None = None
        self.held_ns: int | None = None
        """Since when (monotonic) nothing is read from the server, because the caller takes no more of its answer."""

    def _request_bytes(self, payload: bytes) -> bytes:
        asked, config = self.asked, self._tap.config
        lines = [asked.method + b" " + asked.path + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in asked.head.headers if name not in _HOP_BY_HOP]
        lines.append(f"Host: {config.upstream_host}:{config.upstream_port}".encode())
        if self._tap.upstream_key:
            lines.append(b"Authorization: Bearer " + self._tap.upstream_key)
        if payload or asked.method in (b"POST", b"PUT", b"PATCH"):
            lines.append(b"Content-Length: %d" % len(payload))
        lines.append(b"Connection: close")
        return b"\r\n".join(lines) + b"\r\n\r\n" + payload

    def start(self) -> None:
        """Note the start and connect."""
        self._tap.started(self)
        self._task = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        config = self._tap.config
        try:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: self, config.upstream_host, config.upstream_port)
        except OSError as error:
            message = f"The model's server does not answer ({error.strerror or error})."
            self._fail(502, "upstream_unreachable", message)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self._over:
            transport.abort()
            return
        transport.write(self._message)
        self._message = b""

    def data_received(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        if self._over:
            return
        try:
            if self._body is None:
                self._buffer += data
                if not self._answer_head():
                    return
                data = bytes(self._buffer)
            elif not self._plain:
                self._caller.write(data)
            assert self._body is not None
            payload, _ = self._body.feed(data)
        except HttpError as error:
            self._fail(502, "upstream_malformed", f"The model's server does not speak HTTP/1.1: {error}.")
            return
        if self._plain:
            self._caller.write(payload)
        self.timer.feed(payload, now_ns)
        if self.timer.first_ns == now_ns:
            self._tap.first_token(self, now_ns)
        if self._body.done:
            self._complete()

    def _answer_head(self) -> bool:
        """Relay the head once it is whole; the bytes of the body behind it follow unchanged."""
        head = split_head(self._buffer)
        if head is None:
            return False
        self.status = status_of(head)
        if 100 <= self.status < 200:
            return self._answer_head()
        self._body = Body.of_response(head, self.asked.method)
        self.timer.streaming = (head.get(b"content-type") or b"").startswith(b"text/event-stream")
        framed = self._body.chunked or self._body.remaining is not None or self._body.done
        self._close = self._close or not framed or self._plain
        drop = {b"connection", b"keep-alive"} | ({b"transfer-encoding"} if self._plain else set())
        lines = [head.start]
        lines += [name + b": " + value for name, value in head.headers if name not in drop]
        lines.append(b"Connection: close" if self._close else b"Connection: keep-alive")
        self._caller.write(b"\r\n".join(lines) + b"\r\n\r\n" + (b"" if self._plain else bytes(self._buffer)))
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (the protocol's signature)
        if self._over:
            return
        if self._body is not None and self._body.end_of_stream():
            self._complete()
        else:
            self._fail(502, "upstream_broke_off", "The model's server closed the connection before it had answered.")

    def pause(self) -> None:
        """The caller reads slowly: so do we."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()
            self.held_ns = time.monotonic_ns()

    def resume(self) -> None:
        """The caller reads again."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()
        self.held_ns = None

    def abandon(self) -> None:
        """The caller went away: free the model's slot at once."""
        if not self._over:
            self._end("abandoned")

    def _complete(self) -> None:
        self.timer.finish()
        self._end("answered")
        self._caller.answered(close=self._close)

    def _fail(self, status: int, code: str, message: str) -> None:
        if self._over:
            return
        if self._body is None:
            self.status = status
            self._caller.write(error_response(status, code, message, close=self._close))
            self._end("failed")
            self._caller.answered(close=self._close)
        else:
            self._end("failed")
            self._caller.cut()

    def _end(self, how: str) -> None:
        self._over = True
        self._tap.ended(self, how)
        if self.transport is not None:
            self.transport.abort()
        elif self._task is not None and how == "abandoned":
            self._task.cancel()

    def progress(self) -> list[Any]:
        """Number, tokens so far, when the newest came (ns after arrival, None before the first) and, where its caller
        takes no more of it, since when."""
        newest = None if self.timer.first_ns is None else self.timer.last_ns - self.asked.started_ns
        held = [] if self.held_ns is None else [self.held_ns - self.asked.started_ns]
        return [self.asked.number, self.timer.events, newest, *held]
