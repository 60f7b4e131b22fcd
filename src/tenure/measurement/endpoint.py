"""One request to an OpenAI endpoint and the timing of its answer.

Bytes are stamped in the event loop's own callback, less the time for which they had waited there.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from tenure.measurement.http1 import Body, Head, HttpError, split_head, status_of
from tenure.measurement.stream import AnswerTimer
from tenure.measurement.waiting import waited_in_kernel_ns
from tenure.promises import Outcome, RequestSample, outcome_of_status


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is served: `base_url` as OpenAI clients take it, for instance http://127.0.0.1:8080/v1."""

    base_url: str
    model: str
    api_key: str | None = None

    @property
    def address(self) -> tuple[str, int, bool]:
        """Host, port and whether TLS is spoken. Raises ValueError for anything but http and https."""
        url = urlsplit(self.base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(f"{self.base_url!r} is no http or https address")
        secure = url.scheme == "https"
        return url.hostname, url.port or (443 if secure else 80), secure

    def path(self, operation: str) -> str:
        """Path of an operation such as `chat/completions`; a base without /v1 gets it."""
        root = urlsplit(self.base_url).path.rstrip("/")
        return f"{root or '/v1'}/{operation}"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to ask: the text, and how many tokens the answer is to have."""

    text: str
    output_tokens: int
    request_id: str = ""


class _Exchange(asyncio.Protocol):
    """One request on its own connection. Resolves `finished` with the reason of a failure, or None."""

    def __init__(self, message: bytes, finished: asyncio.Future[str | None]) -> None:
        self._message = message
        self._finished = finished
        self._buffer = bytearray()
        self._body: Body | None = None
        self.head: Head | None = None
        self.status = 0
        self.timer = AnswerTimer(streaming=True)
        self.transport: asyncio.Transport | None = None
        self.sent_ns: int | None = None
        self.ended_ns: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.sent_ns = time.monotonic_ns()
        transport.write(self._message)

    def data_received(self, data: bytes) -> None:
        now_ns = time.monotonic_ns() - waited_in_kernel_ns(self.transport)
        try:
            if self._body is None:
                self._buffer += data
                self.head = split_head(self._buffer)
                if self.head is None:
                    return
                self.status = status_of(self.head)
                self._body = Body.of_response(self.head, b"POST")
                kind = self.head.get(b"content-type") or b""
                self.timer.streaming = kind.startswith(b"text/event-stream")
                data = bytes(self._buffer)
            payload, _ = self._body.feed(data)
        except HttpError as error:
            self._end(str(error))
            return
        self.timer.feed(payload, now_ns)
        if self._body.done:
            self.timer.finish()
            self.ended_ns = now_ns
            self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        complete = self._body is not None and self._body.end_of_stream()
        self._end(None if complete else str(exc or "the server closed the connection before the answer was complete"))

    def _end(self, reason: str | None) -> None:
        if not self._finished.done():
            self._finished.set_result(reason)
        if self.transport is not None:
            self.transport.close()


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """The system's trust, read once: reading it takes longer than many a first token."""
    return ssl.create_default_context()


def _message(endpoint: Endpoint, prompt: Prompt) -> bytes:
    host, port, _ = endpoint.address
    body: dict[str, Any] = {
        "model": endpoint.model,
        "messages": [{"role": "user", "content": prompt.text}],
        "max_tokens": prompt.output_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        # llama.cpp and vLLM: answer at full length, so that a trial's load is the load that was declared.
        "ignore_eos": True,
    }
    payload = json.dumps(body).encode()
    lines = [
        f"POST {endpoint.path('chat/completions')} HTTP/1.1",
        f"Host: {host}:{port}",
        "Content-Type: application/json",
        f"Content-Length: {len(payload)}",
        "Accept: text/event-stream",
        "Connection: close",
    ]
    if endpoint.api_key is not None:
        lines.append(f"Authorization: Bearer {endpoint.api_key}")
    if prompt.request_id:
        lines.append(f"X-Request-Id: {prompt.request_id}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + payload


async def ask(
    endpoint: Endpoint, prompt: Prompt, *, timeout_s: float, due_wall_ns: int, due_monotonic_ns: int
) -> RequestSample:
    """Send one request and return its sample. Never raises for what the server does; that is in the outcome.

    All durations count from the instant at which the request was *due*, not from when it was sent, so that a generator
    or server that falls behind cannot hide waiting time (coordinated omission).
    """
    host, port, secure = endpoint.address
    loop = asyncio.get_running_loop()
    finished: asyncio.Future[str | None] = loop.create_future()
    exchange = _Exchange(_message(endpoint, prompt), finished)
    outcome = Outcome.FAILED
    try:
        async with asyncio.timeout(timeout_s):
            await loop.create_connection(lambda: exchange, host, port, ssl=_trust() if secure else None)
            reason = await finished
        if reason is None and exchange.status:
            outcome = outcome_of_status(exchange.status)
    except TimeoutError:
        outcome = Outcome.UNFINISHED
    except OSError:
        outcome = Outcome.FAILED
    finally:
        if exchange.transport is not None:
            exchange.transport.abort()
    timer = exchange.timer
    if outcome is Outcome.COMPLETED and timer.streaming and timer.first_ns is None:
        outcome = Outcome.FAILED  # An answer without a token is no answer.
    if outcome is Outcome.COMPLETED and timer.broken:
        outcome = Outcome.FAILED
    return RequestSample(
        arrival_ns=due_wall_ns,
        first_token_after_ns=None if timer.first_ns is None else timer.first_ns - due_monotonic_ns,
        gaps_ns=tuple(timer.gaps_ns),
        end_after_ns=(exchange.ended_ns or time.monotonic_ns()) - due_monotonic_ns,
        prompt_tokens=timer.prompt_tokens,
        output_tokens=timer.output_tokens,
        status=exchange.status,
        outcome=outcome,
        request_id=prompt.request_id,
        sent_after_ns=0 if exchange.sent_ns is None else max(0, exchange.sent_ns - due_monotonic_ns),
        end_by_kernel=exchange.ended_ns is not None,
    )
