"""The worst neighbour that an allocation permits: keeps the cores outside it busy while its bound is measured.

    python -m tenure.measurement.neighbour --cpus 0,2-3 --kind memory --seconds 30

One process a CPU, pinned, each in a session of its own: where Linux shares CPUs out by sessions (`sched_autogroup`), a
neighbour in the session of whoever measures would take its time from the measuring and not, as a stranger does, from
the workload's tap. It stops by itself when the time is over or when whoever started it is gone, so that no
interference outlives a measurement. Kinds: `memory` streams copies far larger than any cache (memory bandwidth),
`cache` keeps rewriting a few MiB (last-level cache), `cpu` computes (clock rate and power budget).
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from hashlib import sha256

KINDS = ("memory", "cache", "cpu")
_STREAM_BYTES = 96 << 20
"""Source and target together exceed the last-level cache of nearly all sockets; larger caches only soften it."""
_CACHE_BYTES = 4 << 20
_LOOK_NS = 50_000_000
"""How often each process looks at the time and at its parent."""


def parse_cpus(text: str) -> list[int]:
    """Kernel list format: `0,2-3` is [0, 2, 3]. Raises ValueError."""
    cpus: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        cpus += range(int(first), int(last or first) + 1)
    if not cpus or min(cpus) < 0:
        raise ValueError(f"{text!r} names no CPU")
    return cpus


def _burden(kind: str) -> Callable[[], None]:
    """One unit of interference, some milliseconds long."""
    if kind == "cpu":
        block = bytes(256 * 1024)
        return lambda: (sha256(block), None)[1]
    size = _STREAM_BYTES if kind == "memory" else _CACHE_BYTES
    source, target = memoryview(bytearray(size)), memoryview(bytearray(size))

    def copy() -> None:
        target[:] = source

    return copy


def _work(cpu: int, kind: str, until_ns: int, parent: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cpu})
    burden = _burden(kind)
    while os.getppid() == parent and time.monotonic_ns() < until_ns:
        pause_ns = time.monotonic_ns() + _LOOK_NS
        while time.monotonic_ns() < pause_ns:
            burden()


def start_neighbours(cpus: Sequence[int], kind: str, seconds: float) -> subprocess.Popen[bytes]:
    """Start the neighbours as a process of their own and return it; terminate() ends them at once."""
    listed = ",".join(str(cpu) for cpu in cpus)
    command = [sys.executable, "-m", "tenure.measurement.neighbour", "--cpus", listed, "--kind", kind]
    return subprocess.Popen([*command, "--seconds", str(seconds)], stdin=subprocess.DEVNULL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Exit codes: 0 done, 2 usage, 70 where a CPU could not be taken."""
    parser = argparse.ArgumentParser(prog="python -m tenure.measurement.neighbour", description=__doc__)
    parser.add_argument("--cpus", required=True, type=parse_cpus)
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    wanted = parser.parse_args(arguments)
    parent, until_ns = os.getppid(), time.monotonic_ns() + int(wanted.seconds * 1e9)
    children = []
    for cpu in wanted.cpus:
        own = os.getpid()
        child = os.fork()
        if child == 0:
            code = 0
            try:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                os.setsid()
                _work(cpu, wanted.kind, until_ns, own)
            except OSError as error:
                print(f"neighbour: CPU {cpu}: {error}", file=sys.stderr)
                code = 70
            os._exit(code)
        children.append(child)

    def stop(*_: object) -> None:
        for child in children:
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return _wait(children, parent, stop)


def _wait(children: list[int], parent: int, stop: Callable[[], None]) -> int:
    """Wait for the children; end them when our own parent is gone."""
    worst = 0
    while children:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child:
            children.remove(child)
            code = os.waitstatus_to_exitcode(status)
            worst = max(worst, code if code > 0 else 0)
            continue
        if os.getppid() != parent:
            stop()
        time.sleep(0.05)
    return worst


if __name__ == "__main__":
    sys.exit(main())
