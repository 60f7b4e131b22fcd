"""A trial measures what a stranger would see: from when a request was due, under the load that was declared."""

from __future__ import annotations

import asyncio
import itertools
import random
import time

import pytest

from tenure.measurement import Endpoint, NoTokenCountError, Progress, PromptMaker, TrialPlan, calibrate, run_trial
from tenure.promises import LatencyObjective, Load, Metric, Outcome
from tests.measurement.model_server import Script, model_server

MAKER = PromptMaker(overhead=10, per_word=1)
TTFT = LatencyObjective(Metric.TIME_TO_FIRST_TOKEN, 95, 10**9)


def endpoint(port: int) -> Endpoint:
    return Endpoint(f"http://127.0.0.1:{port}/v1", "m")


def plan(**changes: object) -> TrialPlan:
    given = {"load": Load(40_000_000, 30, 4), "window_ms": 200, "windows": 3, "warmup_ms": 50, "timeout_s": 5.0}
    return TrialPlan(**(given | changes))  # type: ignore[arg-type]


async def test_windows_are_aligned_and_hold_their_own_requests() -> None:
    async with model_server() as model:
        trial = await run_trial(endpoint(model.port), plan(), maker=MAKER)
    assert trial.start_ms % 200 == 0
    assert [w.start_ms for w in trial.windows] == [trial.start_ms + 200 * k for k in range(3)]
    assert all(w.holds(s.arrival_ns) for w, samples in zip(trial.windows, trial.samples, strict=True) for s in samples)
    assert len(trial.all_samples) > 10
    assert all(s.outcome is Outcome.COMPLETED and s.output_tokens == 4 for s in trial.all_samples)
    assert all(s.first_token_after_ns and s.first_token_after_ns >= 10_000_000 for s in trial.all_samples)
    assert len(trial.percentiles(TTFT)) == 3
    rates = trial.rates_micro(Metric.OUTPUT_TOKENS_PER_SECOND)
    tokens = sum(len(s.gaps_ns) + 1 for s in trial.all_samples)
    assert 0.7 * tokens <= sum(rates) / 1e6 * 0.2 <= tokens


async def test_arrivals_repeat_with_the_seed_and_prompts_never_do() -> None:
    async with model_server() as model:
        one, two = [await run_trial(endpoint(model.port), plan(seed=3, windows=2), maker=MAKER) for _ in range(2)]
        prompts = [request["messages"][0]["content"] for request in model.asked]
    assert len(set(prompts)) == len(prompts)
    between = [[b.arrival_ns - a.arrival_ns for a, b in itertools.pairwise(t.all_samples)] for t in (one, two)]
    shared = set(between[0]) & set(between[1])
    assert len(shared) >= 5


async def test_prompts_are_never_shorter_than_declared() -> None:
    async with model_server() as model:
        maker = await calibrate(endpoint(model.port), random.Random(1))
        trial = await run_trial(endpoint(model.port), plan(windows=1), maker=maker)
    assert all(s.prompt_tokens is not None and 30 <= s.prompt_tokens <= 32 for s in trial.all_samples)


async def test_an_endpoint_that_refuses_is_told_by_its_status() -> None:
    async with model_server(lambda _: Script(status=503)) as model:
        with pytest.raises(ConnectionError, match=r"^the endpoint answered a first request with status 503$"):
            await calibrate(endpoint(model.port), random.Random(1))


async def test_waiting_time_is_not_hidden_by_a_server_that_blocks() -> None:
    """One slow answer in a closed loop would hide all that arrived meanwhile; here each counts from when it was due."""
    async with model_server(lambda number: Script(first_s=0.3 if number == 0 else 0.001)) as model:
        trial = await run_trial(endpoint(model.port), plan(warmup_ms=1, windows=2), maker=MAKER)
    assert trial.late_ns_max < 100_000_000
    assert len(trial.all_samples) > 8


async def test_failures_are_part_of_the_result() -> None:
    async with model_server(lambda number: Script(status=503) if number % 2 else Script(break_after=2)) as model:
        trial = await run_trial(endpoint(model.port), plan(windows=1), maker=MAKER)
    assert {s.outcome for s in trial.all_samples} == {Outcome.FAILED}
    assert trial.percentiles(TTFT)[0] == float("inf")


async def test_a_stalled_answer_is_unfinished_and_known_as_far_as_it_came() -> None:
    async with model_server(Script(stall_after=2)) as model:
        trial = await run_trial(endpoint(model.port), plan(windows=1, timeout_s=0.3), maker=MAKER)
    sample = trial.all_samples[0]
    assert sample.outcome is Outcome.UNFINISHED
    assert len(sample.gaps_ns) == 1
    assert sample.end_after_ns is not None
    assert sample.end_after_ns >= 250_000_000


async def test_progress_is_told_and_a_cancelled_trial_leaves_nothing_behind() -> None:
    told: list[Progress] = []
    async with model_server(Script(first_s=5)) as model:
        task = asyncio.create_task(run_trial(endpoint(model.port), plan(windows=50), maker=MAKER, progress=told.append))
        while len(told) < 3:
            await asyncio.sleep(0.01)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - started < 1
        others = [t for t in asyncio.all_tasks() if "_Run._one" in repr(t)]
    assert others == []
    assert told[-1].sent > 0
    assert told[-1].elapsed_ms <= told[-1].total_ms


async def test_no_server_is_said_at_once() -> None:
    async with model_server() as model:
        port = model.port
    with pytest.raises(ConnectionError, match="does not answer"):
        await run_trial(endpoint(port), plan())


async def test_a_server_that_does_not_count_tokens_cannot_be_tried() -> None:
    async with model_server(Script(usage=False)) as model:
        with pytest.raises(NoTokenCountError):
            await run_trial(endpoint(model.port), plan())


async def test_llama_cpps_own_timings_count_cached_tokens_too() -> None:
    async with model_server(Script(usage=False, timings=True)) as model:
        trial = await run_trial(endpoint(model.port), plan(windows=1), maker=MAKER)
    assert {s.prompt_tokens for s in trial.all_samples} == {12}


@pytest.mark.parametrize("base", ["ftp://x/v1", "nonsense", "http:///v1"])
def test_addresses_that_are_none(base: str) -> None:
    with pytest.raises(ValueError, match="address"):
        _ = Endpoint(base, "m").address


def test_a_base_without_a_path_means_v1() -> None:
    assert Endpoint("http://h:1", "m").path("chat/completions") == "/v1/chat/completions"
    assert Endpoint("http://h:1/api/v1/", "m").path("chat/completions") == "/api/v1/chat/completions"
