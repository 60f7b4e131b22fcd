"""Measuring a real endpoint under a declared load: open-loop Poisson arrivals, windows aligned to the clock."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from tenure.measurement.endpoint import Endpoint, Prompt, ask
from tenure.measurement.prompts import PromptMaker, calibrate
from tenure.measurement.windows import aligned_start_ms, windows_of
from tenure.promises import LatencyObjective, Load, Metric, RequestSample, Window, window_percentile, window_rate_micro

IN_FLIGHT_PER_SLOT = 2
"""So many open requests for each slot keep a server busy: one is answered while the next one waits."""
_IN_FLIGHT_MAX = 4096
"""A server that never answers must not fill our memory; what finds no place is a failed request."""


def saturating(slots: int) -> int:
    """How many requests keep a server with so many slots busy at every moment."""
    return IN_FLIGHT_PER_SLOT * slots


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """What to measure. `windows` of `window_ms` are measured after `warmup_ms`; answers may take `timeout_s`."""

    load: Load
    window_ms: int
    windows: int
    warmup_ms: int = 1000
    timeout_s: float = 60.0
    seed: int = 0
    in_flight: int | None = None
    """Saturate instead: so many requests are open at every moment, and `load` only says how long they are."""

    @property
    def duration_ms(self) -> int:
        """Longest time it takes, up to the draining of the last answers: alignment can cost one window."""
        return self.warmup_ms + (self.windows + 1) * self.window_ms


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a trial is, for whoever watches."""

    elapsed_ms: int
    total_ms: int
    sent: int
    finished: int
    failed: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What was measured: the samples of the measured windows, in order of arrival, window by window."""

    plan: TrialPlan
    start_ms: int
    windows: tuple[Window, ...]
    samples: tuple[tuple[RequestSample, ...], ...]
    late_ns_max: int
    """The most that the generator itself was late with a request; counted in the latencies."""

    @property
    def all_samples(self) -> tuple[RequestSample, ...]:
        """All samples in order of arrival."""
        return tuple(sample for window in self.samples for sample in window)

    def percentiles(self, objective: LatencyObjective) -> tuple[float, ...]:
        """The objective's percentile (ns) of each window that had a request: what `bound_by_windows` takes."""
        owed = self.plan.load.output_tokens - 1
        found = (window_percentile(samples, objective, owed) for samples in self.samples)
        return tuple(value for value in found if value is not None)

    def rates_micro(self, metric: Metric) -> tuple[float, ...]:
        """Rate (micro/s) of each window. What was offered limits it: to bound a floor, the trial must offer more than
        it, and the rates are negated for `bound_by_windows` (the least is the worst)."""
        every = list(self.all_samples)
        return tuple(window_rate_micro(metric, every, window) for window in self.windows)


async def run_trial(
    endpoint: Endpoint,
    plan: TrialPlan,
    *,
    progress: Callable[[Progress], None] | None = None,
    maker: PromptMaker | None = None,
) -> Trial:
    """Run one trial to its end. Cancel the task to stop early: nothing stays behind.

    Arrivals go on until the answers of the last measured window are complete, so that they finish under the same load
    as all others; what arrives outside the measured windows is not part of the result.
    Raises ConnectionError or NoTokenCountError when the endpoint cannot be measured at all.
    """
    # The arrivals repeat with the seed; the prompts never do, or a server that keeps earlier prompts (llama.cpp does,
    # for minutes) would answer a second trial many times faster than any stranger's question.
    source, words = random.Random(plan.seed), random.Random()
    maker = maker or await calibrate(endpoint, words, plan.timeout_s)
    # One anchor joins the two clocks: a wall clock that is set during the trial moves no sample and no window.
    wall_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
    start_ms = aligned_start_ms(wall_ns // 1_000_000 + plan.warmup_ms, plan.window_ms)
    end_ms = start_ms + plan.windows * plan.window_ms
    run = _Run(endpoint, plan, maker, source, words, wall_ns, monotonic_ns, start_ms, end_ms, progress)
    try:
        await run.drive()
    finally:
        await run.close()
    windows = windows_of(start_ms, end_ms, plan.window_ms)
    samples = sorted(run.samples, key=lambda sample: sample.arrival_ns)
    return Trial(
        plan=plan,
        start_ms=start_ms,
        windows=windows,
        samples=tuple(tuple(s for s in samples if window.holds(s.arrival_ns)) for window in windows),
        late_ns_max=max((sample.sent_after_ns for sample in samples), default=0),
    )


class _Run:
    """The moving parts of one trial."""

    def __init__(
        self,
        endpoint: Endpoint,
        plan: TrialPlan,
        maker: PromptMaker,
        source: random.Random,
        words: random.Random,
        wall_ns: int,
        monotonic_ns: int,
        start_ms: int,
        end_ms: int,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.samples: list[RequestSample] = []
        self._endpoint, self._plan, self._maker = endpoint, plan, maker
        self._source, self._words = source, words
        self._wall_ns, self._monotonic_ns = wall_ns, monotonic_ns
        self._start_ns, self._end_ns = start_ms * 1_000_000, end_ms * 1_000_000
        self._progress = progress
        self._tasks: set[asyncio.Task[None]] = set()
        self._measured_open = 0
        self._sent = self._failed = 0

    async def drive(self) -> None:
        """Send until the measured windows and their answers are over."""
        await (self._arrive() if self._plan.in_flight is None else self._saturate(self._plan.in_flight))

    async def _saturate(self, in_flight: int) -> None:
        """Ask again whenever something was answered. A server that answers nothing is asked nothing more."""
        deadline_ns = self._end_ns - self._wall_ns + int(self._plan.timeout_s * 1e9)
        while (now := time.monotonic_ns() - self._monotonic_ns) < self._end_ns - self._wall_ns or self._measured_open:
            if now > deadline_ns:
                break
            for _ in range(in_flight - len(self._tasks)):
                self._send(time.monotonic_ns() - self._monotonic_ns)
            await asyncio.wait(self._tasks, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
            self._report()
        self._report()

    async def _arrive(self) -> None:
        """Send at the Poisson instants until the measured windows and their answers are over."""
        due_ns = 0
        deadline_ns = self._end_ns - self._wall_ns + int(self._plan.timeout_s * 1e9)
        while True:
            due_ns += max(1, int(self._source.expovariate(self._plan.load.arrivals_per_second) * 1e9))
            over = self._wall_ns + due_ns >= self._end_ns
            while (now := time.monotonic_ns() - self._monotonic_ns) < due_ns:
                if over and now >= self._end_ns - self._wall_ns and not self._measured_open:
                    self._report()
                    return
                # Wake for progress and for the end even where arrivals are rare.
                await asyncio.sleep(min((due_ns - now) / 1e9, 0.1))
                self._report()
            if over and (not self._measured_open or now > deadline_ns):
                self._report()
                return
            self._send(due_ns)

    def _send(self, due_ns: int) -> None:
        arrival_ns = self._wall_ns + due_ns
        measured = self._start_ns <= arrival_ns < self._end_ns
        load = self._plan.load
        prompt = self._maker.prompt(load.prompt_tokens, load.output_tokens, self._words, f"trial-{self._sent}")
        self._sent += 1
        if len(self._tasks) >= _IN_FLIGHT_MAX:
            raise ConnectionError(f"{_IN_FLIGHT_MAX} requests wait; the endpoint does not carry this load")
        self._measured_open += measured
        task = asyncio.get_running_loop().create_task(self._one(prompt, arrival_ns, due_ns, measured))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _one(self, prompt: Prompt, arrival_ns: int, due_ns: int, measured: bool) -> None:
        try:
            sample = await ask(
                self._endpoint,
                prompt,
                timeout_s=self._plan.timeout_s,
                due_wall_ns=arrival_ns,
                due_monotonic_ns=self._monotonic_ns + due_ns,
            )
            self.samples.append(replace(sample, arrival_ns=arrival_ns))
            self._failed += sample.status != 200
        finally:
            self._measured_open -= measured

    def _report(self) -> None:
        if self._progress is None:
            return
        elapsed_ms = (time.monotonic_ns() - self._monotonic_ns) // 1_000_000
        total_ms = (self._end_ns - self._wall_ns) // 1_000_000
        self._progress(Progress(min(elapsed_ms, total_ms), total_ms, self._sent, len(self.samples), self._failed))

    async def close(self) -> None:
        """Abort whatever is still in flight."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
