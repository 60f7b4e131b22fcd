"""The real part: the real model behind the real tap and prober; faults are real processes, signals and edited files.

The truth is what the load generator saw from outside. Windows are 3 s; the bound comes from a quiet trial through the
same tap. The model has one core to itself (the last), everything else shares the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.honesty.episodes import note_episode
from benchmarks.honesty.row import Row
from tenure.measurement import (
    LLAMA_CPP,
    Declared,
    Endpoint,
    Scrape,
    ScrapeError,
    TrialPlan,
    calibrate,
    gather,
    mac_of,
    read_journal,
    run_trial,
    start_neighbours,
)
from tenure.measurement.scrape import scrape
from tenure.promises import (
    Assurance,
    Bound,
    LatencyObjective,
    Load,
    Metric,
    Promise,
    Reason,
    RequestSample,
    Tolerance,
    View,
    Window,
    WindowVerdict,
    bound_by_windows,
    judge,
    poisson_quantile,
    window_percentile,
)

WINDOW_MS = 3000
LOAD = Load(500_000, 50, 12)
PROBES_PER_S = 0.2
VIEWS = frozenset({View.TAP, View.PROBER, View.METRICS})
USER, PROBER, MAC_KEY = "tenure-user", "tenure-prober", "ab" * 32


class Stage:
    """All processes of the experiment, and what is known of it."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.folder, self.model = folder, model
        self.cpu = max(os.sched_getaffinity(0))
        self.spans: list[tuple[str, int, int]] = []
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

    def start_tap(self) -> None:
        """The tap; on its first start it takes a port, later the same again."""
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
        command = [sys.executable, "-m", "tenure.measurement.tap", str(self.folder / "tap-config.json")]
        self.tap = subprocess.Popen(command)

    def start_prober(self) -> None:
        """The prober with its own journal."""
        (self.folder / "prober.key").write_text(PROBER)
        document = {
            "baseUrl": f"http://127.0.0.1:{self.tap_port}/v1",
            "model": "m",
            "keyFile": str(self.folder / "prober.key"),
            "perSecond": PROBES_PER_S,
            "promptTokens": LOAD.prompt_tokens,
            "outputTokens": LOAD.output_tokens,
            "journal": str(self.folder / "prober"),
        }
        (self.folder / "prober.json").write_text(json.dumps(document))
        command = [sys.executable, "-m", "tenure.measurement.prober", str(self.folder / "prober.json")]
        self.prober = subprocess.Popen(command)

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


async def interfere(stage: Stage) -> None:
    """Two busy processes on the model's own core."""
    async with stage.span("interference", 8):
        neighbours = [start_neighbours([stage.cpu], "cpu", 8) for _ in range(2)]
    for neighbour in neighbours:
        neighbour.terminate()
        neighbour.wait()


async def overload(stage: Stage) -> None:
    """Eight times the declared load on top."""
    load = Load(LOAD.arrivals_micro * 8, LOAD.prompt_tokens, LOAD.output_tokens)
    plan = TrialPlan(load, WINDOW_MS, 3, warmup_ms=0, timeout_s=60)
    async with stage.span("load above declared", 0):
        trial = await run_trial(stage.endpoint(), plan)
        stage.flood += trial.all_samples
        await asyncio.sleep(6)


async def stall(stage: Stage) -> None:
    """The model's process is stopped and goes on."""
    assert stage.server is not None
    async with stage.span("stall", 4):
        stage.server.send_signal(signal.SIGSTOP)
    stage.server.send_signal(signal.SIGCONT)


async def kill(stage: Stage) -> None:
    """The model's process dies and another one is started."""
    assert stage.server is not None
    async with stage.span("server killed", 0):
        stage.server.kill()
        stage.server.wait()
        await asyncio.sleep(1)
        stage.start_server()
        await stage.ready()


def metrics(state: str) -> Callable[[Stage], Awaitable[None]]:
    """The metrics page is gone, frozen, replayed or lies, while the model is really disturbed."""

    async def happen(stage: Stage) -> None:
        async with stage.span(f"metrics {state}", 8):
            stage.metrics = state
            neighbour = start_neighbours([stage.cpu], "cpu", 8)
        stage.metrics = "live"
        neighbour.terminate()
        neighbour.wait()

    return happen


async def cut_prober(stage: Stage) -> None:
    """The prober is killed; the model is disturbed meanwhile."""
    assert stage.prober is not None
    async with stage.span("prober killed", 6):
        stage.prober.kill()
        stage.prober.wait()
        neighbour = start_neighbours([stage.cpu], "cpu", 6)
    neighbour.terminate()
    neighbour.wait()
    stage.start_prober()


async def kill_tap(stage: Stage) -> None:
    """The tap dies with all that goes through it, and is started again."""
    assert stage.tap is not None
    async with stage.span("tap killed", 0):
        stage.tap.kill()
        stage.tap.wait()
        await asyncio.sleep(2)
        stage.start_tap()
        await stage.ready()


async def truncate(stage: Stage) -> None:
    """The last records vanish from the journal while the model is disturbed, and the tap writes on."""
    async with stage.span("journal truncated", 5):
        neighbour = start_neighbours([stage.cpu], "cpu", 5)
        path = max((stage.folder / "tap").glob("journal-*.jsonl"))
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[: -min(9, len(lines) - 1)]))
    neighbour.terminate()
    neighbour.wait()


FAULTS = (interfere, overload, stall, kill, metrics("gone"), metrics("frozen"), metrics("replayed"))
FAULTS += (metrics("lying"), cut_prober, kill_tap, truncate)


async def watch_metrics(stage: Stage) -> None:
    """Scrape each half second; between page and reader stands whatever fault there is."""
    replayed = itertools.count()
    frozen: Scrape | None = None
    while True:
        with contextlib.suppress(ScrapeError):
            found = await scrape(f"http://127.0.0.1:{stage.port}/metrics", LLAMA_CPP)
            tokens, seconds = found.output_tokens or 0.0, found.output_seconds
            frozen = found if frozen is None or stage.metrics != "frozen" else frozen
            if stage.metrics == "frozen":
                tokens, seconds = frozen.output_tokens or 0.0, frozen.output_seconds
            elif stage.metrics == "replayed" and len(stage.scrapes) > 8:
                old = stage.scrapes[-1 - next(replayed) % 8]
                tokens, seconds = old.output_tokens or 0.0, old.output_seconds
            elif stage.metrics == "lying":
                tokens = tokens * 2 + 1000
            if stage.metrics != "gone":
                stage.scrapes.append(Scrape(found.at_ns, tokens, seconds, None, None))
        await asyncio.sleep(0.5)


async def judge_windows(
    stage: Stage, promises: list[Promise], until_ms: list[int]
) -> dict[tuple[str, int], WindowVerdict]:
    """Judge each window after its end, again until it is settled, as the controllers do."""
    found: dict[tuple[str, int], WindowVerdict] = {}
    at_ms = (time.time_ns() // 1_000_000 // WINDOW_MS + 1) * WINDOW_MS
    pending: list[tuple[Promise, Window, int]] = []
    while True:
        now_ms = time.time_ns() // 1_000_000
        while at_ms + WINDOW_MS + 400 <= now_ms:
            pending += [(promise, Window(at_ms, at_ms + WINDOW_MS), 0) for promise in promises]
            at_ms += WINDOW_MS
        again = []
        for promise, window, looks in pending:
            verdict = look(stage, promise, window)
            if verdict.settled or looks > 15:
                found[promise.name, window.start_ms] = verdict
            else:
                again.append((promise, window, looks + 1))
        pending = again
        if until_ms and at_ms > until_ms[0] and not pending:
            return found
        await asyncio.sleep(1)


def look(stage: Stage, promise: Promise, window: Window) -> WindowVerdict:
    """One verdict by the product's own reader and judge."""
    since_ns = (window.start_ms - 5 * WINDOW_MS) * 1_000_000
    tap, prober = (read_journal(stage.folder / name, since_ns=since_ns) for name in ("tap", "prober"))
    declared = Declared(VIEWS, PROBES_PER_S)
    asof_ms = time.time_ns() // 1_000_000
    evidence = gather(window, asof_ms, tap, declared=declared, prober=prober, scrapes=stage.scrapes)
    return judge(promise, window, evidence)


async def conduct(stage: Stage, minutes: float) -> list[Row]:
    """The whole experiment."""
    stage.start_server()
    stage.start_tap()
    await stage.ready()
    stage.start_prober()
    watching = asyncio.create_task(watch_metrics(stage))
    maker = await calibrate(stage.endpoint(), random.Random())
    quiet = await run_trial(stage.endpoint(), TrialPlan(LOAD, WINDOW_MS, 36, seed=1), maker=maker)
    promises = []
    for metric in (Metric.TIME_TO_FIRST_TOKEN, Metric.INTER_TOKEN_LATENCY):
        bound = bound_by_windows(quiet.percentiles(LatencyObjective(metric, 95, 1)), 0.9, 0.9)
        if isinstance(bound, Bound):
            objective = LatencyObjective(metric, 95, int(bound.value))
            promises.append(Promise(objective, LOAD, Assurance(WINDOW_MS, 0.9, 0.9)))
            print(
                f"  promised: {objective.name} <= {bound.value / 1e6:.0f} ms ({bound.count} quiet windows)", flush=True
            )
    until_ms: list[int] = []
    judging = asyncio.create_task(judge_windows(stage, promises, until_ms))
    count = int(minutes * 60_000 / WINDOW_MS)
    load = asyncio.create_task(
        run_trial(stage.endpoint(), TrialPlan(LOAD, WINDOW_MS, count, seed=2, timeout_s=30), maker=maker)
    )
    for fault in itertools.cycle(FAULTS):
        await asyncio.sleep(8)
        if load.done() or time.time_ns() // 1_000_000 > quiet.windows[-1].end_ms + (minutes - 0.4) * 60_000:
            break
        await fault(stage)
    truth = await load
    until_ms.append(truth.windows[-1].end_ms)
    verdicts = await judging
    watching.cancel()
    return rows_of(stage, promises, truth.windows, truth.all_samples, verdicts)


def rows_of(
    stage: Stage,
    promises: list[Promise],
    windows: tuple[Window, ...],
    samples: tuple[RequestSample, ...],
    verdicts: dict[tuple[str, int], WindowVerdict],
) -> list[Row]:
    """The verdicts against what the generator saw, by the fault that overlapped the window."""
    rows: dict[str, Row] = {}
    spoilt: dict[tuple[str, int], bool] = {}
    everyone = sorted((*samples, *stage.flood), key=lambda s: s.arrival_ns)
    for window in windows:
        start_ns, end_ns = window.start_ms * 1_000_000, window.end_ms * 1_000_000
        kinds = [kind for kind, began, ended in stage.spans if began < end_ns and ended > start_ns]
        seen = [s for s in everyone if window.holds(s.arrival_ns)]
        for promise in promises:
            verdict = verdicts.get((promise.name, window.start_ms))
            if verdict is not None:
                row = rows.setdefault(kinds[0] if kinds else "none", Row(kinds[0] if kinds else "none"))
                spoilt[promise.name, window.start_ms] = count(row, promise, seen, verdict)
    for promise in promises:
        said = {start: verdict for (name, start), verdict in verdicts.items() if name == promise.name}
        for kind, began, ended in stage.spans:
            starts = [s for s in sorted(said) if s * 1_000_000 < ended and (s + WINDOW_MS) * 1_000_000 > began]
            is_bad = partial(_is_spoilt, spoilt, promise.name)
            note_episode(rows.setdefault(kind, Row(kind)), starts, said, is_bad, promise.assurance)
    return list(rows.values())


def _is_spoilt(spoilt: dict[tuple[str, int], bool], promise: str, start_ms: int) -> bool:
    return spoilt.get((promise, start_ms), False)


def count(row: Row, promise: Promise, seen: list[RequestSample], verdict: WindowVerdict) -> bool:
    """Add one verdict to its row; returns whether users really missed the promise.

    Between user and tap lie at most the tolerances that the verdict states.
    """
    objective = promise.objective
    assert isinstance(objective, LatencyObjective)
    # Up to when the generator had sent a request, its own lateness is nobody's latency.
    sent = [s if s.first_token_after_ns is None else _from_sending(s, s.first_token_after_ns) for s in seen]
    value = window_percentile(sent, objective, LOAD.output_tokens - 1)
    owed = len(seen) <= poisson_quantile(LOAD.arrivals_per_window(WINDOW_MS), 0.999)
    error = Tolerance().probe_ns + Tolerance().probe_share * objective.bound_ns
    bad = owed and value is not None and value > objective.bound_ns + error
    fine = value is not None and value < objective.bound_ns - error
    detail = [(s.outcome, s.first_token_after_ns, s.sent_after_ns, max(s.gaps_ns, default=0)) for s in seen]
    row.add(verdict, bad=bad, fine=fine and verdict.reason is not Reason.REQUESTS_FAILED, truth=(value, detail))
    return bad


def _from_sending(sample: RequestSample, first_ns: int) -> RequestSample:
    return replace(sample, first_token_after_ns=first_ns - sample.sent_after_ns)


def run(model: Path, minutes: float) -> list[Row]:
    """Run it and return one row a kind."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), model)
        try:
            return asyncio.run(conduct(stage, minutes))
        finally:
            stage.stop()
