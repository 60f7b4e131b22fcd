"""`tenure up --port` on a port where another process listens: said as what it is, and not as a fault of Tenure."""

import socket
from pathlib import Path

import pytest

from tenure.cli.failures import Failure
from tenure.cli.running import _did_not_start
from tenure.store import StoreInUseError
from tests.cli.host import Shell


def test_a_port_that_is_taken_is_named_so_and_nothing_stays_up(offline: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = offline("up", "--port", taken.getsockname()[1])
    assert (ran.code, ran.out) == (4, "")
    assert "[PortTaken]" in ran.err
    assert "→ name another with --port" in ran.err
    assert not (offline.home / "plane.json").exists()


def test_a_home_that_another_control_plane_has_open_is_named_so(tmp_path: Path) -> None:
    words = f"{StoreInUseError.__module__}.{StoreInUseError.__name__}: another process has {tmp_path} open"
    failure = _did_not_start(words, tmp_path / "plane.log")
    assert (failure.exit_code, failure.reason) == (4, "HomeInUse")
    assert failure.message == f"Tenure did not start: another control plane has {tmp_path} open"
    assert "`tenure status`" in failure.step


@pytest.mark.parametrize("words", ["it said nothing", "MemoryError"])
def test_twin_another_early_end_stays_a_fault_of_ours(words: str, tmp_path: Path) -> None:
    failure: Failure = _did_not_start(words, tmp_path / "plane.log")
    assert (failure.exit_code, failure.reason) == (70, "StartFailed")
