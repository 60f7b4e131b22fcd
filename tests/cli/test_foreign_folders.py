"""No home is made of a folder that holds something of somebody else: what lies in a home goes with it."""

from pathlib import Path

import pytest

from tenure.cli import homes
from tenure.cli.ledger import simulated_facts
from tests.cli.host import Shell
from tests.requirements.fleets import fleet, hopper

PURGE = ("down", "--purge", "--yes")


@pytest.fixture(autouse=True)
def became(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The control planes that this process would have become."""
    found: list[list[str]] = []

    def become(_program: str, command: list[str]) -> None:
        found.append(command)
        raise SystemExit(0)

    monkeypatch.setattr("tenure.cli.running.os.execv", become)
    return found


def treasured(folder: Path) -> Path:
    """A folder with years of work in it, of a name that databases of others have too."""
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "thesis.txt").write_text("years of work")
    (folder / "state.db").write_text("of another program")
    return folder


def held(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def making(tmp_path: Path) -> list[tuple[object, ...]]:
    """Every way in which a home is made, but `restore`, which takes nothing but an empty folder."""
    table = fleet(tmp_path / "fleet.csv", hopper("m-0", "rack-0"))
    return [("up", "--foreground"), ("up", "--foreground", "--fleet", table), ("up",), ("quickstart",)]


def test_a_folder_of_somebody_else_is_refused_before_anything_is_written(
    offline: Shell, tmp_path: Path, became: list[list[str]]
) -> None:
    treasured(offline.home)
    before = held(offline.home)
    for command in making(tmp_path):
        ran = offline(*command)
        assert (ran.code, ran.out, became) == (2, "", []), command
        assert "[NotAHome]" in ran.err, command
        assert f"such as {offline.home / 'tenure'}" in " ".join(ran.err.split()), command
        assert held(offline.home) == before, command
    assert "[NotAHome]" in offline(*PURGE).err
    assert held(offline.home) == before


@pytest.mark.parametrize("named", [("--home", "."), ("--home=.",)])
def test_so_is_the_folder_that_one_stands_in(
    offline: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: tuple[str, ...]
) -> None:
    monkeypatch.chdir(treasured(tmp_path / "mine"))
    assert "[NotAHome]" in offline(*named, "up", "--foreground").err
    assert held(tmp_path / "mine") == {"sub", "sub/thesis.txt", "state.db"}


def test_and_one_behind_a_link(offline: Shell, tmp_path: Path) -> None:
    offline.home.symlink_to(treasured(tmp_path / "mine"))
    assert "[NotAHome]" in offline("up", "--foreground").err
    assert held(tmp_path / "mine") == {"sub", "sub/thesis.txt", "state.db"}


def test_a_file_and_a_link_to_nothing_become_no_home(offline: Shell, tmp_path: Path) -> None:
    offline.home.symlink_to(tmp_path / "gone")
    assert "[NotAHome]" in offline("up", "--foreground").err
    assert not (tmp_path / "gone").exists()
    offline.home.unlink()
    offline.home.write_text("years of work")
    assert "[NotAHome]" in offline("up", "--foreground").err
    assert offline.home.read_text() == "years of work"


def test_twin_an_absent_folder_an_empty_one_and_a_link_to_one_become_homes(
    offline: Shell, tmp_path: Path, became: list[list[str]]
) -> None:
    assert offline("up", "--foreground").code == 0
    assert offline("up", "--foreground").code == 0, "and a home stays one"
    assert offline(*PURGE).code == 0
    offline.home.mkdir()
    assert offline("up", "--foreground").code == 0
    assert offline(*PURGE).code == 0
    (tmp_path / "empty").mkdir()
    offline.home.symlink_to(tmp_path / "empty")
    assert offline("up", "--foreground").code == 0
    assert len(became) == 4


def test_a_home_whose_making_was_cut_off_is_one(
    offline: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    table = fleet(tmp_path / "fleet.csv", hopper("m-0", "rack-0"))
    monkeypatch.setattr("tenure.cli.fleet_file.shutil.copyfile", cut_off)
    assert offline("up", "--foreground", "--fleet", table).code == 130
    assert held(offline.home) >= {"fleet", homes.FIRST_MARK}
    monkeypatch.undo()
    assert offline(*PURGE).code == 0
    assert not offline.home.exists()


def test_no_home_is_begun_by_counting_what_runs_on_a_fleet_elsewhere(offline: Shell) -> None:
    assert simulated_facts() == []
    assert not offline.home.exists()


def test_a_home_that_was_open_to_others_is_closed_with_all_that_lies_in_it(offline: Shell, tmp_path: Path) -> None:
    offline.home.mkdir(mode=0o755)
    offline.home.chmod(0o755)
    (offline.home / "runs" / "one").mkdir(parents=True)
    (offline.home / homes.FIRST_MARK).touch()
    for name in ("state.db", "runs/one/start.sh"):
        (offline.home / name).touch()
        (offline.home / name).chmod(0o755)
    (tmp_path / "another").touch()
    (tmp_path / "another").chmod(0o644)
    (offline.home / "link").symlink_to(tmp_path / "another")
    (offline.home / "dangling").symlink_to(tmp_path / "nothing")
    assert offline("up", "--foreground").code == 0
    open_still = [p for p in (offline.home, *offline.home.rglob("*")) if not p.is_symlink() and p.stat().st_mode & 0o77]
    assert open_still == []
    assert (offline.home / "runs" / "one" / "start.sh").stat().st_mode & 0o700 == 0o700, "its owner may what he could"
    assert (tmp_path / "another").stat().st_mode & 0o777 == 0o644, "a link says nothing of what it names"
