"""The faults of the real part: real processes, signals and edited files."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable

from benchmarks.honesty.real_stage import LOAD, WINDOW_MS, Stage
from tenure.measurement import TrialPlan, run_trial, start_neighbours
from tenure.promises import Load

NOBODYS_PORT = 9
"""Discard: nobody listens there."""


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


async def kill_prober(stage: Stage) -> None:
    """The prober is killed; the model is disturbed meanwhile."""
    async with stage.span("prober killed", 6):
        stage.stop_prober()
        neighbour = start_neighbours([stage.cpu], "cpu", 6)
    neighbour.terminate()
    neighbour.wait()
    stage.start_prober()


async def cut_prober(stage: Stage) -> None:
    """The prober lives, and nobody listens where it asks; the model is disturbed meanwhile."""
    async with stage.span("prober cut off", 8):
        stage.stop_prober()
        stage.start_prober(NOBODYS_PORT)
        neighbour = start_neighbours([stage.cpu], "cpu", 8)
    neighbour.terminate()
    neighbour.wait()
    stage.stop_prober()
    stage.start_prober()


def bend_tap(how: str, called: str) -> Callable[[Stage], Awaitable[None]]:
    """The tap is replaced by one that lies or whose clock runs away, and set right again; the model is disturbed."""

    async def happen(stage: Stage) -> None:
        async with stage.span(called, 0):
            await stage.restart_tap(how)
            began_ns = time.time_ns()
            neighbour = start_neighbours([stage.cpu], "cpu", 12)
            await asyncio.sleep(12)
            if how.startswith("lying"):
                stage.lies_ns.append((began_ns, time.time_ns()))
            await stage.restart_tap()
        neighbour.terminate()
        neighbour.wait()

    return happen


async def bend_prober(stage: Stage) -> None:
    """The clock by which probes are timed and metrics are read runs away; the model is disturbed meanwhile."""
    async with stage.span("prober clock drifting", 12):
        stage.stop_prober()
        stage.start_prober(drifting=True)
        stage.drifting_since_ns = time.time_ns()
        neighbour = start_neighbours([stage.cpu], "cpu", 12)
    neighbour.terminate()
    neighbour.wait()
    stage.drifting_since_ns = None
    stage.stop_prober()
    stage.start_prober()


async def kill_tap(stage: Stage) -> None:
    """The tap dies with all that goes through it, and is started again."""
    async with stage.span("tap killed", 0):
        stage.kill_tap()
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


FAULTS: tuple[Callable[[Stage], Awaitable[None]], ...] = (
    interfere,
    overload,
    stall,
    kill,
    metrics("gone"),
    metrics("frozen"),
    metrics("replayed"),
    metrics("lying"),
    kill_prober,
    cut_prober,
    kill_tap,
    bend_tap("lying", "tap lying /4"),
    bend_tap("lying-gaps", "tap lying about gaps"),
    bend_tap("drifting", "tap clock drifting"),
    bend_prober,
    truncate,
)
