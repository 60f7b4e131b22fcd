"""`tenure down --purge` removes a home of Tenure, and never a folder that only was named like one."""

import pytest

from tenure.cli.homes import MARKS
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
