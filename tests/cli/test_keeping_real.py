"""A home copied while it runs, lost, and put back: the same objects, evidence and work; damage is refused."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs
import pytest

from tenure.cli.running import end_all_runs, plane_of
from tenure.cli.schemas import OUTPUTS
from tests.requirements.home import House, house
from tests.requirements.served import active, until

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = house(tmp_path_factory.mktemp("keeping"))
    made.must("apply", "-f", made.command("work", extra="  acceptance: auto\n"))
    try:
        _pid(made)
        yield made
    finally:
        made.close()


def _pid(home: House) -> int:
    """Of the work of the Active contract, once there is one."""
    status = until(lambda: active(home, "work"), what="it is Active").status
    assert status is not None
    assert status.run is not None
    assert status.run.pid is not None
    return status.run.pid


def test_twin_elsewhere_the_recount_says_that_the_work_does_not_run(home: House, tmp_path: Path) -> None:
    home.must("backup", tmp_path / "backup")
    other = House(tmp_path / "other")
    said = other.tenure("restore", tmp_path / "backup")
    assert said.code == 1
    assert "ContractNotRunning" in said.out
    assert end_all_runs(other.path) == []


def test_damage_is_refused_by_name_and_nothing_is_put_back(home: House, tmp_path: Path) -> None:
    file, other = tmp_path / "backup", House(tmp_path / "other")
    home.must("backup", file)
    content = file.read_bytes()
    place = content.index(b"SQLite format 3", content.index(b"state.db\0")) + 5000
    file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    said = other.tenure("restore", file)
    assert said.code == 7
    assert "state.db is not as it was written" in said.err
    assert not other.path.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["backup"]


def test_a_home_that_is_not_empty_is_left_alone(home: House, tmp_path: Path) -> None:
    home.must("backup", tmp_path / "backup")
    said = home.tenure("restore", tmp_path / "backup")
    assert (said.code, "HomeNotEmpty" in said.err) == (4, True)
    assert home.tenure("backup", tmp_path / "backup").code == 4


def test_a_copy_is_whole_while_objects_are_written(home: House, tmp_path: Path) -> None:
    for number in range(3):
        home.must("label", "workload", "work", f"count={number}", "--overwrite")
        home.must("backup", tmp_path / f"backup-{number}")
        other = House(tmp_path / f"other-{number}")
        other.tenure("restore", tmp_path / f"backup-{number}")
        with sqlite3.connect(other.path / "state.db") as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_lost_home_comes_back_and_its_work_never_stopped(home: House, tmp_path: Path) -> None:
    pid, file = _pid(home), tmp_path / "backup"
    before = home.must("get", "contracts,workloads", "-o", "json").json["items"]
    jsonschema_rs.validate(OUTPUTS["Backup"], home.must("backup", file, "-o", "json").json)
    running = plane_of(home.path)
    assert running is not None
    os.kill(running["pid"], signal.SIGKILL)
    lost = home.path.with_name("lost")
    home.path.rename(lost)
    restored = home.must("restore", file, "-o", "json").json
    jsonschema_rs.validate(OUTPUTS["Restored"], restored)
    assert (restored["agrees"], restored["findings"]) == (True, [])
    home.must("up")
    after = home.must("get", "contracts,workloads", "-o", "json").json["items"]
    assert [o["metadata"]["uid"] for o in after] == [o["metadata"]["uid"] for o in before]
    assert _pid(home) == pid
    home.must("ledger", "check")
    home.must("down")
    home.must("up")
    home.must("end", "work")
    assert home.must("ledger", "check", "-o", "json").json["runs"] == 0
    shutil.rmtree(lost)
