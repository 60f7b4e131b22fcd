"""What is told of a home when a test failed in it."""

from pathlib import Path

import pytest

from tests.support.last_words import LINE_MAX, last_words, told

CONTRACT = {
    "kind": "Contract",
    "metadata": {"name": "chat-1"},
    "status": {
        "phase": "Active",
        "conditions": [{"type": "Ready", "status": "False", "reason": "Breached", "message": "a token was late"}],
        "remedies": [{"rung": "repin", "outcome": "InProgress", "cause": "process 7 used 90% of the core"}],
        "windows": [{"metric": "timeToFirstToken", "verdict": "Unverifiable", "reason": "NotSettled"}],
        "progress": {"ratio": 0.25},
    },
}


def test_an_object_is_told_with_all_that_says_how_it_stands() -> None:
    assert list(told(CONTRACT)) == [
        "Contract chat-1: Active  ",
        "  Ready False Breached a token was late",
        "  repin InProgress process 7 used 90% of the core",
        "  timeToFirstToken Unverifiable NotSettled",
        "  {'ratio': 0.25}",
    ]
    assert list(told({"kind": "Workload"})) == ["Workload : None  "], "also before it has a status"


def test_a_home_that_is_gone_and_one_that_cannot_be_asked_are_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert last_words(tmp_path / "gone") == "it is gone"
    monkeypatch.setattr("tests.support.last_words._asked", lambda *_: [{"kind": "get", "said": "no answer"}])
    (tmp_path / "plane.log").write_text("x" * 2 * LINE_MAX)
    lines = last_words(tmp_path).splitlines()
    assert lines[0].endswith("no answer")
    assert lines[-1] == "x" * LINE_MAX
