"""What the store does when its file or disk cannot be trusted: refuse writes with the reason, and read on."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tenure.store import Store, StoreInUseError, StoreUnreadableError, StoreUnwritableError
from tests.store.builders import RESOURCES, WIDGETS, make, open_store


def reopen(folder: Path) -> Store:
    return Store(folder / "state.db", RESOURCES)


def copy_as_killed(store: Store, folder: Path, target: Path) -> Path:
    """The files as a SIGKILL would leave them: WAL and all."""
    target.mkdir()
    for path in folder.glob("state.db*"):
        (target / path.name).write_bytes(path.read_bytes())
    return target


def test_what_a_kill_leaves_is_whole(tmp_path: Path) -> None:
    store = open_store(tmp_path / "live")
    for index in range(20):
        make(store, f"w{index}")
    killed = copy_as_killed(store, tmp_path / "live", tmp_path / "killed")
    store.close()
    again = reopen(killed)
    assert again.refusal is None
    assert len(again.list(WIDGETS).items) == 20
    again.close()


@pytest.mark.parametrize("left", [0.0, 0.5, 0.95])
def test_a_truncated_wal_is_noticed(tmp_path: Path, left: float) -> None:
    store = open_store(tmp_path / "live")
    for index in range(20):
        make(store, f"w{index}")
    killed = copy_as_killed(store, tmp_path / "live", tmp_path / "killed")
    store.close()
    wal = killed / "state.db-wal"
    os.truncate(wal, int(wal.stat().st_size * left))
    if left == 0.0:
        # Everything was in the WAL, the tables too: nothing is left that could be read.
        with pytest.raises(StoreUnreadableError):
            reopen(killed)
        return
    again = reopen(killed)
    assert again.refusal is not None
    assert "its last writes were lost" in str(again.refusal)
    with pytest.raises(StoreUnwritableError, match="tenure restore"):
        make(again, "more")
    assert 0 < len(again.list(WIDGETS).items) < 20
    again.close()


def test_a_flipped_bit_in_the_wal_is_noticed(tmp_path: Path) -> None:
    store = open_store(tmp_path / "live")
    for index in range(20):
        make(store, f"w{index}")
    killed = copy_as_killed(store, tmp_path / "live", tmp_path / "killed")
    store.close()
    wal = killed / "state.db-wal"
    content = bytearray(wal.read_bytes())
    content[len(content) * 3 // 4] ^= 1
    wal.write_bytes(content)
    again = reopen(killed)
    assert again.refusal is not None
    again.close()


def test_a_damaged_page_is_noticed(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for index in range(200):
        make(store, f"w{index:03}")
    store.close()
    path = tmp_path / "state.db"
    content = bytearray(path.read_bytes())
    for page in range(3, 8):
        content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)
    again = reopen(tmp_path)
    assert again.refusal is not None
    assert "damaged" in str(again.refusal)
    again.close()


def test_a_missing_database_is_not_an_empty_one(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    make(store)
    store.close()
    (tmp_path / "state.db").unlink()
    with pytest.raises(StoreUnreadableError, match="gone"):
        reopen(tmp_path)


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"this is no database at all, it is prose " * 100)
    with pytest.raises(StoreUnreadableError):
        reopen(tmp_path)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(StoreInUseError, match="tenure down"):
        reopen(tmp_path)
    store.close()


def test_a_full_disk_refuses_writes_and_recovers(tmp_path: Path) -> None:
    # The kernel's own limit on the size of files stands for the disk: the write fails in the same place.
    script = textwrap.dedent("""
        import json, resource, signal, sys
        from pathlib import Path
        from tenure.store import StoreUnwritableError
        from tests.store.builders import WIDGETS, make, open_store
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = open_store(Path(sys.argv[1]))
        kept = []
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
        reason = ""
        for index in range(500):
            try:
                make(store, f"w{index}", spec={"text": "x" * 500}); kept.append(f"w{index}")
            except StoreUnwritableError as error:
                reason = str(error); break
        readable = [i.name for i in store.list(WIDGETS).items]
        assert store.trouble is not None and store.refusal is None, "it is told, and tried again"
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        store.try_writing()
        assert store.trouble is None
        make(store, "after")
        after = sorted(i.name for i in store.list(WIDGETS).items)
        store.close()
        print(json.dumps([reason, sorted(kept), sorted(readable), after]))
    """)
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    reason, kept, readable, after = json.loads(done.stdout)
    assert reason
    assert kept == readable
    assert after == sorted([*kept, "after"])
    again = reopen(tmp_path)
    assert again.refusal is None
    assert len(again.list(WIDGETS).items) == len(after)
    again.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not write")
def test_a_disk_that_takes_no_writes_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    store = open_store(folder)
    make(store)
    store.close()
    for path in (folder, *folder.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            tmp_root = tmp_path
            while tmp_root != tmp_root.parent:
                if tmp_root.name.startswith(("pytest-", "popen-", "test_")):
                    tmp_root.chmod(0o755)
                tmp_root = tmp_root.parent
            os.setgid(65534)
            os.setuid(65534)
            blind = Store(folder / "state.db", RESOURCES)
            refused = False
            try:
                make(blind, "b")
            except StoreUnwritableError:
                refused = True
            code = 0 if refused and blind.refusal and blind.get(WIDGETS, "default", "a") else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
