"""A trial as a process of its own: `python -m tenure.measurement.trial_process PLAN.json RESULT.json`.

The generator must not share an interpreter with the control plane, whose work would be counted as latency. Progress
goes to stdout, one JSON object a line; the result is written whole or not at all. It stops when its parent is gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from tenure.measurement.endpoint import Endpoint
from tenure.measurement.prompts import NoTokenCountError
from tenure.measurement.trial import Progress, Trial, TrialPlan, run_trial
from tenure.promises import Load, RequestSample

PARENT_LOOK_SECONDS = 0.5
EXIT_UNMEASURABLE = 7


def plan_to_json(endpoint: Endpoint, plan: TrialPlan) -> dict[str, Any]:
    """What the process reads. The key travels in the environment (TENURE_TRIAL_KEY), never in a file or an argument."""
    return {
        "baseUrl": endpoint.base_url,
        "model": endpoint.model,
        "arrivalsMicro": plan.load.arrivals_micro,
        "promptTokens": plan.load.prompt_tokens,
        "outputTokens": plan.load.output_tokens,
        "windowMs": plan.window_ms,
        "windows": plan.windows,
        "warmupMs": plan.warmup_ms,
        "timeoutS": plan.timeout_s,
        "seed": plan.seed,
        "inFlight": plan.in_flight,
    }


def plan_from_json(document: dict[str, Any]) -> tuple[Endpoint, TrialPlan]:
    """Inverse of `plan_to_json`."""
    endpoint = Endpoint(document["baseUrl"], document["model"], os.environ.get("TENURE_TRIAL_KEY"))
    load = Load(document["arrivalsMicro"], document["promptTokens"], document["outputTokens"])
    plan = TrialPlan(
        load=load,
        window_ms=document["windowMs"],
        windows=document["windows"],
        warmup_ms=document["warmupMs"],
        timeout_s=document["timeoutS"],
        seed=document["seed"],
        in_flight=document["inFlight"],
    )
    return endpoint, plan


def result_to_json(trial: Trial) -> dict[str, Any]:
    """The windows with every request of each."""
    return {
        "startMs": trial.start_ms,
        "windowMs": trial.plan.window_ms,
        "lateNsMax": trial.late_ns_max,
        "windows": [[sample.as_record() for sample in samples] for samples in trial.samples],
    }


def windows_from_json(document: dict[str, Any]) -> tuple[tuple[RequestSample, ...], ...]:
    """The samples of a result, window by window."""
    return tuple(tuple(RequestSample.from_record(record) for record in window) for window in document["windows"])


async def _measure(plan_path: Path, result_path: Path) -> int:
    endpoint, plan = plan_from_json(json.loads(plan_path.read_text()))
    parent = os.getppid()

    def report(progress: Progress) -> None:
        line = {"elapsedMs": progress.elapsed_ms, "totalMs": progress.total_ms, "finished": progress.finished}
        print(json.dumps(line), flush=True)

    trial_task = asyncio.create_task(run_trial(endpoint, plan, progress=report))
    while not trial_task.done():
        await asyncio.wait({trial_task}, timeout=PARENT_LOOK_SECONDS)
        if os.getppid() != parent:
            trial_task.cancel()
            return EXIT_UNMEASURABLE
    try:
        trial = trial_task.result()
    except (OSError, ValueError, NoTokenCountError) as error:
        print(json.dumps({"error": str(error) or type(error).__name__}), flush=True)
        return EXIT_UNMEASURABLE
    partial = result_path.with_suffix(".partial")
    partial.write_text(json.dumps(result_to_json(trial)))
    partial.rename(result_path)
    return 0


def main() -> int:
    """Entry point of the process."""
    if len(sys.argv) != 3:
        print("usage: python -m tenure.measurement.trial_process PLAN.json RESULT.json", file=sys.stderr)
        return 2
    return asyncio.run(_measure(Path(sys.argv[1]), Path(sys.argv[2])))


if __name__ == "__main__":
    sys.exit(main())
