"""A key that its owner brought, through a home's life: it signs, is changed, and is asked for; it is nowhere copied."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.evidence import SigningKey
from tests.requirements.home import House
from tests.requirements.served import active, until

pytestmark = pytest.mark.real


def a_key(folder: Path, name: str) -> Path:
    path = folder / name
    path.touch(mode=0o600)
    path.write_bytes(SigningKey.generate().pem())
    return path


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "home")
    try:
        yield made
    finally:
        made.close()


def _signed(home: House, name: str) -> None:
    home.must("apply", "-f", home.command(name, extra="  acceptance: auto\n"))
    until(lambda: active(home, name), what=f"{name} is Active")


def _key_ids(home: House) -> list[str]:
    return [item["keyId"] for item in home.must("evidence", "show", "--history", "-o", "json").json["items"]]


def test_up_rotate_up_export_verify_backup_restore(home: House, tmp_path: Path) -> None:
    first, second, public = a_key(tmp_path, "first.pem"), a_key(tmp_path, "second.pem"), tmp_path / "public.pem"
    home.must("up", "--signing-key", first)
    public.write_text(home.must("evidence", "show", "--public-key").out)
    _signed(home, "work")
    home.must("down")
    home.must("evidence", "rotate", "--key", second)
    home.must("up")
    assert _key_ids(home) == [SigningKey.parse(path.read_bytes()).id for path in (first, second)]
    home.must("evidence", "export", "work", "--to", tmp_path / "bundle")
    home.must("evidence", "verify", tmp_path / "bundle", "--public-key", public)
    home.must("backup", tmp_path / "backup")
    home.must("down")
    held = [path for path in home.path.rglob("*") if path.is_file() and not path.is_relative_to(home.path / "tls")]
    assert [path for path in held if b"PRIVATE KEY" in path.read_bytes()] == []
    second = second.rename(tmp_path / "moved.pem")
    refused = home.tenure("up")
    assert (refused.code, f"tenure --home {home.path} up --signing-key FILE" in refused.err) == (2, True)
    home.path.rename(tmp_path / "lost")
    said = home.must("restore", tmp_path / "backup").out
    assert f"{tmp_path / 'second.pem'} is not there" in said
    home.must("up", "--signing-key", second)
    home.must("evidence", "export", "work", "--to", tmp_path / "again")
    home.must("evidence", "verify", tmp_path / "again", "--public-key", public)
