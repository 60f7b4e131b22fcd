"""Does confidence mean what it says? Many short contracts: a trial, the bound from it, then windows of service.

    python -m benchmarks.honesty.calibration [--contracts 100] [--real MODEL.gguf --minutes 10] [--json FILE]

For each stated share and confidence: in how many contracts did at least that share of the windows of service keep the
bound? That fraction is to be at or above the stated confidence; the interval beside it is Clopper and Pearson's. A
contract's service is finite, so a bound that is exactly right would attain its share in only about half of the
contracts; that the fraction is still above shows how much the tolerance bound leaves.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.honesty.world import OUTPUT_TOKENS, PROMPT_TOKENS, S, arrivals, serve
from tenure.measurement import TrialPlan, run_trial
from tenure.promises import (
    Bound,
    LatencyObjective,
    Load,
    Metric,
    binomial_interval,
    bound_by_requests,
    bound_by_windows,
    percentile_of,
    readings,
    samples_needed,
)

LEVELS = ((0.8, 0.8), (0.8, 0.9), (0.9, 0.8), (0.9, 0.9))
OBJECTIVE = LatencyObjective(Metric.TIME_TO_FIRST_TOKEN, 95, 1)
PER_WINDOW = 3.0


@dataclass
class Level:
    """One point of the reliability diagram."""

    method: str
    share: float
    confidence: float
    contracts: int = 0
    attained: int = 0
    windows: int = 0
    kept: int = 0

    def take(self, bound: float, service: Sequence[float]) -> None:
        """Count one contract."""
        kept = sum(value <= bound for value in service)
        self.contracts += 1
        self.attained += kept >= self.share * len(service)
        self.windows += len(service)
        self.kept += kept

    def line(self) -> str:
        """One line of the table, with a bar."""
        share = self.attained / self.contracts if self.contracts else 0.0
        low, high = binomial_interval(self.attained, self.contracts, 0.95)
        bar = "".join("#" if place / 40 < share else "." for place in range(40))
        place = round(self.confidence * 40)
        bar = bar[:place] + "|" + bar[place:]
        kept = self.kept / self.windows if self.windows else 0.0
        return (
            f"{self.method:<12}{self.share:>6.2f}{self.confidence:>8.2f}{self.contracts:>11}"
            f"{share:>10.2f}   [{low:.2f}, {high:.2f}]{kept:>10.3f}   {bar}"
        )


HEADER = f"{'method':<12}{'share':>6}{'conf.':>8}{'contracts':>11}{'attained':>10}   {'95 % interval':<12}{'kept':>10}"


def virtual_windows(seed: int, windows: int, per_second: float) -> list[list[float]]:
    """Times to the first token of a queue with slots, window by window, empty windows left out."""
    source, length = random.Random(seed), round(PER_WINDOW / per_second * S)
    asked = [(at, "user") for at in arrivals(source, per_second, 1, windows * length, [])]
    found: list[list[float]] = [[] for _ in range(windows)]
    for truth in serve(source, asked, []):
        found[min(windows - 1, truth.arrival_ns // length)].append(truth.first_after_ns)
    return [window for window in found if window]


def judge_contract(levels: list[Level], windows: list[list[float]], service: list[list[float]]) -> None:
    """Bound by both methods from the trial's windows, count over the windows of service."""
    later = [percentile_of(window, 95) for window in service]
    for level in levels:
        enough = windows[: samples_needed(level.share, level.confidence) + 2]
        if level.method == "byWindows":
            bound = bound_by_windows([percentile_of(w, 95) for w in enough], level.share, level.confidence)
        else:
            samples = [value for window in windows for value in window]
            bound = bound_by_requests(samples, 95, PER_WINDOW, level.share, level.confidence)
        if isinstance(bound, Bound):
            level.take(bound.value, later)


def new_levels() -> list[Level]:
    """All points, by both methods."""
    return [Level(method, *level) for method in ("byWindows", "byRequests") for level in LEVELS]


def virtual(contracts: int, per_second: float) -> list[Level]:
    """Contracts on a queue whose true behaviour does not change."""
    levels = new_levels()
    for seed in range(contracts):
        windows = virtual_windows(seed, 100, per_second)
        judge_contract(levels, windows[:50], windows[50:])
    return levels


def real(model: Path, minutes: float) -> list[Level]:
    """One long trial on the real model, cut into overlapping contracts of a trial and a service each."""
    from benchmarks.honesty.real_stage import Stage

    async def measure(stage: Stage) -> list[list[float]]:
        stage.start_server()
        stage.start_tap()
        await stage.ready()
        load = Load(1_000_000, PROMPT_TOKENS, OUTPUT_TOKENS)
        plan = TrialPlan(load, round(PER_WINDOW * 1000), round(minutes * 60 / PER_WINDOW))
        trial = await run_trial(stage.endpoint(), plan)
        timed = [[r.high for r in readings(window, OBJECTIVE.metric)] for window in trial.samples]
        return [window for window in timed if window]

    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), model)
        try:
            windows = asyncio.run(measure(stage))
        finally:
            stage.stop()
    levels = new_levels()
    for start in range(0, len(windows) - 50):
        judge_contract(levels, windows[start : start + 30], windows[start + 30 : start + 50])
    return levels


def show(title: str, levels: list[Level]) -> None:
    """Print one diagram."""
    print(title)
    print(HEADER)
    for level in levels:
        print(level.line())


def main() -> int:
    """Command line; exits 1 where a stated confidence lies above the whole interval of what was attained."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.honesty.calibration")
    parser.add_argument("--contracts", type=int, default=100)
    parser.add_argument("--real", type=Path, help="a GGUF model")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--json", type=Path)
    wanted = parser.parse_args()
    found = {f"virtual, {rate:g}/s": virtual(wanted.contracts, rate) for rate in (0.5, 2.0)}
    if wanted.real is not None:
        found[f"real model, {wanted.minutes:g} minutes"] = real(wanted.real, wanted.minutes)
    for title, levels in found.items():
        show(title, levels)
    if wanted.json:
        rows = {title: [asdict(level) for level in levels] for title, levels in found.items()}
        wanted.json.write_text(json.dumps({"benchmark": "calibration", "rows": rows}))
    every = [level for levels in found.values() for level in levels if level.contracts]
    return int(any(binomial_interval(x.attained, x.contracts, 0.95)[1] < x.confidence for x in every))


if __name__ == "__main__":
    sys.exit(main())
