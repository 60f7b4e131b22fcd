"""The real part: the real model behind the real tap and prober; faults are real processes, signals and edited files.

The truth is what the load generator saw from outside. Windows are 3 s; the bound comes from a quiet trial through the
same tap. The model has one core to itself (the last), everything else shares the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import tempfile
import time
from pathlib import Path

from benchmarks.honesty.broken_tap import DRIFT
from benchmarks.honesty.episodes import Said
from benchmarks.honesty.real_faults import FAULTS
from benchmarks.honesty.real_stage import ANSWER_S_MAX, LOAD, PROBES_PER_S, VIEWS, WINDOW_MS, Stage
from benchmarks.honesty.real_truth import rows_of
from benchmarks.honesty.row import Row
from tenure.measurement import (
    LLAMA_CPP,
    Declared,
    Scrape,
    ScrapeError,
    TrialPlan,
    calibrate,
    gather,
    read_journal,
    run_trial,
)
from tenure.measurement.scrape import scrape
from tenure.promises import (
    Assurance,
    Bound,
    LatencyObjective,
    Metric,
    Promise,
    Window,
    WindowVerdict,
    bound_by_windows,
    judge,
)

LOOKS_MAX = 15
"""So often a window that is not settled is looked at again, a second later or more."""


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
                gained_ns = 0 if (since := stage.drifting_since_ns) is None else (found.at_ns - since) // DRIFT
                stage.scrapes.append(Scrape(found.at_ns + gained_ns, tokens, seconds, None, None))
        await asyncio.sleep(0.5)


async def judge_windows(stage: Stage, promises: list[Promise], until_ms: list[int]) -> dict[tuple[str, int], Said]:
    """Judge each window after its end, again until it is settled, as the controllers do."""
    found: dict[tuple[str, int], Said] = {}
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
            looked_ms = time.time_ns() // 1_000_000
            found[promise.name, window.start_ms] = Said(verdict, looked_ms if verdict.settled else None)
            if not verdict.settled and looks <= LOOKS_MAX:
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
        run_trial(stage.endpoint(), TrialPlan(LOAD, WINDOW_MS, count, seed=2, timeout_s=ANSWER_S_MAX), maker=maker)
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


def run(model: Path, minutes: float) -> list[Row]:
    """Run it and return one row a kind."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), model)
        try:
            return asyncio.run(conduct(stage, minutes))
        finally:
            stage.stop()
