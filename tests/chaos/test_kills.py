"""The control plane is killed at random moments: nothing acknowledged is lost, no run doubled or restarted, and after
every kill the ledger, the contracts, the evidence log and what runs agree. Users delete and end; short terms end by
themselves. Once all records are ended, no process is left.

20 kills by default; TENURE_KILLS=200 for many, TENURE_SEED to repeat one.
"""

import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.engines import LocalEngine
from tenure.resources import Contract, Workload
from tests.chaos.agreement import log_differences, lost_acceptances, stated
from tests.chaos.harness import WAIT_SECONDS, Home, processes_about
from tests.requirements.home import House

pytestmark = pytest.mark.real
KILLS = int(os.environ.get("TENURE_KILLS", "20"))
SEED = int(os.environ.get("TENURE_SEED", str(random.SystemRandom().randrange(10**6))))
BY_HAND = 0.5


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home", random.Random(SEED), by_hand=BY_HAND)
    try:
        yield made
    finally:
        made.clean()


def test_control_is_not_in_the_data_path(home: Home) -> None:
    print(f"{KILLS} kills, seed {SEED}")
    home.up()
    home.accept_first("hand-0")
    waited = []
    for round_number in range(KILLS):
        stop = threading.Event()
        user = threading.Thread(target=_torment, args=(home, stop))
        user.start()
        time.sleep(home.source.uniform(0.0, 1.5))
        home.kill()
        stop.set()
        user.join()
        _counters_go_on(home, round_number)
        home.up()
        waited.append(_agrees(home, f"kill {round_number + 1}"))
    _tell(home, waited)
    _leaves_nobody(home)


def _torment(home: Home, stop: threading.Event) -> None:
    while not stop.is_set():
        home.disturb()
        stop.wait(0.1)


def _counters_go_on(home: Home, round_number: int) -> None:
    for name in home.counters():
        home.assert_no_gap(name, f" after kill {round_number + 1}")


def _agrees(home: Home, after: str) -> float:
    """Wait, and not for ever, until nothing differs any more; how many seconds that took."""
    begun = time.monotonic()
    while found := _differences(home):
        assert time.monotonic() - begun < WAIT_SECONDS, f"after {after}: {found}"
        time.sleep(0.3)
    return time.monotonic() - begun


def _differences(home: Home) -> list[str]:
    """What was lost, halved, orphaned, doubled or restarted, and where two records disagree."""
    said = House(home.path).tenure("ledger", "check", "-o", "json")
    found = [] if said.code == 0 else [f"ledger check: {said.out}{said.err}"]
    with home.client() as client:
        there = {w.name for w in client.list(Workload).items if w.metadata.deletion_timestamp is None}
        contracts = client.list(Contract).items
    found += [f"{name} was acknowledged, and is lost" for name in home.acknowledged - home.deleted - there]
    now_ms = time.time_ns() // 10**6
    found += lost_acceptances(contracts, home.accepted, home.deleted | home.ended, now_ms)
    found += log_differences(contracts, stated(home.path))
    engine = LocalEngine(home.path)
    alive = {state.run_id: state for state in engine.runs() if not state.final}
    contracted = {c.spec.hold.id for c in contracts if c.status and c.status.phase == "Active"}
    if set(alive) != contracted:
        found.append(f"{sorted(alive)} run, {sorted(contracted)} are contracted")
    found += [f"{run_id} was restarted" for run_id, state in alive.items() if state.work.restarts]
    return found


def _leaves_nobody(home: Home) -> None:
    """Every process is somebody's by a record: with the records ended, no process of this home is left."""
    assert processes_about(home.path), "twin: its control plane at least is seen"
    home.clean()
    give_up = time.monotonic() + WAIT_SECONDS
    while left := processes_about(home.path):
        assert time.monotonic() < give_up, f"no record knew of {left}"
        time.sleep(0.3)


def _tell(home: Home, waited: list[float]) -> None:
    said = stated(home.path)
    print(
        f"{len(waited)} kills, each followed by agreement within {max(waited, default=0):.1f} s: "
        f"{len(home.acknowledged)} workloads acknowledged, {len(home.deleted)} deleted, "
        f"the contracts of {len(home.ended)} ended by their user, "
        f"{len(home.accepted)} offers accepted by hand; "
        f"{len(said.signed)} contracts signed, {len(said.settled)} settled: {dict(said.because)}"
    )
