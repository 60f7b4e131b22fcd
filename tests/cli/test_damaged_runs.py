"""`tenure doctor` names each run whose own record is damaged, and what to do about it."""

from pathlib import Path

import pytest

from tenure.cli.own.doctor import damaged_runs


def test_a_damaged_record_is_named_with_its_file_and_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENURE_HOME", str(tmp_path))
    folder = tmp_path / "runs" / "r-1"
    folder.mkdir(parents=True)
    (folder / "state.json").write_text('{"phase": "Run')
    [check] = damaged_runs()
    assert (check.area, check.what, check.state) == ("runs", "r-1", "bad")
    assert "RunUnreadable" in check.found
    assert str(folder / "state.json") in check.found
    assert "tenure end" in check.next_step


def test_twin_a_run_that_was_only_claimed_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENURE_HOME", str(tmp_path))
    (tmp_path / "runs" / "r-1").mkdir(parents=True)
    assert list(damaged_runs()) == []
