"""SIGKILL at any moment: what was acknowledged is there afterwards, and nothing is half there."""

import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tenure.store import Store
from tests.store.builders import RESOURCES, WIDGETS

WRITER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from tests.store.builders import WIDGETS, open_store, widget
    store = open_store(Path(sys.argv[1]))
    print("open", flush=True)
    round = sys.argv[2]
    for batch in range(10**6):
        names = [f"w{round}-{batch}-{i}" for i in range(8)]
        futures = [store.create(WIDGETS, widget(name)) for name in names]
        for name, future in zip(names, futures):
            future.result()
            print(name, flush=True)
""")


def run_and_kill(folder: Path, round: int, seconds: float) -> list[str]:
    """Names whose creation was acknowledged before the process was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(round)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    try:
        process.wait(timeout=seconds)
        raise AssertionError("the writer ended by itself")
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    lines = process.stdout.read().split("\n")
    process.wait()
    return lines[:-1]  # the last one may be cut


def check(folder: Path, acknowledged: set[str]) -> None:
    store = Store(folder / "state.db", RESOURCES)
    assert store.refusal is None
    found, page = {}, store.list(WIDGETS)
    found.update({item.name: item for item in page.items})
    while page.more:
        page = store.list(WIDGETS, after=(page.items[-1].namespace, page.items[-1].name), at=page.version)
        found.update({item.name: item for item in page.items})
    assert acknowledged <= set(found)
    versions = [item.version for item in found.values()]
    assert len(set(versions)) == len(versions)
    logged: dict[str, Any] = {}
    cursor = 0
    while cursor < store.version:
        piece = store.changes(WIDGETS, cursor)
        logged |= {change.name: change.body for change in piece.items}
        cursor = piece.through
    assert logged == {name: item.body for name, item in found.items()}
    store.close()


def rounds(folder: Path, count: int, seed: int) -> None:
    chance = random.Random(seed)
    acknowledged: set[str] = set()
    some = False
    for round in range(count):
        home = folder / str(round // 20)  # a new one now and then, so that checking stays quick
        if round % 20 == 0:
            acknowledged = set()
        acknowledged |= set(run_and_kill(home, round, chance.uniform(0.01, 0.15)))
        check(home, acknowledged)
        some = some or bool(acknowledged)
    assert some, "no kill came after an acknowledged write"


def test_acknowledged_writes_survive(tmp_path: Path) -> None:
    rounds(tmp_path, 3, seed=1)


@pytest.mark.slow
def test_acknowledged_writes_survive_two_hundred_kills(tmp_path: Path) -> None:
    rounds(tmp_path, 200, seed=2)
