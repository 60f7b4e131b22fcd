"""A control plane of a benchmark's own: started as people start it, on the checkout's disk, and gone afterwards.

Never under a temporary folder: where that is memory, writes would seem durable at no cost.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
TENURE = Path(sys.executable).with_name("tenure")
COMMAND_SECONDS_MAX = 300
# As users have it. Where bytecode is not kept, each start compiles everything anew, which costs more than the start.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class BenchmarkError(RuntimeError):
    """The benchmark cannot run here; the message says why and what to do next."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where this control plane keeps its state, and its process."""

    path: Path
    pid: int

    def tenure(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command on this home, with what it printed."""
        return tenure("--home", str(self.path), *words)


def tenure(*words: str) -> subprocess.CompletedProcess[str]:
    """One command line, as a person runs it."""
    command = [str(TENURE), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX, env=ENVIRONMENT)


@contextmanager
def home(name: str) -> Iterator[Home]:
    """`tenure up` on an empty home in the checkout; everything that was started and written is removed afterwards."""
    (CHECKOUT / ".tenure").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=CHECKOUT / ".tenure"))
    try:
        yield Home(folder, up(folder))
    finally:
        tenure("--home", str(folder), "down", "--purge", "--yes")


def up(folder: Path) -> int:
    """Start it, or find it running; returns the process id. Raises BenchmarkError."""
    answer = tenure("--home", str(folder), "up", "-o", "json")
    if answer.returncode != 0:
        raise BenchmarkError(f"tenure up: {answer.stderr.strip() or answer.stdout.strip()}")
    return int(json.loads(answer.stdout)["pid"])


def need_model(name: str) -> None:
    """See that the model's file is here; fetched once, through the user's own package client. Raises BenchmarkError."""
    answer = tenure("model", "fetch", name)
    if answer.returncode != 0:
        raise BenchmarkError(f"tenure model fetch {name}: {answer.stderr.strip() or answer.stdout.strip()}")


def machine_now() -> dict[str, object]:
    """What the figures were measured on, as far as it bears on them."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "loadAverage": [round(value, 2) for value in os.getloadavg()],
        "python": sys.version.split()[0],
        "system": f"{os.uname().sysname} {os.uname().release}",
    }
