"""Another key signs from now on: stated first, by the old one; whatever comes between, one of the two signs."""

import json
import os
from pathlib import Path

import pytest

from tenure.evidence import EvidenceLog, KeyRing, NotWrittenError, SigningKey, SigningKeyError
from tests.evidence.builders import a_log, a_ring, a_statement


class Killed(BaseException):
    """Stands for SIGKILL: nothing after it is done."""


def killed(*_: object, **__: object) -> None:
    raise Killed


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def an_owner_s_key(folder: Path) -> tuple[SigningKey, Path]:
    key, path = SigningKey.generate(), folder / "owner.pem"
    path.write_bytes(key.pem())
    path.chmod(0o600)
    return key, path


def a_short_log(home: Path) -> EvidenceLog:
    log = a_log(home)
    log.append(a_statement(id="before"))
    return log


def test_the_old_key_states_that_the_new_one_signs(tmp_path: Path) -> None:
    log = a_short_log(tmp_path)
    old = a_ring(tmp_path).signing
    record = log.rotate_key()
    log.append(a_statement(1, id="after"))
    signers = [signature["keyid"] for signature in _signatures(log)]
    assert signers == [old.id, old.id, record.key.id]
    log.close()
    assert a_ring(tmp_path).signing.id == record.key.id


def _signatures(log: EvidenceLog) -> list[dict[str, str]]:
    return [json.loads(log.envelope(index))["signatures"][0] for index in range(log.size)]


def test_a_rotation_that_cannot_be_stated_does_not_happen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = a_short_log(tmp_path)
    old = a_ring(tmp_path).signing
    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(NotWrittenError):
        log.rotate_key()
    monkeypatch.undo()
    assert a_ring(tmp_path).signing.id == old.id
    assert len(list((tmp_path / "keys").glob("*.pem"))) == 1
    log.append(a_statement(1, id="after"))
    log.close()
    assert a_log(tmp_path).size == 2


def test_a_rotation_that_was_stated_before_a_crash_is_done_by_the_next_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = a_short_log(tmp_path)
    monkeypatch.setattr(KeyRing, "follow", killed)
    with pytest.raises(Killed):
        log.rotate_key()
    monkeypatch.undo()
    log._release()
    again = a_log(tmp_path)
    said = again.statement(1)
    assert a_ring(tmp_path).signing.id == said.body["to"] != said.body["from"]
    assert a_ring(tmp_path).history[-1].since_ms == said.at_ms
    again.close()
    assert a_log(tmp_path).size == 2


def test_a_crash_before_the_statement_leaves_the_old_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = a_short_log(tmp_path)
    old = a_ring(tmp_path).signing
    monkeypatch.setattr(KeyRing, "forget", lambda *_: None)
    monkeypatch.setattr(EvidenceLog, "append", killed)
    with pytest.raises(Killed):
        log.rotate_key()
    monkeypatch.undo()
    log._release()
    again = a_log(tmp_path)
    assert (again.size, a_ring(tmp_path).signing.id) == (1, old.id)
    again.rotate_key()
    assert again.size == 2


def test_a_brought_key_is_remembered_by_its_place_and_never_copied(tmp_path: Path) -> None:
    key, path = an_owner_s_key(tmp_path)
    log = a_short_log(tmp_path)
    log.rotate_key(to=key, at=path)
    log.close()
    ring = a_ring(tmp_path)
    assert (ring.signing.id, ring.kept_at) == (key.id, path)
    assert not (tmp_path / "keys" / f"{key.id}.pem").exists()


def test_from_a_brought_key_to_one_that_is_kept_here(tmp_path: Path) -> None:
    key, path = an_owner_s_key(tmp_path)
    log = a_short_log(tmp_path)
    log.rotate_key(to=key, at=path)
    log.rotate_key()
    log.close()
    path.unlink()
    ring = a_ring(tmp_path)
    assert ring.kept_at is None
    assert len(ring.history) == 3


def test_a_key_that_was_in_use_before_states_nothing(tmp_path: Path) -> None:
    log = a_short_log(tmp_path)
    old = a_ring(tmp_path).signing
    log.rotate_key()
    with pytest.raises(SigningKeyError, match="in use before"):
        log.rotate_key(to=old)
    assert log.size == 2
