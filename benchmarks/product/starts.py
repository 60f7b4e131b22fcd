"""How long commands take from the shell's view, beside the interpreter's bare start."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.home import ENVIRONMENT, TENURE, BenchmarkError, Home
from benchmarks.product.figures import Figure, nearest_rank

ROUNDS = 15
HELP_SECONDS_AIM, GET_SECONDS_AIM = 0.3, 0.5


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command: on the wall, and what it used of a core."""

    wall_seconds: float
    cpu_seconds: float


def starts(home: Home) -> Iterator[Figure]:
    """`tenure --help` and `tenure get`, in turn with `python -c pass`, so that the machine's moods hit all alike."""
    commands = {
        "bare": [sys.executable, "-c", "pass"],
        "help": [str(TENURE), "--help"],
        "get": [str(TENURE), "--home", str(home.path), "get", "machines"],
    }
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(ROUNDS + 1):
        for name, command in commands.items():
            run = timed(command)
            if turn:  # the first turn warms the page cache
                found[name].append(run)
    bare = _median(found["bare"])
    yield _figure("tenure --help", found["help"], HELP_SECONDS_AIM, bare)
    yield _figure("tenure get", found["get"], GET_SECONDS_AIM, bare)


def timed(command: Sequence[str]) -> Run:
    """Run it to its end. Raises BenchmarkError where it fails."""
    begun = time.perf_counter()
    with Path(os.devnull).open("wb") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere, stderr=subprocess.PIPE, env=ENVIRONMENT)
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.stderr is not None
    with process.stderr as errors:
        said = errors.read().decode(errors="replace")
    if process.returncode != 0:
        raise BenchmarkError(f"{' '.join(command)} ended with {process.returncode}: {said}")
    return Run(wall, used.ru_utime + used.ru_stime)


def _median(runs: Sequence[Run]) -> float:
    return nearest_rank([run.wall_seconds for run in runs], 50)


def _figure(name: str, runs: Sequence[Run], aim: float, bare: float) -> Figure:
    walls = [run.wall_seconds for run in runs]
    used = nearest_rank([run.cpu_seconds for run in runs], 50)
    note = f"least {min(walls):.2f} s, p95 {nearest_rank(walls, 95):.2f} s; CPU {used:.2f} s; {len(runs)} runs"
    return Figure(f"{name}, p50", _median(runs), "s", aim, bare, "python -c pass", note)
