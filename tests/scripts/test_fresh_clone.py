"""`make fresh` gives a newcomer's commands nothing of this shell, and holds them to the times that the README names."""

from pathlib import Path

import pytest
from scripts.fresh_clone import STEPS, environment, verdict

from tenure.cli.quickstart.stage import Stage

TEST, QUICKSTART = STEPS
HERE = {
    "HOME": "/home/somebody",
    "PATH": "/home/somebody/venv/bin:/usr/bin",
    "VIRTUAL_ENV": "/home/somebody/venv",
    "PYTHONPATH": "src",
    "TENURE_HOME": "/home/somebody/.tenure",
    "TENURE_CACHE": "/home/somebody/.cache",
    "MAKEFLAGS": "j",
    "PIP_INDEX_URL": "https://index.example/simple",
    "PIP_FIND_LINKS": "/wheels",
    "PIP_CERT": "/ca.pem",
    "https_proxy": "http://proxy.example",
}


def test_only_the_way_to_the_index_is_passed_on() -> None:
    assert environment(HERE, Path("/room")) == {
        "HOME": "/room/home",
        "PATH": "/room/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PIP_INDEX_URL": "https://index.example/simple",
        "PIP_FIND_LINKS": "/wheels",
        "PIP_CERT": "/ca.pem",
        "https_proxy": "http://proxy.example",
    }


@pytest.mark.parametrize(
    ("code", "said", "good"),
    [
        (0, "1873 passed, 12 deselected in 141.20s (0:02:21)", True),
        (0, "1873 passed, 12 deselected in 181.20s (0:03:01)", False),
        (2, "1 failed, 1872 passed in 141.20s (0:02:21)", False),
        (0, "", False),
    ],
    ids=["in time", "too late", "failed", "not said"],
)
def test_the_tests_pass_within_three_minutes_of_their_own(code: int, said: str, good: bool) -> None:
    assert verdict(TEST, code, f"Installing ...\n{said}\n")[0] is good


@pytest.mark.parametrize(("seconds", "good"), [(87, True), (130, False)])
def test_the_story_is_told_within_two_minutes_by_its_own_clock(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, seconds: int, good: bool
) -> None:
    stage = Stage(home=Path(), folder=Path())
    stage.heading("Discover", "What is this machine?")
    stage.begun -= seconds
    stage.heading("What holds now", "The same table as any day.")
    assert verdict(QUICKSTART, 0, capsys.readouterr().out)[0] is good


def test_the_last_heading_is_the_one_that_the_story_ends_with() -> None:
    told = (Path(__file__).parents[2] / "src/tenure/cli/quickstart/ending.py").read_text()
    assert 'stage.heading("What holds now"' in told
