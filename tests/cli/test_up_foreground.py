"""`tenure up --foreground` stays: the control plane takes the place of the command, and there is one of a home."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tenure.cli.running import plane_of
from tests.cli.host import Shell


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What this process would have become."""
    found: list[list[str]] = []

    def become(_program: str, command: list[str]) -> None:
        found.append(command)
        raise SystemExit(0)  # nothing of the command's own code runs after it

    monkeypatch.setattr("tenure.cli.running.os.execv", become)
    return found


def test_the_command_becomes_the_control_plane(offline: Shell, became: list[list[str]]) -> None:
    assert offline("up", "--foreground", "--port", "7001").code == 0
    assert became == [[sys.executable, "-m", "tenure.cli.daemon", str(offline.home), "7001"]]
    assert offline.home.stat().st_mode & 0o077 == 0, "its home is its owner's alone"


def test_twin_where_it_runs_already_a_second_one_is_refused(
    offline: Shell, became: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"pid": 77, "url": "https://127.0.0.1:1"}
    monkeypatch.setattr("tenure.cli.running.living_plane_of", lambda _: told)
    ran = offline("up", "--foreground")
    assert (ran.code, became) == (2, [])
    assert "already runs" in ran.err
    assert "tenure down" in ran.err


@pytest.mark.real
def test_it_stays_until_it_is_told_to_stop(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [sys.executable, "-m", "tenure", "--home", str(home), "up", "--foreground"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        give_up = time.monotonic() + 120
        while (told := plane_of(home)) is None:
            assert process.poll() is None, "it stays"
            assert time.monotonic() < give_up
            time.sleep(0.1)
        assert told["pid"] == process.pid, "it is this very process"
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(60) == 0
        assert plane_of(home) is None
    finally:
        process.kill()
        process.wait()
        Shell(home)("down", "--purge", "--yes")
