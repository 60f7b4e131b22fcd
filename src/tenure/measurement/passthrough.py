"""The side of the tap that is asked: one connection from whoever uses the endpoint.

Bytes are relayed as they come and looked at afterwards, so what the tap adds to a token is a copy. Both sides slow each
other down through the transports' own flow control; what is buffered is bounded by the configuration.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tenure.measurement.answerer import Answerer
from tenure.measurement.asked import Asked, error_response
from tenure.measurement.http1 import Body, HttpError, split_head
from tenure.measurement.waiting import waited_in_kernel_ns

if TYPE_CHECKING:
    from tenure.measurement.tap import Tap

_WRITE_BUFFER_BYTES = 256 * 1024
_STRANGER_BYTES_MAX = 64 * 1024


class Caller(asyncio.Protocol):
    """A connection from whoever uses the endpoint; one request at a time, later ones wait in its buffer."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._buffer = bytearray()
        self._request: Asked | None = None
        self._body: Body | None = None
        self._payload = bytearray()
        self._answerer: Answerer | None = None
        self._first_byte: tuple[int, int] | None = None
        self.transport: asyncio.Transport | None = None
        self.last_active_ns = time.monotonic_ns()
        self._written_bytes = 0
        self._taken: tuple[int, int] | None = None
        """While its buffer is full: bytes that the caller has taken, and when (monotonic) it last took some."""

    def idle_since_ns(self, now_ns: int) -> int:
        """Since when (monotonic) the caller has neither asked nor taken anything of its answer; now while it waits."""
        if self._answerer is None:
            return self.last_active_ns
        if self._taken is None:
            return now_ns
        if (taken := self._taken_bytes()) > self._taken[0]:
            self._taken = taken, now_ns
        return self._taken[1]

    def _taken_bytes(self) -> int:
        return self._written_bytes - (self.transport.get_write_buffer_size() if self.transport is not None else 0)

    @property
    def arriving_ns(self) -> int | None:
        """Arrival (Unix ns) of a request with a key of the contract whose body is not complete yet; None without one.

        It is journalled only once it is complete, but counts from its first byte.
        """
        request = self._request
        if request is None or self._answerer is not None or not request.role or not request.measured:
            return None
        return request.arrival_ns

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=_WRITE_BUFFER_BYTES)
        if not self._tap.admit(self):
            transport.write(error_response(503, "too_many_connections", "Too many connections.", close=True))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (the protocol's signature)
        self._tap.forget(self)
        self._let_go()
        if self._answerer is not None:
            self._answerer.abandon()

    def data_received(self, data: bytes) -> None:
        self.last_active_ns = time.monotonic_ns()
        if self._first_byte is None:
            waited_ns = waited_in_kernel_ns(self.transport)
            self._first_byte = (time.time_ns() - waited_ns, self.last_active_ns - waited_ns)
        self._buffer += data
        self._advance()

    def pause_writing(self) -> None:
        self._taken = self._taken_bytes(), time.monotonic_ns()
        if self._answerer is not None:
            self._answerer.pause()

    def resume_writing(self) -> None:
        self._taken = None
        if self._answerer is not None:
            self._answerer.resume()

    def write(self, data: bytes) -> None:
        """Relay bytes of an answer."""
        if self.transport is not None:
            self._written_bytes += len(data)
            self.transport.write(data)
            self.last_active_ns = time.monotonic_ns()

    def cut(self) -> None:
        """End the connection at once: the caller must see that the answer is incomplete."""
        if self.transport is not None:
            self.transport.abort()

    def answered(self, *, close: bool) -> None:
        """The answer is complete; go on with the next request or close."""
        self._answerer = None
        self._request = None
        if self.transport is None or self.transport.is_closing():
            return
        if close:
            self.transport.close()
            return
        self.transport.resume_reading()
        if self._buffer:
            self._first_byte = (time.time_ns(), time.monotonic_ns())
            self._advance()

    def _advance(self) -> None:
        """Take as much of the buffer as makes sense now."""
        if self._answerer is not None:
            # A second request sent before the answer to the first: it waits, and so does its sender.
            if len(self._buffer) > 65536 and self.transport is not None:
                self.transport.pause_reading()
            return
        try:
            if self._request is None and not self._begin():
                return
            self._take_body()
        except HttpError as error:
            self._refuse(error.status, "malformed_request", f"The request is not accepted: {error}.")

    def _begin(self) -> bool:
        head = split_head(self._buffer)
        if head is None:
            return False
        assert self._first_byte is not None
        self._request = Asked(head, *self._first_byte)
        self._first_byte = None
        self._body = Body.of_request(head)
        self._request.role = self._tap.keys.role_of(head.get(b"authorization")) or ""
        if (head.get(b"expect") or b"").lower() == b"100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _take_body(self) -> None:
        assert self._body is not None
        assert self._request is not None
        payload, rest = self._body.feed(bytes(self._buffer))
        self._buffer[:] = rest
        self._payload += payload
        self._tap.buffered_bytes += len(payload)
        admitted = self._request.role or (self._request.method == b"GET" and self._request.path == b"/health")
        limit = self._tap.config.body_bytes_max if admitted else _STRANGER_BYTES_MAX
        if len(self._payload) > limit or (self._body.remaining or 0) > limit:
            raise HttpError(f"the body is longer than {limit} bytes", 413)
        if self._tap.buffered_bytes > self._tap.config.buffered_bytes_max:
            raise HttpError("too many large requests arrive at once", 503)
        if not self._body.done:
            return
        if not admitted:
            # Answered after the body, on a connection that stays, so that the answer is read and not lost to a reset.
            message = "The API key is missing or does not open this contract."
            self._let_go()
            self.write(error_response(401, "invalid_api_key", message, close=self._request.close_after))
            self.answered(close=self._request.close_after)
        else:
            self._answerer = Answerer(self._tap, self, self._request, bytes(self._payload))
            self._let_go()
            self._answerer.start()

    def _let_go(self) -> None:
        """The body so far is no longer ours to hold."""
        self._tap.buffered_bytes -= len(self._payload)
        self._payload = bytearray()

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._let_go()
        self.write(error_response(status, code, message, close=True))
        if status == 503 and self._request is not None:
            self._tap.turned_away(self._request, status)
            self._request = None
        if self.transport is not None:
            self.transport.close()
