"""A tap in this process, in front of a scripted model, and the ways to talk to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tenure.measurement import Endpoint, JournalReading, Prompt, TapConfig, ask, mac_of, read_journal
from tenure.measurement.tap import serve
from tenure.promises import RequestSample
from tests.measurement.model_server import ModelServer, Script, model_server

MAC_KEY = "ab" * 32
USER, PROBER = "tenure-user-key", "tenure-prober-key"


@dataclass
class Tapped:
    """A running tap and what stands behind it."""

    config: TapConfig
    model: ModelServer
    port: int
    folder: Path

    def endpoint(self, key: str | None = USER) -> Endpoint:
        return Endpoint(f"http://127.0.0.1:{self.port}/v1", "m", key)

    async def ask(self, tokens: int = 4, key: str | None = USER, request_id: str = "") -> RequestSample:
        import time

        return await ask(
            self.endpoint(key),
            Prompt("a b c", tokens, request_id),
            timeout_s=10,
            due_wall_ns=time.time_ns(),
            due_monotonic_ns=time.monotonic_ns(),
        )

    async def raw(self, text: bytes, *, wait_for: bytes | None = None) -> bytes:
        """Send bytes, return all that comes back until the connection closes or `wait_for` appears."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(text)
        came = b""
        try:
            async with asyncio.timeout(5):
                while data := await reader.read(65536):
                    came += data
                    if wait_for is not None and wait_for in came:
                        break
        finally:
            writer.close()
        return came

    def read(self) -> JournalReading:
        return read_journal(self.folder, mark_ms=self.config.mark_ms)


def config_of(folder: Path, upstream_port: int, **changes: Any) -> TapConfig:
    document = {
        "listen": {"host": "127.0.0.1", "port": 0},
        "upstream": {"host": "127.0.0.1", "port": upstream_port},
        "journal": {"folder": str(folder / "journal")},
        "macKey": MAC_KEY,
        "keys": [{"role": "user", "mac": mac_of(MAC_KEY, USER)}, {"role": "prober", "mac": mac_of(MAC_KEY, PROBER)}],
        "announceFile": str(folder / "tap.json"),
    }
    return replace(TapConfig.from_document(document), **changes)


@asynccontextmanager
async def running_tap(
    folder: Path, script: Callable[[int], Script] | Script | None = None, **changes: Any
) -> AsyncIterator[Tapped]:
    """A tap on a free port in front of a scripted model."""
    async with model_server(script) as model:
        config = config_of(folder, changes.pop("upstream_port", None) or model.port, **changes)
        stop = asyncio.Event()
        (folder / "tap.json").unlink(missing_ok=True)
        task = asyncio.create_task(serve(config, stop))
        while not (folder / "tap.json").exists():
            await asyncio.sleep(0.005)
            if task.done():
                task.result()
        port = json.loads((folder / "tap.json").read_text())["port"]
        try:
            yield Tapped(config, model, port, folder / "journal")
        finally:
            stop.set()
            await task


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for something that is about to happen; fails after five seconds, or after so many."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
