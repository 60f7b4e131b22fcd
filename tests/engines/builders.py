"""Small real runs."""

import itertools
import os
import sys
from typing import Any

from tenure.engines import RunSpec

_numbers = itertools.count()

FOREVER = ("sh", "-c", "echo up; while :; do sleep 1000; done")


def a_run(argv: tuple[str, ...] = FOREVER, **changes: Any) -> RunSpec:
    """A run that stays up until it is stopped."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        "run_id": f"t{os.getpid()}-{number}",
        "namespace": "team-a",
        "name": f"run-{number}",
        "argv": argv,
        "stop_grace_ms": 2_000,
    }
    return RunSpec(**{**fields, **changes})


def shell(script: str, **changes: Any) -> RunSpec:
    """A run of a shell script."""
    return a_run(("sh", "-c", script), **changes)


def python(script: str, **changes: Any) -> RunSpec:
    """A run of a Python script."""
    return a_run((sys.executable, "-S", "-c", script), **changes)


def last_cpu() -> int:
    """A logical CPU to pin to."""
    return max(os.sched_getaffinity(0))
