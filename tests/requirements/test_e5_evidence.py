"""E5: a bundle verifies elsewhere with only the public key; one flipped bit, and it does not."""

import random
import time
from pathlib import Path

import pytest

from tests.requirements.home import House

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def bundle(home: House) -> tuple[Path, Path]:
    home.must("request", "-f", home.command("proven"), "--accept", "best")
    file, key = home.path.parent / "bundle.jsonl", home.path.parent / "public.pem"
    time.sleep(0.5)
    home.must("evidence", "export", "proven", "--to", file)
    key.write_text(home.must("evidence", "show", "--public-key").out)
    return file, key


def test_it_verifies_with_nothing_but_the_public_key(bundle: tuple[Path, Path], tmp_path: Path) -> None:
    file, key = bundle
    elsewhere = House(tmp_path / "nothing-here")
    said = elsewhere.tenure("evidence", "verify", file, "--public-key", key, "-o", "json")
    assert said.code in (0, 7), said.out + said.err
    assert not elsewhere.path.exists()


def test_twin_one_flipped_bit_fails_and_is_named(bundle: tuple[Path, Path], tmp_path: Path) -> None:
    file, key = bundle
    source = random.Random(5)
    for _ in range(10):
        data = bytearray(file.read_bytes())
        data[source.randrange(len(data))] ^= 1 << source.randrange(8)
        flipped = tmp_path / "flipped.jsonl"
        flipped.write_bytes(data)
        said = House(tmp_path / "nothing-here").tenure("evidence", "verify", flipped, "--public-key", key)
        assert said.code in (1, 2), said.out
        assert said.out + said.err
