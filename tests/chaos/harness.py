"""A real home with a real control plane that is killed, and a workload that counts for itself and never pauses."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tenure.cli.running import end_all_runs, plane_of, stop_plane
from tenure.client import AlreadyExists, Client, NotFound, Unreachable, discover
from tenure.resources import Contract, Workload

COUNTER = """
import sys, time
path, n = sys.argv[1], 0
while True:
    n += 1
    with open(path, "a") as out:
        out.write(f"{n} {time.monotonic():.3f}\\n")
    time.sleep(0.05)
"""
GAP_SECONDS_MAX = 1.5
WAIT_SECONDS = 25


@dataclass
class Home:
    """One TENURE_HOME under torment."""

    path: Path
    source: random.Random
    counts: Path | None = None
    """Where the workloads count; the home itself by default."""
    python: str = sys.executable
    acknowledged: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    made: int = 0

    @property
    def _counts(self) -> Path:
        return self.counts or self.path

    def up(self) -> None:
        done = subprocess.run(
            [self.python, "-m", "tenure", "--home", str(self.path), "up"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def kill(self) -> None:
        running = plane_of(self.path)
        assert running is not None, "the control plane runs before it is killed"
        os.kill(running["pid"], signal.SIGKILL)

    def client(self) -> Client:
        return Client(discover(self.path))

    def disturb(self) -> None:
        """One thing that a user does, acknowledged or not; what was acknowledged is remembered."""
        try:
            with self.client() as client:
                standing = [c for c in client.list(Contract).items if c.status and c.status.phase == "Active"]
                if standing and self.source.random() < 0.4:
                    name = self.source.choice(standing).spec.workload.name
                    # Before the call: a deletion whose answer is lost may have happened.
                    self.deleted.add(name)
                    client.delete(Workload, name, namespace="default")
                else:
                    self.made += 1
                    name = f"count-{self.made}"
                    client.create(self.workload(name))
                    self.acknowledged.add(name)
        except (Unreachable, NotFound, AlreadyExists):
            return  # nobody acknowledged it

    def workload(self, name: str) -> Workload:
        return Workload.model_validate(
            {
                "metadata": {"name": name, "namespace": "default"},
                "spec": {
                    "command": {},
                    "acceptance": "auto",
                    "term": {"duration": "1h"},
                    "run": {"command": [sys.executable, "-c", COUNTER, str(self._counts / f"{name}.count")]},
                },
            }
        )

    def check(self) -> dict[str, Any]:
        """`tenure ledger check`: 0 when the books agree with each other and with what really runs."""
        done = subprocess.run(
            [sys.executable, "-m", "tenure", "--home", str(self.path), "ledger", "check", "-o", "json"],
            capture_output=True,
            text=True,
            check=False,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        found["exit"] = done.returncode
        return found

    def settle(self) -> dict[str, Any]:
        """Wait until the ledger agrees; what never agrees is returned as it stands."""
        give_up = time.monotonic() + WAIT_SECONDS
        while True:
            found = self.check()
            if found["exit"] == 0 or time.monotonic() > give_up:
                return found
            time.sleep(0.3)

    def clean(self) -> None:
        stop_plane(self.path)
        end_all_runs(self.path)

    def counters(self) -> dict[str, list[tuple[int, float]]]:
        """Each workload's own counter: (number, monotonic seconds) in the order written."""
        found = {}
        for file in self._counts.glob("*.count"):
            lines = [line.split() for line in file.read_text().splitlines() if len(line.split()) == 2]
            found[file.stem] = [(int(n), float(t)) for n, t in lines]
        return found


def assert_no_gap(name: str, counted: list[tuple[int, float]]) -> None:
    """Counted up one by one, never restarted, never two at once, never silent."""
    for (n, t), (m, u) in itertools.pairwise(counted):
        assert m == n + 1, f"{name}: {n} is followed by {m}: restarted or doubled"
        assert u - t <= GAP_SECONDS_MAX, f"{name}: silent for {u - t:.2f} s"
