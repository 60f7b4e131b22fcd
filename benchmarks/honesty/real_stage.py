"""All processes of the real part: the model on its own core, tap, prober, and what is known of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tenure.measurement import LLAMA_CPP, Endpoint, Scrape, ScrapeError, mac_of, read_journal
from tenure.measurement.scrape import scrape
from tenure.promises import Load, RequestSample, View

WINDOW_MS = 3000
LOAD = Load(500_000, 50, 12)
PROBES_PER_S = 0.2
ANSWER_S_MAX = 30
"""So long the generator waits for an answer."""
VIEWS = frozenset({View.TAP, View.PROBER, View.METRICS})
USER, PROBER, MAC_KEY = "tenure-user", "tenure-prober", "ab" * 32


class Stage:
    """All processes of the experiment, and what is known of it."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.folder, self.model = folder, model
        self.cpu = max(os.sched_getaffinity(0))
        self.spans: list[tuple[str, int, int]] = []
        self.lies_ns: list[tuple[int, int]] = []
        """From when until when a tap lied."""
        self.kills_ns: list[int] = []
        """When a tap was killed."""
        self.drifting_since_ns: int | None = None
        """Since when the clock runs away by which probes are timed and metrics are read."""
        self.scrapes: list[Scrape] = []
        self.metrics = "live"
        self.flood: list[RequestSample] = []
        self.server: subprocess.Popen[bytes] | None = None
        self.tap: subprocess.Popen[bytes] | None = None
        self.prober: subprocess.Popen[bytes] | None = None
        self.port, self.tap_port = 18437, 0

    def start_server(self) -> None:
        """The model on its own core."""
        command = ["-m", "tenure.runtimes.llamacpp", "--model", str(self.model), "--alias", "m"]
        command += ["--port", str(self.port), "--threads", "1", "--slots", "2", "--context", "512"]
        log = (self.folder / "server.log").open("ab")
        self.server = subprocess.Popen(
            [sys.executable, *command],
            stdout=log,
            stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, {self.cpu}),
        )

    def start_tap(self, bent: str = "") -> None:
        """The tap, or one that is bent (as `broken_tap` says); on its first start it takes a port, later the same."""
        document = {
            "listen": {"host": "127.0.0.1", "port": self.tap_port},
            "upstream": {"host": "127.0.0.1", "port": self.port},
            "journal": {"folder": str(self.folder / "tap")},
            "macKey": MAC_KEY,
            "keys": [{"role": role, "mac": mac_of(MAC_KEY, key)} for role, key in (("user", USER), ("prober", PROBER))],
            "announceFile": str(self.folder / "tap.json"),
        }
        (self.folder / "tap-config.json").write_text(json.dumps(document))
        (self.folder / "tap.json").unlink(missing_ok=True)
        program = ["benchmarks.honesty.broken_tap", bent] if bent else ["tenure.measurement.tap"]
        self.tap = subprocess.Popen([sys.executable, "-m", *program, str(self.folder / "tap-config.json")])

    async def restart_tap(self, bent: str = "") -> None:
        """Kill it, and start it again."""
        self.kill_tap()
        self.start_tap(bent)
        await self.ready()

    def kill_tap(self) -> None:
        """Kill it with all that goes through it."""
        assert self.tap is not None
        self.kills_ns.append(time.time_ns())
        self.tap.kill()
        self.tap.wait()

    def start_prober(self, port: int | None = None, *, drifting: bool = False) -> None:
        """The prober with its own journal; before the tap, or cut off from it by another port, or with a bent clock."""
        (self.folder / "prober.key").write_text(PROBER)
        document = {
            "baseUrl": f"http://127.0.0.1:{port or self.tap_port}/v1",
            "model": "m",
            "keyFile": str(self.folder / "prober.key"),
            "perSecond": PROBES_PER_S,
            "promptTokens": LOAD.prompt_tokens,
            "outputTokens": LOAD.output_tokens,
            "journal": str(self.folder / "prober"),
        }
        (self.folder / "prober.json").write_text(json.dumps(document))
        program = "benchmarks.honesty.broken_prober" if drifting else "tenure.measurement.prober"
        command = [sys.executable, "-m", program, str(self.folder / "prober.json")]
        self.prober = subprocess.Popen(command)

    def stop_prober(self) -> None:
        """Kill it."""
        assert self.prober is not None
        self.prober.kill()
        self.prober.wait()

    async def ready(self) -> None:
        """Wait for tap and model."""
        async with asyncio.timeout(60):
            while not (self.folder / "tap.json").exists():
                await asyncio.sleep(0.05)
            self.tap_port = json.loads((self.folder / "tap.json").read_text())["port"]
            while True:
                with contextlib.suppress(ScrapeError):
                    await scrape(f"http://127.0.0.1:{self.port}/metrics", LLAMA_CPP)
                    return
                await asyncio.sleep(0.1)

    def probes_ns(self) -> list[int]:
        """When probes were sent, by the prober's own journal."""
        found = read_journal(self.folder / "prober")
        return sorted([s.arrival_ns for s in found.of("probe", 0, time.time_ns())] + found.pending_ns)

    def endpoint(self) -> Endpoint:
        """As a user has it."""
        return Endpoint(f"http://127.0.0.1:{self.tap_port}/v1", "m", USER)

    def stop(self) -> None:
        """End all that was started."""
        for process in (self.prober, self.tap, self.server):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()

    @contextlib.asynccontextmanager
    async def span(self, kind: str, seconds: float) -> AsyncIterator[None]:
        """Note when a fault was there."""
        began = time.time_ns()
        yield
        await asyncio.sleep(seconds)
        self.spans.append((kind, began, time.time_ns()))
