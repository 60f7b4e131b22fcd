"""No home is made of a folder that holds something of somebody else: what lies in a home goes with it."""

import os
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tenure.cli import daemon, homes
from tenure.cli.failures import Failure
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


async def test_the_control_plane_judges_its_folder_itself(tmp_path: Path) -> None:
    """Whoever started it may have judged another one."""
    theirs = treasured(tmp_path / "theirs")
    theirs.chmod(0o755)
    with pytest.raises(Failure, match="not empty and no home"):
        await daemon.run(theirs)
    assert held(theirs) == {"sub", "sub/thesis.txt", "state.db"}
    assert stat.S_IMODE(theirs.stat().st_mode) == 0o755


def test_a_relative_home_is_one_folder_wherever_its_control_plane_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[list[str], str]] = []

    def start(command: list[str], *, cwd: str, **_: Any) -> Any:
        started.append((command, cwd))
        return SimpleNamespace(poll=lambda: 70, pid=0)

    monkeypatch.setattr("tenure.cli.running.subprocess.Popen", start)
    monkeypatch.chdir(tmp_path)
    relative = Shell(Path("rel"))
    assert "[StartFailed]" in relative("up").err
    assert "[StartFailed]" in relative("--home", "rel/../rel", "up").err
    assert [Path(cwd, command[3]).resolve() for command, cwd in started] == [tmp_path / "rel"] * 2
    assert (tmp_path / "rel" / homes.FIRST_MARK).is_file()


@pytest.mark.parametrize("mode", [0o2775, 0o700], ids=["of a group", "closed"])
def test_a_folder_of_another_user_is_refused_by_root_too(
    offline: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    offline.home.mkdir()
    offline.home.chmod(mode)
    other = os.geteuid() + 1
    monkeypatch.setattr("tenure.cli.homes.os.geteuid", lambda: other)
    for command in making(tmp_path):
        ran = offline(*command)
        assert (ran.code, held(offline.home)) == (2, set()), command
        assert "belongs to another user" in ran.err, command
        assert f"such as {offline.home / 'tenure'}" in " ".join(ran.err.split()), command
    assert stat.S_IMODE(offline.home.stat().st_mode) == mode


def test_a_folder_that_cannot_be_closed_is_no_home(offline: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(home: Path) -> None:
        raise PermissionError(1, "Operation not permitted", str(home))

    offline.home.mkdir()
    offline.home.chmod(0o775)
    monkeypatch.setattr("tenure.server.privacy.close_to_others", refuses)
    assert offline("up", "--foreground").code == 2
    assert held(offline.home) == set()


def test_what_others_put_there_until_it_was_closed_is_not_followed(
    offline: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline.home.mkdir()
    offline.home.chmod(0o777)
    monkeypatch.setattr(
        "tenure.server.privacy.close_to_others", lambda home: (home / homes.FIRST_MARK).symlink_to(tmp_path / "theirs")
    )
    assert offline("up", "--foreground").code == 2
    assert not (tmp_path / "theirs").exists()


def test_the_root_of_a_volume_becomes_a_home_and_is_left_empty(offline: Shell) -> None:
    (offline.home / "lost+found").mkdir(parents=True)
    assert offline("up", "--foreground").code == 0
    (offline.home / "runs" / "one").mkdir(parents=True)
    (offline.home / "link").symlink_to(offline.home / "runs")
    ran = offline(*PURGE)
    assert (ran.code, held(offline.home)) == (0, {"lost+found"})
    assert f"{offline.home} is empty" in " ".join(ran.out.split())


def test_twin_of_that_where_something_else_lies_in_it_too(offline: Shell) -> None:
    (treasured(offline.home) / "lost+found").mkdir()
    before = held(offline.home)
    assert "[NotAHome]" in offline("up", "--foreground").err
    assert "[NotAHome]" in offline(*PURGE).err
    assert held(offline.home) == before


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
    assert held(offline.home) == {"fleet.staged", homes.FIRST_MARK}
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
