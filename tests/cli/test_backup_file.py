"""The file of a backup: what comes out is what went in, or the part that is not is named."""

import errno
import os
import random
import tarfile
from pathlib import Path

import pytest

from tenure.cli.backup_file import BackupDamagedError, TargetUnwritableError, pack, unpack

FILES = {"state.db": b"objects" * 300, "keys/a.pem": b"secret", "evidence/log": bytes(range(256)) * 9, "empty": b""}


def packed(folder: Path) -> Path:
    for name, content in FILES.items():
        path = folder / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    pack(folder / "home", folder / "backup", {"at": "2026-01-01T00:00:00Z"})
    return folder / "backup"


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_comes_out_is_what_went_in(tmp_path: Path) -> None:
    file = packed(tmp_path)
    manifest = unpack(file, tmp_path / "out")
    assert contents(tmp_path / "out") == FILES
    assert manifest.about == {"at": "2026-01-01T00:00:00Z"}
    assert file.stat().st_mode & 0o077 == 0


def test_a_backup_never_replaces_another_file(tmp_path: Path) -> None:
    file = packed(tmp_path)
    before = file.read_bytes()
    with pytest.raises(FileExistsError):
        pack(tmp_path / "home", file, {})
    assert file.read_bytes() == before
    assert not file.with_name("backup.partial").exists()


def test_what_cannot_be_written_is_told_from_what_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/dev/full").exists() or not Path("/proc/self/mem").exists():
        pytest.skip("needs Linux")
    packed(tmp_path)
    with pytest.raises(TargetUnwritableError):
        pack(tmp_path / "home", tmp_path / "absent" / "backup", {})
    opened = os.open
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", lambda *_: opened("/dev/full", os.O_WRONLY))
        with pytest.raises(TargetUnwritableError) as raised:
            pack(tmp_path / "home", tmp_path / "another", {})
        assert raised.value.error.errno == errno.ENOSPC
    (tmp_path / "home" / "failing").symlink_to("/proc/self/mem")  # it opens, and cannot be read
    with pytest.raises(OSError, match="Input/output error"):
        pack(tmp_path / "home", tmp_path / "another", {})


def test_every_flipped_bit_is_found_or_lies_in_padding(tmp_path: Path) -> None:
    whole = packed(tmp_path).read_bytes()
    source = random.Random(4)
    found = 0
    for number in range(300):
        place = source.randrange(len(whole) * 8)
        broken = bytearray(whole)
        broken[place // 8] ^= 1 << place % 8
        file, out = tmp_path / f"broken-{number}", tmp_path / f"out-{number}"
        file.write_bytes(broken)
        try:
            unpack(file, out)
        except BackupDamagedError as error:
            found += len(error.problems) > 0
        else:
            assert contents(out) == FILES, f"bit {place}"
    assert found > 100


def test_damage_is_pinned_to_its_file(tmp_path: Path) -> None:
    file = packed(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"secret", b"secreT"))
    with pytest.raises(BackupDamagedError, match=r"keys/a\.pem is not as it was written"):
        unpack(file, tmp_path / "out")


def test_a_cut_file_names_what_is_missing(tmp_path: Path) -> None:
    file = packed(tmp_path)
    with tarfile.open(file) as tar:
        place = tar.getmember("keys/a.pem").offset
    file.write_bytes(file.read_bytes()[:place])
    with pytest.raises(BackupDamagedError) as raised:
        unpack(file, tmp_path / "out")
    assert {"keys/a.pem is missing", "state.db is missing"} <= set(raised.value.problems)


def test_nothing_is_written_outside(tmp_path: Path) -> None:
    from tenure.cli import backup_file

    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "x").write_text("x")
    real = backup_file.Kept
    try:
        backup_file.Kept = lambda path, size, digest: real("../" + path, size, digest)  # type: ignore[assignment,misc]
        pack(tmp_path / "home", tmp_path / "backup", {})
    finally:
        backup_file.Kept = real  # type: ignore[misc]
    with pytest.raises(BackupDamagedError, match="leads out of the home"):
        unpack(tmp_path / "backup", tmp_path / "out")
    assert not (tmp_path / "x").exists()
