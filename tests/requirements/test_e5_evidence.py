"""E5: a bundle verifies elsewhere with only the public key; one flipped bit, and it does not.

The bundle is of a real model under contract whose windows were judged, and which is over: each verdict is drawn again
from its samples, and none is owed any more.
"""

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tenure.evidence.canonical import canonical_bytes
from tenure.resources import Contract
from tests.requirements.home import House, Said
from tests.requirements.served import load, serve, until

pytestmark = pytest.mark.real
ALL_HOLDS, DOES_NOT_HOLD = 0, 1
JUDGED_WINDOWS = 5
JUDGED_SECONDS = 240
"""A verdict waits for what is still open: on a slow machine for a minute or two."""
FLIPS = 10


@pytest.fixture(scope="module")
def contract(home: House) -> Contract:
    """Asked at its declared load until some windows were judged, then ended."""
    made = serve(home, "proven")
    with load(home, made):
        until(lambda: judged(home, made.name) >= JUDGED_WINDOWS, JUDGED_SECONDS, "its windows are judged")
    home.must("end", made.name)
    return made


@pytest.fixture(scope="module")
def bundle(home: House, contract: Contract) -> tuple[Path, Path]:
    file, key = home.path.parent / "bundle.jsonl", home.path.parent / "public.pem"
    home.must("evidence", "export", contract.name, "--to", file)
    key.write_text(home.must("evidence", "show", "--public-key").out)
    return file, key


def judged(home: House, name: str) -> int:
    """How many windows have a verdict, of the promise that has fewest."""
    promises = home.tenure("contract", "audit", name, "-o", "json").json["promises"]
    return min(len(promise["windows"]) for promise in promises)


def verify(folder: Path, file: Path, key: Path) -> Said:
    """As a stranger does, who has nothing else."""
    elsewhere = House(folder / "nothing-here")
    said = elsewhere.tenure("evidence", "verify", file, "--public-key", key, "-o", "json")
    assert not elsewhere.path.exists()
    return said


def test_it_verifies_with_nothing_but_the_public_key(bundle: tuple[Path, Path], tmp_path: Path) -> None:
    said = verify(tmp_path, *bundle)
    assert said.code == ALL_HOLDS, said.out + said.err
    report = said.json
    assert report["recomputed"] >= JUDGED_WINDOWS, "each verdict was drawn again from its samples"
    assert sum(report["verdicts"].values()) == report["recomputed"]


def test_twin_one_flipped_bit_fails_and_is_named(bundle: tuple[Path, Path], tmp_path: Path) -> None:
    file, key = bundle
    source = random.Random(5)
    for _ in range(FLIPS):
        data = bytearray(file.read_bytes())
        data[source.randrange(len(data))] ^= 1 << source.randrange(8)
        flipped = tmp_path / "flipped.jsonl"
        flipped.write_bytes(data)
        said = verify(tmp_path, flipped, key)
        assert said.code == DOES_NOT_HOLD, said.out + said.err
        assert said.json["failures"], "it says what does not hold"


def test_twin_a_flipped_bit_in_a_statement_names_its_place(bundle: tuple[Path, Path], tmp_path: Path) -> None:
    file, key = bundle
    lines, source = file.read_bytes().splitlines(keepends=True), random.Random(7)
    stated = [place for place, line in enumerate(lines) if line.startswith(b'{"statement"')]
    for place in source.sample(stated, FLIPS):
        index, line = json.loads(lines[place])["statement"]["index"], bytearray(lines[place])
        line[source.randrange(line.rindex(b":"))] ^= 1 << source.randrange(8)
        flipped = tmp_path / "flipped.jsonl"
        flipped.write_bytes(b"".join([*lines[:place], bytes(line), *lines[place + 1 :]]))
        said = verify(tmp_path, flipped, key)
        assert said.code == DOES_NOT_HOLD, said.out + said.err
        first = said.json["failures"][0]
        assert first["index"] == index or first["where"].startswith("statement after "), (index, first)


def test_twin_another_verdict_than_its_samples_give_is_named(bundle: tuple[Path, Path], tmp_path: Path) -> None:
    file, key = bundle
    lines = file.read_bytes().splitlines(keepends=True)
    place = next(place for place, line in enumerate(lines) if verdict_in(line) is not None)
    told = verdict_in(lines[place])
    assert told is not None
    told["predicate"]["body"]["verdict"] = "Kept" if told["predicate"]["body"]["verdict"] != "Kept" else "Breached"
    painted = json.loads(lines[place])
    painted["statement"]["envelope"]["payload"] = base64.b64encode(canonical_bytes(told)).decode()
    lines[place] = canonical_bytes(painted) + b"\n"
    changed = tmp_path / "painted.jsonl"
    changed.write_bytes(b"".join(lines))
    said = verify(tmp_path, changed, key)
    assert said.code == DOES_NOT_HOLD, said.out + said.err
    named = {(one["statementId"], one["field"]) for one in said.json["failures"]}
    assert (told["predicate"]["id"], "$.predicate.body.verdict") in named


def verdict_in(line: bytes) -> Any:
    """The statement of a window's verdict that this line of a bundle holds; None where it holds something else."""
    found = json.loads(line)
    if "statement" not in found:
        return None
    told = json.loads(base64.b64decode(found["statement"]["envelope"]["payload"]))
    return told if "/window/" in told["predicate"]["id"] else None
