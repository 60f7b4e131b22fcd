"""Measurements that run beside the reconcilers: a trial or a commissioning, one process each, by key.

Each has arrivals of its own. Were they the same each time, a commissioning would repeat the beginning of its trial, and
a hundred of them would be one look at four windows.

Reconcilers never wait. They start a measurement, look at its progress when they are called again, and take its result.
What a dead control plane was measuring is measured again: a measurement without its taker is worth nothing.
"""

import asyncio
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tenure.measurement import Endpoint, TrialPlan
from tenure.measurement.trial_process import plan_to_json, windows_from_json
from tenure.promises import RequestSample

Windows = tuple[tuple[RequestSample, ...], ...]


class MeasurementFailedError(RuntimeError):
    """The endpoint could not be measured; the message says why."""


@dataclass(slots=True)
class Job:
    """One measurement: how far it is, and what it found."""

    task: asyncio.Task[Windows]
    elapsed_ms: int = 0
    total_ms: int = 0
    finished: int = 0
    started_ms: int = 0

    @property
    def done(self) -> bool:
        """Whether there is a result, or a failure, to take."""
        return self.task.done()


@dataclass(slots=True)
class Measurements:
    """The measurements in flight. `cpus` is where the load generator runs: never on the cores it measures."""

    cpus: tuple[int, ...]
    wake: Callable[[str], None] = lambda _: None
    jobs: dict[str, Job] = field(default_factory=dict)
    draw: Callable[[], int] = lambda: secrets.randbits(31)

    def start(self, key: str, endpoint: Endpoint, plan: TrialPlan, now_ms: int) -> Job:
        """The job of that key, started if it is not running. Must be called inside the event loop."""
        if key not in self.jobs:
            job = Job(asyncio.ensure_future(asyncio.sleep(0, ())), total_ms=plan.duration_ms, started_ms=now_ms)
            own = replace(plan, seed=self.draw())
            job.task = asyncio.create_task(self._measure(job, endpoint, own), name=f"measure {key}")
            job.task.add_done_callback(lambda _: self.wake(key))
            self.jobs[key] = job
        return self.jobs[key]

    def take(self, key: str) -> Windows:
        """The windows of a finished job, which is forgotten. Raises MeasurementFailedError."""
        job = self.jobs.pop(key)
        return job.task.result()

    def drop(self, key: str) -> None:
        """Stop a measurement that nobody wants any more."""
        job = self.jobs.pop(key, None)
        if job is not None:
            job.task.cancel()

    async def close(self) -> None:
        """Stop all of them."""
        tasks = [job.task for job in self.jobs.values()]
        self.jobs.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _measure(self, job: Job, endpoint: Endpoint, plan: TrialPlan) -> Windows:
        with tempfile.TemporaryDirectory(prefix="tenure-measure-") as folder:
            wanted, result = Path(folder, "plan.json"), Path(folder, "result.json")
            wanted.write_text(json.dumps(plan_to_json(endpoint, plan)))
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tenure.measurement.trial_process",
                str(wanted),
                str(result),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, "TENURE_TRIAL_KEY": endpoint.api_key or ""},
            )
            if self.cpus and process.pid:
                os.sched_setaffinity(process.pid, self.cpus)
            try:
                return await self._follow(job, process, result)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

    @staticmethod
    async def _follow(job: Job, process: asyncio.subprocess.Process, result: Path) -> Windows:
        assert process.stdout is not None
        assert process.stderr is not None
        why = ""
        async for line in process.stdout:
            told = json.loads(line)
            why = told.get("error", why)
            job.elapsed_ms = told.get("elapsedMs", job.elapsed_ms)
            job.total_ms = told.get("totalMs", job.total_ms)
            job.finished = told.get("finished", job.finished)
        said = (await process.stderr.read()).decode(errors="replace")[-2000:]
        if await process.wait() != 0:
            raise MeasurementFailedError(why or said or f"the load generator ended with {process.returncode}")
        return windows_from_json(json.loads(result.read_text()))
