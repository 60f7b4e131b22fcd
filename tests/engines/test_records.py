"""A record is whole or it is not there: short writes, full disks and damage."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenure.engines.local import folder
from tenure.engines.local.folder import RecordDamaged, RunFolder, read_json, write_json, write_json_once
from tenure.engines.local.recorded import Recorded

OLD, NEW = {"phase": "Running"}, {"phase": "Stopping", "message": "x" * 1000}


def short_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that takes seven bytes at a time, as it may (write(2))."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data)[:7]))


def full_after(monkeypatch: pytest.MonkeyPatch, bytes_left: int) -> None:
    """A disk that takes so many bytes more, and then none."""
    write, left = os.write, bytes_left

    def until_full(descriptor: int, data: Any) -> int:
        nonlocal left
        if left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = write(descriptor, bytes(data)[:left])
        left -= done
        return done

    monkeypatch.setattr(os, "write", until_full)


def refuses(call: str, monkeypatch: pytest.MonkeyPatch, of: Any = os) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(of, call, refuse)


@pytest.mark.parametrize("write", [write_json, write_json_once])
def test_a_record_is_whole_though_the_kernel_takes_it_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[str, dict[str, Any]], Any]
) -> None:
    short_writes(monkeypatch)
    write(str(tmp_path / "state.json"), NEW)
    assert read_json(str(tmp_path / "state.json")) == NEW


@pytest.mark.parametrize("fails", ["full at once", "full in the middle", "fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_record_and_no_file_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    path = tmp_path / "state.json"
    write_json(str(path), OLD)
    with monkeypatch.context() as meanwhile:
        if fails.startswith("full"):
            full_after(meanwhile, 0 if fails == "full at once" else 100)
        else:
            refuses(fails, meanwhile)
        with pytest.raises(OSError, match=r"No space left|Input/output"):
            write_json(str(path), NEW)
    assert json.loads(path.read_text()) == OLD
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize("content", [b"", b'{"phase": "Run', b"\xff\xfe", b"[]"])
def test_a_damaged_record_is_told_from_one_that_is_not_there(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    assert read_json(str(path)) is None
    path.write_bytes(content)
    with pytest.raises(RecordDamaged, match=r"state\.json"):
        read_json(str(path))


class TestReplacedAndNotKnownToLast:
    """The record was put in its place, and the disk then refused to say that it will be there after a power cut."""

    @pytest.fixture
    def recorded(self, tmp_path: Path) -> Recorded:
        run = RunFolder(str(tmp_path))
        write_json(run.state, OLD)
        recorded = Recorded(run, OLD, dict(OLD), "boot")
        recorded.note()
        return recorded

    def on_disk(self, recorded: Recorded) -> dict[str, Any] | None:
        return read_json(recorded.folder.state)

    def test_what_is_refused_is_neither_in_memory_nor_on_disk_and_that_is_written_until_it_lasts(
        self, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as meanwhile:
            refuses("sync_directory", meanwhile, of=folder)
            with pytest.raises(OSError, match="Input/output"):
                recorded.save(phase="Stopping")
            assert self.on_disk(recorded) == recorded.state == OLD
            assert recorded.owed_ns is not None
        recorded.note()
        assert self.on_disk(recorded) == OLD
        assert recorded.owed_ns is None

    def test_where_it_cannot_be_put_back_now_that_is_owed(
        self, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as meanwhile:

            def dies(_path: str) -> None:
                refuses("write", meanwhile)
                raise OSError(errno.EIO, os.strerror(errno.EIO))

            meanwhile.setattr(folder, "sync_directory", dies)
            with pytest.raises(OSError, match="Input/output"):
                recorded.save(phase="Stopping")
            assert recorded.state == OLD
            assert recorded.owed_ns is not None
        recorded.note()
        assert self.on_disk(recorded) == OLD
        assert recorded.owed_ns is None

    def test_twin_what_is_true_already_stays_in_both_and_is_owed(
        self, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as meanwhile:
            refuses("sync_directory", meanwhile, of=folder)
            recorded.note(phase="Stopping")
        assert self.on_disk(recorded) == recorded.state == {"phase": "Stopping"}
        assert recorded.owed_ns is not None

    def test_twin_what_lasts_is_in_both_and_nothing_is_owed(self, recorded: Recorded) -> None:
        recorded.save(phase="Stopping")
        assert self.on_disk(recorded) == recorded.state == {"phase": "Stopping"}
        assert recorded.owed_ns is None

    @pytest.mark.parametrize("found", [None, OLD], ids=["none was there", "an older one was there"])
    def test_a_beginning_that_is_refused_leaves_the_record_that_was_there_before_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: dict[str, Any] | None
    ) -> None:
        run = RunFolder(str(tmp_path))
        if found is not None:
            write_json(run.state, found)
        beginning = Recorded(run, found, {"phase": "Starting", "supervisor": {"pid": 7}}, "boot")
        refuses("sync_directory", monkeypatch, of=folder)
        with pytest.raises(OSError, match="Input/output"):
            beginning.save()
        assert self.on_disk(beginning) == found
