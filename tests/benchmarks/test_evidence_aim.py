"""`benchmarks/evidence.py` fails when verifying takes longer than it may, and says which row."""

import sys
from pathlib import Path

import pytest
from benchmarks.evidence import Row

from benchmarks import evidence


@pytest.mark.parametrize(("seconds", "said", "code"), [(4.9, "met", 0), (5.1, "missed", 1)])
def test_an_aim_is_met_or_the_status_is_one(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    seconds: float,
    said: str,
    code: int,
) -> None:
    rows = [Row("sign a statement", 9e9, "us"), Row("verify them", seconds, "s", aim=5.0)]
    monkeypatch.setattr(evidence, "writing", lambda *_: iter(()))
    monkeypatch.setattr(evidence, "signing", lambda *_: iter(()))
    monkeypatch.setattr(evidence, "checking", lambda *_: iter(rows))
    monkeypatch.setattr(sys, "argv", ["evidence", "--folder", str(tmp_path)])
    assert evidence.main() == code
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("verify them")]
    assert said in line.split()
