"""Counters under nobody's contract, one on each CPU: while one of them is silent too, the machine stood still."""

import atexit
import itertools
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

COUNTER = """
import sys, time
path, n = sys.argv[1], 0
while True:
    n += 1
    with open(path, "a") as out:
        out.write(f"{n} {time.monotonic():.3f}\\n")
    time.sleep(0.05)
"""
"""What workloads count with, and those beside them."""
NOTICED_SECONDS = 0.2
"""Shorter silences are none."""
Counted = list[tuple[int, float]]
"""(number, monotonic seconds) in the order written."""
Silence = tuple[float, float]
"""From when until when, monotonic seconds."""


@dataclass
class Witness:
    """They count into `folder` from `start` until `stop`."""

    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """One on each CPU that this process may use. Once is enough."""
        if self.processes:
            return
        self.folder.mkdir(exist_ok=True)
        atexit.register(self.stop)
        for cpu in sorted(os.sched_getaffinity(0)):
            process = subprocess.Popen([sys.executable, "-c", COUNTER, str(self.folder / f"cpu-{cpu}.count")])
            os.sched_setaffinity(process.pid, {cpu})
            self.processes.append(process)

    def stop(self) -> None:
        """They are gone."""
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes.clear()

    def silences(self) -> list[Silence]:
        """When one of them was silent."""
        return [
            (earlier, later)
            for counted in read(self.folder).values()
            for (_, earlier), (_, later) in itertools.pairwise(counted)
            if later - earlier > NOTICED_SECONDS
        ]


def read(folder: Path) -> dict[str, Counted]:
    """What the counters of a folder wrote, by their names."""
    found = {}
    for file in folder.glob("*.count"):
        lines = [line.split() for line in file.read_text().splitlines() if len(line.split()) == 2]
        found[file.stem] = [(int(n), float(t)) for n, t in lines]
    return found


def own_silence(since: float, until: float, of_others: Iterable[Silence]) -> float:
    """How long something was silent, less the longest that a witness was meanwhile."""
    shared = (min(until, later) - max(since, earlier) for earlier, later in of_others)
    return (until - since) - max(0.0, max(shared, default=0.0))
