"""What the tap costs: time added to the first token and to each gap, CPU per 1,000 tokens, resident memory.

Three ways to the same scripted model server, taken in turn within one run: directly (the limit), through the tap (which
also admits, times and journals), and through a pass-through of starlette, uvicorn and httpx2 that measures nothing (the
peer). Prints a table, and JSON with --json.

    python benchmarks/tap.py [--requests 200] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tenure.measurement import Endpoint, Prompt, ask, mac_of
from tenure.measurement.kernel import read_facts
from tenure.promises import RequestSample, percentile_of

HERE = Path(__file__).parent
KEY, MAC_KEY = "tenure-bench", "ab" * 32
STREAM_TOKENS = 250


@dataclass
class Way:
    """One way to the model, and what it cost."""

    name: str
    first_token_ms_p50: float = 0.0
    first_token_ms_p95: float = 0.0
    added_first_token_ms_p50: float = 0.0
    gap_ms_p50: float = 0.0
    gap_ms_p99: float = 0.0
    cpu_ms_per_1000_tokens: float | None = None
    resident_mib_idle: float | None = None
    resident_mib_after: float | None = None


@contextlib.contextmanager
def process(folder: Path, name: str, *command: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a server and yield it with the port it announces."""
    port_file = folder / f"{name}.json"
    running = subprocess.Popen([sys.executable, *(part.replace("PORT_FILE", str(port_file)) for part in command)])
    try:
        deadline = time.monotonic() + 20
        while not port_file.exists() or not port_file.read_text():
            if time.monotonic() > deadline or running.poll() is not None:
                raise RuntimeError(f"{name} did not start")
            time.sleep(0.02)
        yield running, json.loads(port_file.read_text())["port"]
    finally:
        running.terminate()
        running.wait(10)


def tap_config(folder: Path, upstream_port: int) -> Path:
    """Configuration of a tap for the benchmark."""
    document = {
        "listen": {"host": "127.0.0.1", "port": 0},
        "upstream": {"host": "127.0.0.1", "port": upstream_port},
        "journal": {"folder": str(folder / "journal")},
        "macKey": MAC_KEY,
        "keys": [{"role": "user", "mac": mac_of(MAC_KEY, KEY)}],
        "announceFile": str(folder / "tap.json"),
    }
    path = folder / "config.json"
    path.write_text(json.dumps(document))
    return path


async def one(port: int, tokens: int) -> RequestSample:
    """One streamed request."""
    endpoint = Endpoint(f"http://127.0.0.1:{port}/v1", "scripted", KEY)
    return await ask(
        endpoint,
        Prompt("hello", tokens),
        timeout_s=30,
        due_wall_ns=time.time_ns(),
        due_monotonic_ns=time.monotonic_ns(),
    )


async def first_tokens(ports: dict[str, int], requests: int) -> dict[str, list[int]]:
    """Times to the first token in ns, the ways taken in turn so that the machine's moods hit all alike."""
    found: dict[str, list[int]] = {name: [] for name in ports}
    for at in range(requests + 5):
        for name, port in ports.items():
            sample = await one(port, 1)
            if sample.first_token_after_ns is None:
                raise RuntimeError(f"{name} gave no token (status {sample.status})")
            if at >= 5:
                found[name].append(sample.first_token_after_ns)
            await asyncio.sleep(0.002)
    return found


async def streams(port: int, rounds: int) -> list[int]:
    """Gaps in ns of four answers at a time."""
    gaps: list[int] = []
    for _ in range(rounds):
        for sample in await asyncio.gather(*(one(port, STREAM_TOKENS) for _ in range(4))):
            gaps += sample.gaps_ns
    return gaps


def cpu_and_memory(pid: int | None) -> tuple[int, float] | None:
    """CPU time in ns (from schedstat where there is one, finer than ticks) and resident MiB."""
    facts = None if pid is None else read_facts(pid, 0)
    if facts is None:
        return None
    try:
        exact = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    except OSError:
        exact = facts.cpu_ns
    return exact, facts.resident_bytes / (1 << 20)


def measure(requests: int, rounds: int) -> list[Way]:
    """The whole benchmark."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        upstream = (str(HERE / "tap_upstream.py"), "PORT_FILE")
        _, origin = stack.enter_context(process(folder, "upstream", *upstream, "6"))
        config = str(tap_config(folder, origin))
        tap, tap_port = stack.enter_context(process(folder, "tap", "-m", "tenure.measurement.tap", config))
        peer_command = (str(HERE / "tap_peer.py"), "PORT_FILE", str(origin))
        peer, peer_port = stack.enter_context(process(folder, "peer", *peer_command))
        time.sleep(1.0)
        ports = {"direct": origin, "tap": tap_port, "starlette": peer_port}
        pids = {"direct": None, "tap": tap.pid, "starlette": peer.pid}
        ways = {way: Way(way) for way in ports}
        idle = {way: cpu_and_memory(pid) for way, pid in pids.items()}
        times = asyncio.run(first_tokens(ports, requests))
        for way, found in ways.items():
            found.first_token_ms_p50 = percentile_of(times[way], 50) / 1e6
            found.first_token_ms_p95 = percentile_of(times[way], 95) / 1e6
            added = [t - d for t, d in zip(times[way], times["direct"], strict=True)]
            found.added_first_token_ms_p50 = percentile_of(added, 50) / 1e6
            before = cpu_and_memory(pids[way])
            gaps = asyncio.run(streams(ports[way], rounds))
            after = cpu_and_memory(pids[way])
            found.gap_ms_p50, found.gap_ms_p99 = percentile_of(gaps, 50) / 1e6, percentile_of(gaps, 99) / 1e6
            if before and after and (first := idle[way]) is not None:
                tokens = rounds * 4 * STREAM_TOKENS
                found.cpu_ms_per_1000_tokens = (after[0] - before[0]) / 1e6 / tokens * 1000
                found.resident_mib_idle, found.resident_mib_after = first[1], after[1]
        return list(ways.values())


def table(ways: list[Way]) -> str:
    """Aligned text."""

    def cell(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f}"

    rows = [
        ("", *(way.name for way in ways)),
        ("first token p50 (ms)", *(cell(w.first_token_ms_p50) for w in ways)),
        ("first token p95 (ms)", *(cell(w.first_token_ms_p95) for w in ways)),
        ("added to it, p50 (ms)", *(cell(w.added_first_token_ms_p50) for w in ways)),
        ("gap p50 (ms), 6 ms sent", *(cell(w.gap_ms_p50) for w in ways)),
        ("gap p99 (ms)", *(cell(w.gap_ms_p99) for w in ways)),
        ("CPU per 1,000 tokens (ms)", *(cell(w.cpu_ms_per_1000_tokens) for w in ways)),
        ("resident, idle (MiB)", *(cell(w.resident_mib_idle) for w in ways)),
        ("resident, after (MiB)", *(cell(w.resident_mib_after) for w in ways)),
    ]
    return "\n".join(f"{row[0]:<28}" + "".join(f"{value:>12}" for value in row[1:]) for row in rows)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of four streams of 250 tokens")
    parser.add_argument("--json", type=Path)
    wanted = parser.parse_args()
    ways = measure(wanted.requests, wanted.rounds)
    print(table(ways))
    if wanted.json:
        load = os.getloadavg()[0]
        wanted.json.write_text(json.dumps({"benchmark": "tap", "loadAverage": load, "ways": [asdict(w) for w in ways]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
