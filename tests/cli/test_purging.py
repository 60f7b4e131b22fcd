"""`tenure down --purge` removes a home of Tenure, and never a folder that only was named like one."""

import errno
from pathlib import Path

import pytest

from tenure.cli.homes import FIRST_MARK, MARKS, has_to_stay
from tests.cli.host import Shell

PURGE = ("down", "--purge", "--yes")


def test_a_folder_that_is_no_home_is_not_removed(offline: Shell) -> None:
    treasure = offline.home / "thesis" / "chapter.tex"
    treasure.parent.mkdir(parents=True)
    treasure.write_text("years of work")
    ran = offline(*PURGE)
    assert (ran.code, ran.out) == (2, "")
    assert "[NotAHome]" in ran.err
    assert "→ name the home that is meant" in ran.err
    assert treasure.read_text() == "years of work"
    assert [path.name for path in offline.home.iterdir()] == ["thesis"], "and nothing is put into it either"


def test_a_file_is_no_home(offline: Shell) -> None:
    offline.home.write_text("years of work")
    assert "[NotAHome]" in offline(*PURGE).err
    assert offline.home.read_text() == "years of work"


@pytest.mark.parametrize("mark", MARKS)
def test_twin_a_home_is_removed_however_early_its_start_failed(offline: Shell, mark: str) -> None:
    (offline.home / mark).parent.mkdir(parents=True)
    (offline.home / mark).touch()
    assert offline(*PURGE).code == 0
    assert not offline.home.exists()


def test_an_empty_home_is_removed_and_an_absent_one_is_fine(offline: Shell) -> None:
    offline.home.mkdir()
    assert offline(*PURGE).code == 0
    assert not offline.home.exists()
    assert offline(*PURGE).code == 0


def test_a_link_to_a_home_is_not_removed_and_nothing_behind_it_is(offline: Shell) -> None:
    real = offline.home.with_name("real")
    (real / "tokens").mkdir(parents=True)
    (real / "tokens" / "controllers").touch()
    offline.home.symlink_to(real)
    ran = offline(*PURGE)
    assert ran.code == 2
    assert f"is a link to {real}" in " ".join(ran.err.split())
    assert (real / "tokens" / "controllers").exists()


def test_a_home_that_may_not_be_taken_away_itself_stays_and_is_empty(
    offline: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the root of a volume, which not every file system marks by a folder of its own."""
    offline.home.mkdir()
    (offline.home / FIRST_MARK).touch()
    (offline.home / "runs").mkdir()
    mounted(monkeypatch, offline.home)
    assert has_to_stay(offline.home)
    ran = offline(*PURGE)
    assert (ran.code, ran.err) == (0, "")
    assert f"{offline.home} is empty" in ran.out
    assert list(offline.home.iterdir()) == []


def test_twin_an_empty_folder_that_can_be_replaced_is_as_it_was(offline: Shell) -> None:
    offline.home.mkdir(mode=0o750)
    assert not has_to_stay(offline.home)
    assert offline.home.stat().st_mode & 0o777 == 0o750


def test_a_purge_that_is_cut_off_leaves_a_home(offline: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    offline.home.mkdir()
    for name in ("a", FIRST_MARK, "z"):
        (offline.home / name).touch()
    unlink = Path.unlink

    def cut_off(path: Path, missing_ok: bool = False) -> None:
        if path.name == "z":
            raise OSError(errno.EIO, "Input/output error")
        unlink(path, missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", cut_off)
        assert offline(*PURGE).code != 0
    assert {FIRST_MARK, "z"} <= {path.name for path in offline.home.iterdir()}
    assert offline(*PURGE).code == 0


def mounted(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """It can be filled and emptied, and not be removed."""
    rmdir = Path.rmdir

    def busy(path: Path) -> None:
        if path == folder:
            raise OSError(errno.EBUSY, "Device or resource busy")
        rmdir(path)

    monkeypatch.setattr(Path, "rmdir", busy)
