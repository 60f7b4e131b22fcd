"""`tenure up --signing-key`: a key that cannot be used is refused before anything starts, with what to do."""

from pathlib import Path

import pytest

from tenure.cli import signing_key
from tenure.evidence import KeyRing, SigningKey
from tenure.quantities import SystemClock
from tests.cli.host import Shell


@pytest.fixture
def never_started(offline: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    def started(*_: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr("tenure.cli.running._start", started)
    return offline


def a_key(folder: Path, name: str = "mine.pem", mode: int = 0o600) -> Path:
    path = folder / name
    path.write_bytes(SigningKey.generate().pem())
    path.chmod(mode)
    return path


def refused(shell: Shell, *tokens: object) -> tuple[str, str]:
    said = shell("up", *tokens, "-o", "json")
    assert said.code == 2
    assert said.status["reason"] == "SigningKeyUnusable"
    return said.status["message"], said.status["nextStep"]


def test_no_such_file(never_started: Shell, tmp_path: Path) -> None:
    message, next_step = refused(never_started, "--signing-key", tmp_path / "none.pem")
    assert str(tmp_path / "none.pem") in message
    assert "openssl genpkey -algorithm ed25519" in next_step


def test_a_file_that_others_read(never_started: Shell, tmp_path: Path) -> None:
    message, next_step = refused(never_started, "--signing-key", a_key(tmp_path, mode=0o644))
    assert "mode 0644" in message
    assert "chmod 600" in next_step


def test_a_file_without_a_key(never_started: Shell, tmp_path: Path) -> None:
    path = a_key(tmp_path)
    path.write_text("nothing")
    message, next_step = refused(never_started, "--signing-key", path)
    assert "no unencrypted private key in PEM form" in message
    assert "openssl" in next_step


def test_another_key_than_the_one_that_signs(never_started: Shell, tmp_path: Path) -> None:
    signing_key.settle_key(never_started.home, a_key(tmp_path), running=False)
    _, next_step = refused(never_started, "--signing-key", a_key(tmp_path, "other.pem"))
    assert "tenure evidence rotate --key FILE" in next_step


def test_a_later_start_without_the_key_is_refused_and_says_where_it_should_be(
    never_started: Shell, tmp_path: Path
) -> None:
    path = a_key(tmp_path)
    signing_key.settle_key(never_started.home, path, running=False)
    path.unlink()
    message, next_step = refused(never_started)
    assert str(path) in message
    assert "tenure up --signing-key FILE" in next_step


def test_a_key_that_moved_is_found_in_its_new_place_from_then_on(offline: Shell, tmp_path: Path) -> None:
    path = a_key(tmp_path)
    signing_key.settle_key(offline.home, path, running=False)
    moved = path.rename(tmp_path / "moved.pem")
    signing_key.settle_key(offline.home, moved, running=False)
    signing_key.settle_key(offline.home, None, running=False)
    assert KeyRing.open(offline.home / "keys", clock=SystemClock()).kept_at == moved
