"""A real home with a real control plane that is killed, and a workload that counts for itself and never pauses."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tenure.cli.running import end_all_runs, plane_of, stop_plane
from tenure.client import AlreadyExists, Client, Conflict, NotFound, Unreachable, WaitTimeout, discover
from tenure.resources import Contract, Offer, Workload
from tenure.sdk import Client as SdkClient
from tenure.sdk import SdkError
from tests.chaos.witness import COUNTER, Counted, Silence, Witness, own_silence, read
from tests.support.last_words import UP

GAP_SECONDS_MAX = 1.5
WAIT_SECONDS = 60
ACCEPT_AT_ONCE, ACCEPT_SECONDS = 0.7, 3.0
AT_ONCE_MAX = 3
TERMS = ("3s", "6s", "12s", "30s", "10m", "20m", "45m", "1h")
"""Half of them end while the control plane is killed again and again, or while it is dead. Most contracts are deleted
or ended before they are half a minute old."""
DELETED, ENDED = 0.4, 0.5
"""One workload out of so many is deleted where there is any, and the contract of so many more is ended."""
BY_HAND = "hand"
"""How the names of workloads begin whose offers a user accepts."""


@dataclass
class Home:
    """One TENURE_HOME under torment."""

    path: Path
    source: random.Random
    counts: Path | None = None
    """Where the workloads count; the home itself by default."""
    python: str = sys.executable
    by_hand: float = 0.0
    """The share of the workloads whose offers a user accepts; the others take the first one by themselves."""
    acknowledged: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    """Workloads whose contract a user ended."""
    accepted: dict[str, str] = field(default_factory=dict)
    """Acceptances by hand that were acknowledged: contract to workload."""
    made: int = 0

    def __post_init__(self) -> None:
        self.witness = Witness(self._counts.with_name("witness"))

    @property
    def _counts(self) -> Path:
        return self.counts or self.path

    def up(self) -> None:
        UP[self.path] = None
        self.witness.start()
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
                if self.by_hand and (offered := self._offered(client)) and self.source.random() < ACCEPT_AT_ONCE:
                    self._accept(self.source.choice(offered))
                    return
                there = [w.name for w in client.list(Workload).items if w.metadata.deletion_timestamp is None]
                chance = self.source.random()
                # Few at a time and not all for as long: else all but the first are only ever offered for later.
                if DELETED <= chance < ENDED and (standing := self._standing(client)):
                    self._end(client, self.source.choice(standing))
                elif len(there) >= AT_ONCE_MAX or (there and chance < DELETED):
                    name = self.source.choice(there)
                    # Before the call: a deletion whose answer is lost may have happened.
                    self.deleted.add(name)
                    client.delete(Workload, name, namespace="default")
                else:
                    self.made += 1
                    by_hand = bool(self.by_hand) and self.source.random() < self.by_hand
                    name = f"{BY_HAND if by_hand else 'count'}-{self.made}"
                    acceptance, term = "manual" if by_hand else "auto", self.source.choice(TERMS)
                    client.create(self.workload(name, acceptance=acceptance, term=term))
                    self.acknowledged.add(name)
        except (Unreachable, NotFound, AlreadyExists, Conflict, WaitTimeout, SdkError):
            return  # nobody acknowledged it

    @staticmethod
    def _standing(client: Client) -> list[Contract]:
        return [c for c in client.list(Contract).items if c.status is not None and c.status.phase == "Active"]

    def _end(self, client: Client, contract: Contract) -> None:
        """As `tenure end --no-wait` does."""
        # Before the call, as above. Its need is not answered again, so that its counter is not begun anew.
        self.ended.add(contract.spec.workload.name)
        client.delete(Contract, contract.name, namespace=contract.namespace, uid=contract.uid)

    def accept_first(self, name: str) -> None:
        """Request one by hand where nothing else is asked for, and accept it; returns once that was acknowledged."""
        with self.client() as client:
            client.create(self.workload(name, acceptance="manual"))
            self.acknowledged.add(name)
            give_up = time.monotonic() + WAIT_SECONDS
            while not (offered := self._offered(client)):
                assert time.monotonic() < give_up, f"nothing was offered to {name}"
                time.sleep(0.2)
        self._accept(offered[0], WAIT_SECONDS)

    def _offered(self, client: Client) -> list[Offer]:
        """What is held for a user's choice and begins now."""
        soon_ms = time.time_ns() // 10**6 + 1000
        return [
            offer
            for offer in client.list(Offer).items
            if offer.status
            and offer.status.phase == "Held"
            and offer.spec.purpose == "Offer"
            and int(offer.spec.hold.start) <= soon_ms
            and offer.spec.workload.name.startswith(BY_HAND)
            and offer.spec.workload.name not in self.accepted.values()
            and offer.spec.workload.name not in self.deleted
        ]

    def _accept(self, offer: Offer, seconds: float = ACCEPT_SECONDS) -> None:
        """As `tenure accept --no-wait` does: acknowledged once it is committed."""
        with SdkClient(discover(self.path), namespace="default") as client:
            contract = client.accept(offer, wait=False, timeout_seconds=seconds)
        self.accepted[contract.name] = offer.spec.workload.name

    def workload(
        self, name: str, command: list[str] | None = None, acceptance: str = "auto", term: str = "1h"
    ) -> Workload:
        """A command that counts, or another, for an hour or another term."""
        counting = [sys.executable, "-c", COUNTER, str(self._counts / f"{name}.count")]
        return Workload.model_validate(
            {
                "metadata": {"name": name, "namespace": "default"},
                "spec": {
                    "command": {},
                    "acceptance": acceptance,
                    "term": {"duration": term},
                    "run": {"command": command or counting},
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
        UP.pop(self.path, None)
        self.witness.stop()
        stop_plane(self.path)
        end_all_runs(self.path)

    def counters(self) -> dict[str, Counted]:
        """Each workload's own counter."""
        return read(self._counts)

    def assert_no_gap(self, name: str, after: str = "") -> None:
        """That a workload counted on, as far as the machine let anybody."""
        assert_no_gap(f"{name}{after}", self.counters()[name], self.witness.silences())


def processes_about(path: Path) -> dict[int, str]:
    """What runs and names this folder in its command, its environment or as its working directory, by pid."""
    named = str(path).encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):  # gone, or somebody else's
            command = (entry / "cmdline").read_bytes()
            seen = (command, (entry / "environ").read_bytes(), os.fsencode((entry / "cwd").readlink()))
            if any(named in text for text in seen):
                found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


def assert_no_gap(name: str, counted: Counted, of_others: Sequence[Silence] = ()) -> None:
    """Counted up one by one, never restarted, never two at once, never silent while witnesses were not."""
    for (n, t), (m, u) in itertools.pairwise(counted):
        assert m == n + 1, f"{name}: {n} is followed by {m}: restarted or doubled"
        if u - t > GAP_SECONDS_MAX:
            own = own_silence(t, u, of_others)
            assert own <= GAP_SECONDS_MAX, f"{name}: silent for {u - t:.2f} s, {own:.2f} s of them alone"
