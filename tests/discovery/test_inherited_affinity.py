"""What Tenure may sell follows from the machine and its cpuset, not from the affinity of the shell that started it."""

import os
from pathlib import Path

import pytest

from tests.requirements.home import House, house

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one CPU cannot be narrowed"),
]


def test_a_plane_started_from_a_narrowed_shell_sells_what_the_machine_has(tmp_path: Path) -> None:
    everywhere = os.sched_getaffinity(0)
    first = house(tmp_path)
    try:
        before = _sellable(first)
        first.must("down")
        os.sched_setaffinity(0, {min(everywhere)})
        first.must("up")
        assert _sellable(first) == before
    finally:
        os.sched_setaffinity(0, everywhere)
        first.close()


def _sellable(home: House) -> list[int]:
    return list(home.must("get", "machines", "-o", "json").json["items"][0]["status"]["sellableCores"])
