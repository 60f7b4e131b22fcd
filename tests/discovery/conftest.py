"""Recorded trees are unpacked once a session; tests skip where the data is absent."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tenure.discovery import scan
from tenure.topology import ObservedMachine
from tests.discovery.trees import unpacked
from tests.support.data import data_dir

Recorded = Callable[[str], ObservedMachine]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A recorded machine by the name of its archive, scanned through the code that scans the running system."""
    known: dict[str, ObservedMachine] = {}

    def machine(name: str) -> ObservedMachine:
        if name not in known:
            root: Path = unpacked(data_dir("hwloc", f"{name}.tar.bz2"), tmp_path_factory.mktemp("recorded"))
            known[name] = scan(root)
        return known[name]

    return machine
