"""Copies of a running store, and putting them back."""

from pathlib import Path

import pytest

from tenure.store import (
    StoreInUseError,
    StoreUnreadableError,
    VersionExpiredError,
    back_up,
    restore,
    verify,
)
from tests.store.builders import WIDGETS, make, open_store


def test_a_copy_of_a_running_store_is_whole(tmp_path: Path) -> None:
    store = open_store(tmp_path / "home")
    make(store, "a")
    version = back_up(store, tmp_path / "copy.db")
    make(store, "b")
    assert version == verify(tmp_path / "copy.db") == store.version - 1
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("copy")] == ["copy.db"]
    store.close()


def test_a_copy_never_replaces_another(tmp_path: Path) -> None:
    store = open_store(tmp_path / "home")
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(FileExistsError):
        back_up(store, tmp_path / "copy.db")
    store.close()


def test_restoring_goes_back_in_content_and_on_in_versions(tmp_path: Path) -> None:
    home = tmp_path / "home"
    store = open_store(home)
    make(store, "a")
    back_up(store, tmp_path / "copy.db")
    make(store, "b")
    cursor = store.version
    with pytest.raises(StoreInUseError):
        restore(tmp_path / "copy.db", home / "state.db")
    store.close()
    floor = restore(tmp_path / "copy.db", home / "state.db")
    assert floor > cursor
    again = open_store(home)
    assert again.refusal is None
    assert [item.name for item in again.list(WIDGETS).items] == ["a"]
    with pytest.raises(VersionExpiredError):
        again.changes(WIDGETS, cursor)
    assert make(again, "c").version > floor
    assert (home / "state.db.before-restore").exists()
    again.close()


def test_a_damaged_copy_is_not_put_back(tmp_path: Path) -> None:
    home = tmp_path / "home"
    store = open_store(home)
    for index in range(100):
        make(store, f"w{index}")
    back_up(store, tmp_path / "copy.db")
    store.close()
    content = bytearray((tmp_path / "copy.db").read_bytes())
    content[4096 * 4 : 4096 * 4 + 200] = b"\xff" * 200
    (tmp_path / "copy.db").write_bytes(content)
    with pytest.raises(StoreUnreadableError):
        restore(tmp_path / "copy.db", home / "state.db")
    again = open_store(home)
    assert len(again.list(WIDGETS).items) == 100
    again.close()
