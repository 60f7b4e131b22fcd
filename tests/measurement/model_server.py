"""An OpenAI endpoint whose every delay is chosen by the test: real sockets, scripted model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Script:
    """How one request is answered."""

    first_s: float = 0.01
    gap_s: float = 0.002
    status: int = 200
    break_after: int | None = None
    """Close the connection after this many tokens."""
    stall_after: int | None = None
    usage: bool = True
    timings: bool = False


@dataclass
class ModelServer:
    """Counts what it did, as a runtime's own metrics would."""

    script: Callable[[int], Script] = lambda number: Script()
    asked: list[dict[str, Any]] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    tokens: int = 0
    port: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            if head.startswith(b"GET"):
                body = f"llamacpp:tokens_predicted_total {self.tokens}\n".encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                return
            length = next(int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:"))
            await self._complete(json.loads(await reader.readexactly(length)), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _complete(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        script = self.script(len(self.asked))
        self.asked.append(request)
        if script.status != 200:
            writer.write(b"HTTP/1.1 %d No\r\nContent-Length: 2\r\n\r\n{}" % script.status)
            return
        count = request.get("max_tokens", 4)
        words = len(request["messages"][0]["content"].split())
        usage = {"prompt_tokens": 10 + words, "completion_tokens": count}
        await asyncio.sleep(script.first_s)
        if not request.get("stream"):
            self.tokens += count
            body = json.dumps({"choices": [{"message": {"content": "x"}}], "usage": usage}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
            writer.write(body)
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        self._event(writer, {"choices": [{"delta": {"role": "assistant", "content": None}}]})
        for at in range(count):
            if at:
                await asyncio.sleep(script.gap_s)
            if script.break_after == at:
                writer.transport.abort()
                return
            if script.stall_after == at:
                await asyncio.sleep(3600)
            self._event(writer, {"choices": [{"delta": {"content": f"w{at} "}}]})
            await writer.drain()
        self.tokens += count
        if script.usage and request.get("stream_options", {}).get("include_usage"):
            self._event(writer, {"choices": [], "usage": usage})
        elif script.timings:
            self._event(writer, {"choices": [], "timings": {"prompt_n": 5, "cache_n": 7, "predicted_n": count}})
        self._chunk(writer, b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    def _event(self, writer: asyncio.StreamWriter, event: dict[str, Any]) -> None:
        self._chunk(writer, b"data: " + json.dumps(event).encode() + b"\n\n")

    @staticmethod
    def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(b"%x\r\n%s\r\n" % (len(data), data))


@asynccontextmanager
async def model_server(script: Callable[[int], Script] | Script | None = None) -> AsyncIterator[ModelServer]:
    """A server on a free port for as long as the block lasts."""
    chosen = script if callable(script) else (lambda number: script or Script())
    model = ModelServer(chosen)
    server = await asyncio.start_server(model.answer, "127.0.0.1", 0)
    model.port = server.sockets[0].getsockname()[1]
    try:
        yield model
    finally:
        server.close()
