"""What a backup holds and a restore says, of a home whose control plane did no work: keys, marks and plans."""

import errno
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs
import pytest

from tenure.cli import keeping
from tenure.cli.homes import RESTORING
from tenure.cli.schemas import OUTPUTS
from tenure.evidence import EvidenceLog, KeyRing, SigningKey
from tenure.quantities import SystemClock
from tests.cli.host import Shell
from tests.evidence.builders import AT_MS, a_statement
from tests.support.embedded import embedded_in_thread


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Shell]:
    with embedded_in_thread(tmp_path / "home") as host:
        yield Shell(host.home)


def an_owner_s_key(folder: Path, name: str = "mine.pem") -> Path:
    path = folder / name
    path.touch(mode=0o600)
    path.write_bytes(SigningKey.generate().pem())
    return path


def stated(home: Path, owner_key: Path | None = None) -> EvidenceLog:
    """A log in which something was stated, signed by a key of the home or of its owner."""
    keys = KeyRing.open(home / "keys", clock=SystemClock(), owner_key=owner_key)
    log = EvidenceLog.open_for_writing(home / "evidence", keys=keys, clock=SystemClock())
    log.append(a_statement(1))
    return log


def restored(home: Shell, tmp_path: Path, *options: str) -> tuple[Shell, str]:
    """Another home, from a backup of this one, and what restoring said."""
    assert home("backup", tmp_path / "backup").code == 0
    other = Shell(tmp_path / "other")
    return other, other("restore", tmp_path / "backup", *options).out


def test_others_read_neither_a_backup_nor_what_was_put_back(home: Shell, tmp_path: Path) -> None:
    stated(home.home).close()
    (tmp_path / "other").mkdir(mode=0o755)  # an empty folder, made as a shell makes one
    before = os.umask(0o002)
    try:
        other, _ = restored(home, tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
    assert other.home.stat().st_mode & 0o077 == 0, "nobody comes to anything in it"
    assert (other.home / "state.db").stat().st_mode & 0o077 == 0


def test_a_folder_that_is_there_stays_and_is_filled(home: Shell, tmp_path: Path) -> None:
    """The root of a volume can neither be removed nor be replaced by what lies beside it; nor can a link."""
    stated(home.home).close()
    assert home("backup", tmp_path / "backup").code == 0
    volume, behind = tmp_path / "volume", tmp_path / "behind"
    for folder in (volume, behind):
        folder.mkdir(mode=0o755)
    (volume / "lost+found").mkdir()
    (tmp_path / "link").symlink_to(behind)
    for named, folder in ((volume, volume), (tmp_path / "link", behind)):
        before = folder.stat().st_ino
        said = Shell(named)("restore", tmp_path / "backup")
        assert said.out.startswith(f"{named} is as {home.home} was at "), said.err
        assert (folder.stat().st_ino, folder.stat().st_mode & 0o077) == (before, 0)
        names = {path.name for path in folder.iterdir()}
        assert {"state.db", "tokens", "keys", "evidence"} <= names
        assert [name for name in names if "staged" in name] == []
    assert (volume / "lost+found").is_dir()
    assert (tmp_path / "link").is_symlink()


def test_a_backup_that_is_damaged_leaves_a_folder_as_empty_as_it_was(home: Shell, tmp_path: Path) -> None:
    assert home("backup", tmp_path / "backup").code == 0
    with (tmp_path / "backup").open("r+b") as file:
        file.seek(-20_000, os.SEEK_END)
        file.write(b"damaged")
    (tmp_path / "other").mkdir()
    assert Shell(tmp_path / "other")("restore", tmp_path / "backup").code == 7
    assert list((tmp_path / "other").iterdir()) == []


def test_what_cannot_be_put_in_its_place_leaves_a_folder_as_empty_as_it_was(
    home: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home("backup", tmp_path / "backup").code == 0
    volume = tmp_path / "volume"
    (volume / "lost+found").mkdir(parents=True)
    rename = os.rename

    def no_state(one: Path, other: Path) -> None:
        if Path(other) == volume / "state.db":
            raise OSError(errno.EIO, "Input/output error")
        rename(one, other)

    monkeypatch.setattr(os, "rename", no_state)
    assert Shell(volume)("restore", tmp_path / "backup").code != 0
    assert [path.name for path in volume.iterdir()] == ["lost+found"]


def test_a_restore_that_was_killed_on_its_way_into_a_folder_is_taken_for_no_home_and_can_be_purged(
    home: Shell, tmp_path: Path
) -> None:
    assert home("backup", tmp_path / "backup").code == 0
    volume = tmp_path / "volume"
    (volume / RESTORING).mkdir(parents=True)
    (volume / RESTORING / "state.db").touch()
    (volume / "tokens").mkdir()
    for words in (("restore", tmp_path / "backup"), ("up",)):
        said = Shell(volume)(*words)
        assert said.code == 4
        assert "RestoreCutOff" in said.err
        assert f"tenure --home {volume} down --purge" in said.err
    assert Shell(volume)("down", "--purge", "--yes").code == 0
    assert not volume.exists()
    assert Shell(volume)("restore", tmp_path / "backup").code == 0


def test_a_plain_folder_is_replaced_in_one_step(home: Shell, tmp_path: Path) -> None:
    assert home("backup", tmp_path / "backup").code == 0
    (tmp_path / "plain").mkdir()
    before = (tmp_path / "plain").stat().st_ino
    assert Shell(tmp_path / "plain")("restore", tmp_path / "backup").code == 0
    assert (tmp_path / "plain").stat().st_ino != before


def test_a_home_is_found_at_the_same_port_where_it_was_and_another_takes_none_from_it(tmp_path: Path) -> None:
    with embedded_in_thread(tmp_path / "home") as host:
        assert Shell(host.home)("backup", tmp_path / "backup").code == 0
        url = host.serving.url
    shutil.rmtree(tmp_path / "home")
    for place in ("home", "other"):
        assert Shell(tmp_path / place)("restore", tmp_path / "backup").code == 0
    assert not (tmp_path / "other" / "port").exists()
    with embedded_in_thread(tmp_path / "home") as host:
        assert host.serving.url == url


def test_an_owner_s_key_is_never_in_a_backup(home: Shell, tmp_path: Path) -> None:
    stated(home.home, an_owner_s_key(tmp_path)).close()
    said = home("backup", tmp_path / "backup", "-o", "json")
    jsonschema_rs.validate(OUTPUTS["Backup"], said.json)
    assert said.json["signingKey"] == {"file": str(tmp_path / "mine.pem"), "present": True}
    with tarfile.open(tmp_path / "backup") as tar:
        held = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    assert [name for name, content in held.items() if name.startswith("keys/") and b"PRIVATE KEY" in content] == []


def test_a_backup_is_made_and_put_back_while_the_owner_s_key_is_away(home: Shell, tmp_path: Path) -> None:
    key = an_owner_s_key(tmp_path)
    stated(home.home, key).close()
    key.unlink()
    _, said = restored(home, tmp_path)
    assert f"{key} is not there" in said
    assert "tenure up --signing-key FILE" in said


def test_restore_says_which_key_file_it_needs(home: Shell, tmp_path: Path) -> None:
    key = an_owner_s_key(tmp_path)
    stated(home.home, key).close()
    _, said = restored(home, tmp_path, "-o", "json")
    jsonschema_rs.validate(OUTPUTS["Restored"], json.loads(said))
    assert json.loads(said)["signingKey"] == {"file": str(key), "present": True}


def test_a_backup_whose_beginning_is_damaged_is_not_said_to_have_been_none(home: Shell, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    assert home("backup", file).code == 0
    file.write_bytes(bytes(512) + file.read_bytes()[512:])
    said = Shell(tmp_path / "other")("restore", file)
    assert said.code == 2
    assert "is no backup, or lost its beginning" in said.err
    assert "take an older backup" in said.err


def test_a_copy_that_cannot_be_read_back_is_not_the_file_that_cannot_be_written(
    home: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> object:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(keeping, "pack", failing)
    said = home("backup", tmp_path / "backup")
    assert said.code == 7
    assert "cannot be written" not in said.err


def test_a_key_of_the_home_is_in_its_backup(home: Shell, tmp_path: Path) -> None:
    log = stated(home.home)
    log.close()
    other, _ = restored(home, tmp_path)
    assert KeyRing.read(other.home / "keys").signing.id == KeyRing.read(home.home / "keys").signing.id


def test_what_is_to_be_retired_still_is_after_a_restore(home: Shell, tmp_path: Path) -> None:
    log = stated(home.home)
    log.retire("contract/c-1", subjects=a_statement().subjects, before_ms=AT_MS, at_ms=AT_MS)
    log.close()
    mark = home.home / "retained" / "c-1.json"
    mark.parent.mkdir()
    mark.write_text("{}")
    other, _ = restored(home, tmp_path)
    assert (other.home / "retained" / "c-1.json").read_text() == "{}"
    plan = other.home / "evidence" / "retire.json"
    assert plan.read_bytes() == (home.home / "evidence" / "retire.json").read_bytes()


def test_of_a_simulated_fleet_a_restore_claims_nothing_that_runs(home: Shell, tmp_path: Path) -> None:
    _, twin = restored(home, tmp_path)
    assert "what runs is what is held" in twin
    (home.home / "fleet").mkdir()
    (home.home / "fleet" / "fleet.csv").touch()
    (tmp_path / "backup").unlink()
    assert home("backup", tmp_path / "backup").code == 0
    said = Shell(tmp_path / "simulated")("restore", tmp_path / "backup").out
    assert "what runs" not in said
    assert "and each record is of something held" in said
