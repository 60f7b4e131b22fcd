"""Nobody but its owner comes to what a home holds, whoever made its folder and whatever umask the shell had."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.cli import daemon
from tenure.server.privacy import OTHERS, close_to_others
from tests.support.embedded import embedded


@pytest.fixture(autouse=True)
def umask_of_a_shared_machine() -> Iterator[None]:
    before = os.umask(0o002)
    yield
    os.umask(before)


def open_to_others(home: Path) -> list[Path]:
    return [path for path in (home, *home.rglob("*")) if path.lstat().st_mode & OTHERS]


async def test_a_home_that_others_could_enter_is_closed_before_a_secret_lies_in_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    (home / "state.db-old").touch()
    async with embedded(home):
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert (home / "state.db-old").stat().st_mode & OTHERS == 0


def test_the_control_plane_writes_what_its_owner_alone_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)

    async def writes(at: Path, _port: int) -> None:
        (at / "state.db").touch()
        (at / "runs" / "one").mkdir(parents=True)

    monkeypatch.setattr(daemon, "run", writes)
    monkeypatch.setattr(daemon, "shed_inherited_affinity", lambda: None)
    monkeypatch.setattr("tenure.cli.daemon.structlog.configure", lambda **_: None)  # no log outlives this test
    monkeypatch.setattr("sys.argv", ["daemon", str(home)])
    assert daemon.main() == 0
    assert open_to_others(home) == []


def test_twin_what_is_closed_stays_as_it_is(tmp_path: Path) -> None:
    """A start costs no walk over what a home holds where nobody comes to it."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "run").touch()
    (home / "run").chmod(0o755)
    close_to_others(home)
    assert stat.S_IMODE((home / "run").stat().st_mode) == 0o755


def test_of_a_link_it_is_the_folder_behind_it_that_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o755)
    (folder / "state.db").touch(mode=0o644)
    (tmp_path / "home").symlink_to(folder)
    close_to_others(tmp_path / "home")
    assert open_to_others(folder) == []
