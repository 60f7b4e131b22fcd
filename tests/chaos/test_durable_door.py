"""The whole plane on a bad disk and a bad clock: writes are refused with the reason, all else goes on and recovers."""

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tenure.cli.running import stop_plane
from tenure.client import NotFound, Refusing
from tenure.engines import LocalEngine
from tenure.quantities import format_instant, parse_instant
from tenure.resources import Contract, Offer, Workload
from tests.chaos.clocks import shifted_clock
from tests.chaos.disks import breakable_disk, filled, small_disk, turn_read_only
from tests.chaos.harness import Home
from tests.requirements.home import House

pytestmark = pytest.mark.real
SECONDS = 90
HOUR = 3600.0


def until(true: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up, what
        time.sleep(0.2)


def working(path: Path, counts: Path, python: str | None = None) -> Home:
    """A home that is up, with one contracted workload that counts on another disk."""
    counts.mkdir()
    home = Home(path, random.Random(4), counts=counts, python=python or sys.executable)
    home.up()
    with home.client() as client:
        client.create(home.workload("count"))
    until(lambda: active(home) and counted(home) > 5, "the workload counts under its contract")
    return home


def active(home: Home) -> Contract | None:
    with home.client() as client:
        found = client.list(Contract).items
    return next((c for c in found if c.status is not None and c.status.phase == "Active"), None)


def counted(home: Home) -> int:
    return len(home.counters().get("count", []))


def goes_on(home: Home) -> None:
    """The workload counts, and has never paused, been doubled or restarted."""
    before = counted(home)
    until(lambda: counted(home) > before + 10, "the workload runs on")
    home.assert_no_gap("count")


def refused(home: Home, name: str) -> str:
    """The words with which a write is refused; it must not be taken."""
    with home.client() as client:
        with pytest.raises(Refusing) as found:
            client.create(home.workload(name))
        with pytest.raises(NotFound):
            client.get(Workload, name, namespace="default")
    return str(found.value)


def all_is_well(home: Home, run_id: str) -> None:
    """The books agree, the same process runs on, and a write is taken again."""
    assert home.settle()["exit"] == 0
    state = LocalEngine(home.path).state(run_id)
    assert (state.final, state.work.restarts) == (False, 0)
    with home.client() as client:
        client.create(home.workload("after"))
        until(lambda: client.get(Workload, "after", namespace="default").status, "it is worked on")
    goes_on(home)


def run_of(home: Home) -> str:
    found = active(home)
    assert found is not None
    return found.spec.hold.id


@pytest.fixture
def full(tmp_path: Path) -> Iterator[tuple[Home, Path]]:
    with small_disk(tmp_path / "disk", 32) as disk:
        home = working(disk / "home", tmp_path / "counts")
        try:
            yield home, disk
        finally:
            home.clean()


def test_a_full_disk(full: tuple[Home, Path]) -> None:
    home, disk = full
    run_id = run_of(home)
    cli = House(home.path)
    with filled(disk):
        assert "is full" in refused(home, "late")
        said = cli.tenure("status")
        assert said.code == 7, "what cannot be written down is not vouched for"
        assert "takes no writes" in said.out
        assert cli.tenure("get", "contracts").code == 0, "reads go on"
        assert not shown_ready(cli), "what cannot be written down is not shown as ready either"
        assert cli.tenure("doctor").code != 0
        goes_on(home)
    until(lambda: cli.tenure("status").code == 0, "it recovers by itself")
    until(lambda: shown_ready(cli), "and is ready again")
    all_is_well(home, run_id)


def test_a_disk_that_turns_read_only(tmp_path: Path) -> None:
    with breakable_disk(tmp_path / "disk") as disk:
        home = working(disk / "home", tmp_path / "counts")
        try:
            turn_read_only(disk)
            assert "may not be written" in refused(home, "late") or "failed" in refused(home, "late")
            cli = House(home.path)
            assert cli.tenure("get", "contracts").code == 0, "reads go on"
            assert cli.tenure("status").code == 7
            assert not shown_ready(cli)
            goes_on(home)
        finally:
            kill_everything(home)


def shown_ready(cli: House) -> bool:
    """Whether anybody is told that it is ready: by its condition, by the column, by a wait."""
    items = cli.must("get", "contracts", "-o", "json").json["items"]
    if not items:
        return False  # its last writes were lost
    (contract,) = items
    waited = cli.tenure("wait", "contract", contract["metadata"]["name"], "--for=condition=Ready", "--timeout=1s")
    heading, row = cli.must("get", "contracts").out.splitlines()[:2]
    column = row[heading.index("READY") :].split()[0]
    told = {conditions_of(contract).get("Ready") == "True", column == "True", waited.code == 0}
    return True in told


def conditions_of(contract: dict[str, Any]) -> dict[str, str]:
    return {one["type"]: one["status"] for one in contract["status"]["conditions"]}


def test_after_a_kill_it_is_not_ready_before_somebody_has_looked(tmp_path: Path) -> None:
    home = working(tmp_path / "home", tmp_path / "counts")
    try:
        cli = House(home.path)
        until(lambda: shown_ready(cli), "twin: it is ready before")
        home.kill()
        killed = format_instant(time.time_ns() // 10**6)
        home.up()
        give_up = time.monotonic() + SECONDS
        while True:
            (contract,) = cli.must("get", "contracts", "-o", "json").json["items"]
            ready = conditions_of(contract)["Ready"] == "True"
            seen = contract["status"]["observedAt"]
            assert not ready or parse_instant(seen) > parse_instant(killed), f"ready by what was seen at {seen}"
            if ready:
                break
            assert time.monotonic() < give_up, "it is looked at, and ready again"
        goes_on(home)
    finally:
        home.clean()


def kill_everything(home: Home) -> None:
    """Nothing can be ended in order there: what cannot be recorded is not done."""
    stop_plane(home.path)
    home.witness.stop()
    for process in psutil.process_iter(["cmdline"]):
        if any(str(home.path) in word or str(home.counts) in word for word in process.info["cmdline"] or ()):
            with suppress(psutil.NoSuchProcess):
                process.kill()


@pytest.mark.parametrize("left", [0.5, 0.9])
def test_a_log_that_lost_its_end(tmp_path: Path, left: float) -> None:
    home = working(tmp_path / "home", tmp_path / "counts")
    try:
        run_id = run_of(home)
        home.kill()
        wal = home.path / "state.db-wal"
        until(lambda: not _open(wal), "the killed process is gone")
        whole = wal.read_bytes()
        os.truncate(wal, int(len(whole) * left))
        cli = House(home.path)
        said = cli.tenure("up")
        assert said.code == 7
        assert "for reading only" in said.err
        assert "its last writes were lost" in said.err
        assert "its last writes were lost" in refused(home, "late")
        assert cli.tenure("get", "workloads").code == 0, "reads go on"
        assert cli.tenure("status").code == 7
        assert not shown_ready(cli), "nobody looks at it"
        goes_on(home)
        cli.must("down")
        (home.path / "state.db-shm").unlink(missing_ok=True)
        wal.write_bytes(whole)
        home.up()
        all_is_well(home, run_id)
    finally:
        home.clean()


def _open(path: Path) -> bool:
    """Whether some process has it open."""
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link) == str(path):
                return True
        except OSError:
            continue
    return False


@pytest.fixture
def shifted(tmp_path: Path) -> Iterator[tuple[Home, Callable[[float], None]]]:
    clock = shifted_clock(tmp_path / "python")
    home = working(tmp_path / "home", tmp_path / "counts", clock.python)
    with home.client() as client:
        wanted = home.workload("offered")
        manual = wanted.spec.model_copy(update={"acceptance": "manual"})
        client.create(wanted.model_copy(update={"spec": manual}))
    until(lambda: held(home), "an offer is held")
    try:
        yield home, clock.set
    finally:
        clock.set(0)
        home.clean()


def held(home: Home) -> list[str]:
    with home.client() as client:
        found = client.list(Offer).items
    return [o.name for o in found if o.status is not None and o.status.phase == "Held"]


def test_a_clock_that_jumps_an_hour_either_way_ends_and_expires_nothing(
    shifted: tuple[Home, Callable[[float], None]],
) -> None:
    home, jump = shifted
    run_id, offers = run_of(home), held(home)
    for seconds in (HOUR, -HOUR, 0.0):
        jump(seconds)
        goes_on(home)
        time.sleep(3)
        assert held(home) == offers, "no offer expires, none is made anew"
        assert run_of(home) == run_id
    all_is_well(home, run_id)
    assert "the clock was set" in (home.path / "plane.log").read_text()


def test_twin_a_new_process_takes_the_clock_as_it_stands(shifted: tuple[Home, Callable[[float], None]]) -> None:
    home, jump = shifted
    offers = held(home)
    home.kill()
    jump(2 * HOUR)
    home.up()
    until(lambda: not set(offers) & set(held(home)), "two hours later the offer is over")
    until(lambda: active(home) is None, "and so is the hour of its contract")
