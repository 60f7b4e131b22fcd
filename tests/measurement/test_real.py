"""The same on the real model: SmolLM2 on one core, behind the real tap as a process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.catalog.cache import cached_path
from tenure.catalog.manifests import artifact_of, models
from tenure.measurement import (
    LLAMA_CPP,
    Declared,
    Endpoint,
    Prompt,
    ScrapeError,
    TrialPlan,
    ask,
    gather,
    mac_of,
    read_facts,
    read_journal,
    run_trial,
)
from tenure.measurement.scrape import scrape
from tenure.promises import (
    Assurance,
    Bound,
    LatencyObjective,
    Load,
    Metric,
    Outcome,
    Promise,
    View,
    WindowVerdict,
    bound_by_windows,
    judge,
    readings,
)
from tests.measurement.taps import MAC_KEY, USER, until

pytestmark = pytest.mark.real
LOAD = Load(1_000_000, 50, 24)
BUSY_SECONDS = 60
"""On a machine that is busy with other things."""
TTFT = LatencyObjective(Metric.TIME_TO_FIRST_TOKEN, 95, 1_000_000_000)


def model_file() -> Path:
    named = os.environ.get("TENURE_TEST_MODEL")
    if named:
        return Path(named)
    for model in models():
        if (path := cached_path(artifact_of(model))) is not None:
            return path
    pytest.skip("no model is here: run `tenure model fetch smollm2-135m-instruct`, or set TENURE_TEST_MODEL to a GGUF")


class Served:
    """A model server pinned to the last CPU, and a tap in front of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.tap_port = folder, 18521, 0
        cpu = max(os.sched_getaffinity(0))
        command = [sys.executable, "-m", "tenure.runtimes.llamacpp", "--model", str(model_file()), "--alias", "m"]
        command += ["--port", str(self.port), "--threads", "1", "--slots", "2", "--context", "512"]
        with (folder / "server.log").open("wb") as log:
            self.server = subprocess.Popen(command, stdout=log, stderr=log)
        os.sched_setaffinity(self.server.pid, {cpu})
        self.cpu = cpu
        config = {
            "listen": {"host": "127.0.0.1", "port": 0},
            "upstream": {"host": "127.0.0.1", "port": self.port},
            "journal": {"folder": str(folder / "journal")},
            "macKey": MAC_KEY,
            "keys": [{"role": "user", "mac": mac_of(MAC_KEY, USER)}],
            "announceFile": str(folder / "tap.json"),
        }
        (folder / "config.json").write_text(json.dumps(config))
        self.tap = subprocess.Popen([sys.executable, "-m", "tenure.measurement.tap", str(folder / "config.json")])
        try:
            asyncio.run(self.ready())
        except BaseException:
            self.stop()
            raise
        self.endpoint = Endpoint(f"http://127.0.0.1:{self.tap_port}/v1", "m", USER)

    async def ready(self) -> None:
        async with asyncio.timeout(BUSY_SECONDS):
            while not (self.folder / "tap.json").exists():
                await asyncio.sleep(0.05)
            while True:
                try:
                    await scrape(f"http://127.0.0.1:{self.port}/metrics", LLAMA_CPP)
                    break
                except ScrapeError:
                    await asyncio.sleep(0.1)
        self.tap_port = json.loads((self.folder / "tap.json").read_text())["port"]

    def stop(self) -> None:
        for process in (self.tap, self.server):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    running = Served(tmp_path_factory.mktemp("served"))
    yield running
    running.stop()


async def test_half_a_minute_bounds_one_core_and_the_tap_saw_the_same(served: Served) -> None:
    """Windows of 3 s, eight of them carry a share of 0.8 at a confidence of 0.8."""
    trial = await run_trial(served.endpoint, TrialPlan(LOAD, 3000, 9))
    bound = bound_by_windows(trial.percentiles(TTFT), 0.8, 0.8)
    assert isinstance(bound, Bound)
    assert 10e6 < bound.value < 20e9
    samples = trial.all_samples
    assert {s.output_tokens for s in samples} == {24}
    assert all(s.prompt_tokens is not None and 49 <= s.prompt_tokens <= 56 for s in samples)
    reading = read_journal(served.folder / "journal")
    assert reading.damages == []
    inside = {s.arrival_ns: s for s in reading.samples["user"]}
    apart = []
    for sample in samples:
        nearest = min(inside, key=lambda at: abs(at - sample.arrival_ns))
        apart.append(abs((sample.first_token_after_ns or 0) - (inside[nearest].first_token_after_ns or 0)))
    # A busy machine may keep the client waiting that the tap had answered; not in more than a tenth of them.
    assert sorted(apart)[len(apart) * 9 // 10] < 250_000_000, apart
    counters = await scrape(f"http://127.0.0.1:{served.port}/metrics", LLAMA_CPP)
    seen = sum(s.output_tokens or 0 for s in reading.samples["user"] if s.outcome is Outcome.COMPLETED)
    assert counters.output_tokens == pytest.approx(seen, rel=0.05)


async def test_a_window_of_service_is_judged_from_the_journal(served: Served) -> None:
    trial = await run_trial(served.endpoint, TrialPlan(LOAD, 2000, 2))
    promise = Promise(LatencyObjective(Metric.TIME_TO_FIRST_TOKEN, 95, 20 * 10**9), LOAD, Assurance(2000, 0.8, 0.8))
    window = trial.windows[-1]

    def judged() -> WindowVerdict:
        reading = read_journal(served.folder / "journal")
        now_ms = time.time_ns() // 1_000_000
        return judge(promise, window, gather(window, now_ms, reading, declared=Declared(frozenset({View.TAP}))))

    await until(lambda: judged().settled, BUSY_SECONDS)
    verdict = judged()
    assert str(verdict.verdict) in ("Kept", "Unverifiable")  # Unverifiable where nobody asked in these two seconds.


async def test_a_stopped_server_shows_in_the_open_gap(served: Served) -> None:
    due = {"due_wall_ns": time.time_ns(), "due_monotonic_ns": time.monotonic_ns()}
    prompt = Prompt("tell me a story about rivers", 400)
    asking = asyncio.create_task(ask(served.endpoint, prompt, timeout_s=240, **due))

    def begun() -> bool:
        return any(
            s.outcome is Outcome.UNFINISHED and s.first_token_after_ns is not None
            for s in read_journal(served.folder / "journal").samples["user"]
        )

    await until(begun, BUSY_SECONDS)
    served.server.send_signal(signal.SIGSTOP)
    await asyncio.sleep(3.2)
    reading = read_journal(served.folder / "journal")
    served.server.send_signal(signal.SIGCONT)
    open_now = [s for s in reading.samples["user"] if s.outcome is Outcome.UNFINISHED]
    assert len(open_now) == 1
    values = readings(open_now, Metric.INTER_TOKEN_LATENCY, 399)
    assert max(value.low for value in values) > 1_000_000_000
    assert (await asking).outcome is Outcome.COMPLETED


def test_the_kernel_confirms_the_pinning(served: Served) -> None:
    facts = read_facts(served.server.pid, time.monotonic_ns())
    assert facts is not None
    assert len(facts.threads) > 1
    assert facts.resident_bytes > 50 << 20
