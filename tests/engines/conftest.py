"""An empty local engine for each test; whatever a test left running is stopped, and nothing may stay behind."""

import contextlib
import glob
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tenure.engines import EngineFailure, LocalEngine
from tenure.engines.local import examine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[LocalEngine]:
    local = LocalEngine(tmp_path / "home")
    yield local
    for run in local.runs():
        with contextlib.suppress(EngineFailure):
            local.stop(run.run_id, grace_ms=0)
        examine.clean(local.group, run.run_id)
    left = [run for run in local.runs() if run.processes]
    assert left == [], "processes stayed behind"
    assert glob.glob(f"/sys/fs/cgroup/*/{local.group}") == [], "control groups stayed behind"


@pytest.fixture
def again(engine: LocalEngine) -> Callable[[], LocalEngine]:
    return lambda: LocalEngine(engine.home)
