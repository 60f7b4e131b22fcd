"""A contract whose run the kernel reports elsewhere than on its cores does not become Active: it ends, and says why.

The control plane runs in this process over real processes, so that somebody else's hand can reach in at the one moment
that matters: after the run is started, before it is read back.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tenure.cli.running import end_all_runs
from tenure.client import AsyncClient, from_home
from tenure.controllers.assembly import plane_of, run_plane
from tenure.engines import LocalEngine, RunSpec, RunState
from tenure.quantities import SystemClock
from tenure.server import serving
from tenure.topology import format_cpu_list
from tests.requirements.home import House
from tests.requirements.served import until
from tests.support.threads import in_thread

pytestmark = pytest.mark.real


class MeddledEngine(LocalEngine):
    """The local engine of a machine on which somebody moves what was just started: groups first, then each thread."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.refused = ""
        self.moved: list[int] = []

    def start(self, spec: RunSpec) -> RunState:
        """Start it, then move all of it to CPUs that are not its own."""
        state = super().start(spec)
        elsewhere = set(range(os.cpu_count() or 1)) - set(spec.cpus)
        process = state.work.process
        if not elsewhere:
            self.refused = "this machine has no core outside the contract's to move it to"
        elif process is not None:
            self.moved.append(process.pid)
            try:
                for group in state.confinement.groups if state.confinement else ():
                    cpus = Path(group) / "cpuset.cpus"
                    if cpus.exists():
                        cpus.write_text(format_cpu_list(sorted(elsewhere)))
                for task in Path(f"/proc/{process.pid}/task").iterdir():
                    os.sched_setaffinity(int(task.name), elsewhere)
            except OSError as error:
                self.refused = f"this user may not move it: {error}"
        return state


@contextmanager
def controlled(home: Path, engine: LocalEngine) -> Iterator[House]:
    """A home whose control plane runs here, with this engine."""

    @asynccontextmanager
    async def control() -> AsyncIterator[None]:
        async with (
            serving(home),
            AsyncClient(lambda: from_home(home, "controllers")) as client,
            plane_of(client, home, SystemClock()) as plane,
        ):
            plane.engine = engine
            ready = asyncio.Event()
            controllers = asyncio.create_task(run_plane(plane, ready.set))
            await ready.wait()
            try:
                yield
            finally:
                controllers.cancel()
                with suppress(asyncio.CancelledError):
                    await controllers

    try:
        with in_thread(control):
            yield House(home)
    finally:
        end_all_runs(home)


def contracts(home: House) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = home.must("get", "contracts", "-o", "json").json["items"]
    return items


def ended(home: House) -> dict[str, Any] | None:
    return next((c for c in contracts(home) if c.get("status", {}).get("phase") == "Ended"), None)


def events(home: House) -> list[dict[str, Any]]:
    return [e for e in home.must("events", "-o", "json").json["items"] if e["involvedObject"]["kind"] == "Contract"]


def test_a_run_that_was_moved_before_it_was_read_back_never_becomes_active(tmp_path: Path) -> None:
    engine = MeddledEngine(tmp_path / "home")
    with controlled(tmp_path / "home", engine) as home:
        said = home.tenure("request", "-f", home.command("moved"), "--accept", "best")
        if engine.refused:
            pytest.skip(engine.refused)
        assert said.code == 1, said
        assert "ReadBackDiffers" in said.err

        contract = until(lambda: ended(home))
        status = contract["status"]
        assert status["endedBecause"] == "ReadBackDiffers"
        assert "signature" not in status
        cpus = next(fact for fact in status["run"]["readBack"] if fact["what"] == "cpus")
        assert cpus["agrees"] is False
        assert cpus["expected"] != cpus["found"]

        reasons = {event["reason"]: event for event in events(home)}
        assert "Active" not in reasons
        assert reasons["ReadBackDiffers"]["type"] == "Warning"
        assert (
            f"the contract holds {cpus['expected']}, the kernel says {cpus['found']}"
            in (reasons["ReadBackDiffers"]["message"])
        )

        told = home.must("why", f"contract/{contract['metadata']['name']}").out
        assert "ReadBackDiffers" in told
        assert f"the kernel says {cpus['found']}" in " ".join(told.split())

        assert engine.moved
        assert not any(Path(f"/proc/{pid}").exists() for pid in engine.moved)
        books = home.must("ledger", "show", "-o", "json").json["holds"]
        assert [held for held in books if held["kind"] == "Contract"] == []
        agreed = home.must("ledger", "check", "-o", "json").json
        assert (agreed["agrees"], agreed["runs"]) == (True, 0)


def test_twin_the_same_run_left_alone_becomes_active(tmp_path: Path) -> None:
    with controlled(tmp_path / "home", LocalEngine(tmp_path / "home")) as home:
        home.must("request", "-f", home.command("left-alone"), "--accept", "best")
        (contract,) = contracts(home)
        status = contract["status"]
        assert (status["phase"], "signature" in status) == ("Active", True)
        assert all(fact["agrees"] for fact in status["run"]["readBack"])
        # Recorded after it is Active, as of which the request has answered.
        until(lambda: "Active" in {event["reason"] for event in events(home)}, what=lambda: str(events(home)))
        assert home.must("ledger", "check", "-o", "json").json["runs"] == 1
        home.must("end", "left-alone")
