"""What a control plane with nothing to do uses: memory, and a share of one core."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from benchmarks.home import Home
from benchmarks.product.figures import Figure

SETTLE_SECONDS = 3.0
SECONDS = 15.0
MIB_AIM, CORE_PERCENT_AIM = 150.0, 1.0


def idling(home: Home, tell: Callable[[str], None]) -> Iterator[Figure]:
    """Resident memory and CPU time over some seconds, of the process and its threads."""
    process = psutil.Process(home.pid)
    time.sleep(SETTLE_SECONDS)
    before_ns, begun = cpu_ns(home.pid), time.perf_counter()
    while (elapsed := time.perf_counter() - begun) < SECONDS:
        tell(f"{elapsed:.0f} of {SECONDS:.0f} s")
        time.sleep(0.5)
    used_percent = (cpu_ns(home.pid) - before_ns) / 1e9 / (time.perf_counter() - begun) * 100
    memory = process.memory_full_info()
    note = f"of which {memory.uss / 2**20:.0f} MiB are its own; {process.num_threads()} threads"
    yield Figure("idle tenure up, resident", memory.rss / 2**20, "MiB", MIB_AIM, note=note)
    yield Figure("idle tenure up, CPU", used_percent, "% of a core", CORE_PERCENT_AIM, note=f"over {SECONDS:.0f} s")


def cpu_ns(pid: int) -> int:
    """CPU time of all threads, from schedstat, which is finer than ticks; from ticks where there is none."""
    try:
        found = [int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    except (OSError, ValueError, IndexError):
        found = []
    if found:
        return sum(found)
    used = psutil.Process(pid).cpu_times()
    return int((used.user + used.system) * 1e9)
