"""The control plane is killed at random moments: nothing acknowledged is lost, no run doubled or restarted."""

import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.engines import LocalEngine
from tenure.resources import Contract, Workload
from tests.chaos.harness import Home, assert_no_gap

pytestmark = pytest.mark.real
KILLS = int(os.environ.get("TENURE_KILLS", "20"))
SEED = int(os.environ.get("TENURE_SEED", str(random.SystemRandom().randrange(10**6))))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home", random.Random(SEED))
    try:
        yield made
    finally:
        made.clean()


def test_control_is_not_in_the_data_path(home: Home) -> None:
    print(f"{KILLS} kills, seed {SEED}")
    for round_number in range(KILLS):
        home.up()
        stop = threading.Event()
        user = threading.Thread(target=_torment, args=(home, stop))
        user.start()
        time.sleep(home.source.uniform(0.0, 1.5))
        home.kill()
        stop.set()
        user.join()
        _counters_go_on(home, round_number)
    home.up()
    _all_is_well(home)


def _torment(home: Home, stop: threading.Event) -> None:
    while not stop.is_set():
        home.disturb()
        stop.wait(0.1)


def _counters_go_on(home: Home, round_number: int) -> None:
    for name, counted in home.counters().items():
        assert_no_gap(f"{name} after kill {round_number + 1}", counted)


def _all_is_well(home: Home) -> None:
    found = home.settle()
    assert found["exit"] == 0, found["findings"]
    with home.client() as client:
        there = {w.name for w in client.list(Workload).items if w.metadata.deletion_timestamp is None}
        lost = home.acknowledged - home.deleted - there
        assert not lost, f"acknowledged and lost: {sorted(lost)}"
        active = [c for c in client.list(Contract).items if c.status and c.status.phase == "Active"]
    engine = LocalEngine(home.path)
    alive = {state.run_id for state in engine.runs() if not state.final}
    assert alive == {c.spec.hold.id for c in active}, "what runs is what is contracted, no more and no less"
    assert all(engine.state(run_id).work.restarts == 0 for run_id in alive)
