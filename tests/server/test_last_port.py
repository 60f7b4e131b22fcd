"""The port that a home answered at, which a start takes again where it can."""

from pathlib import Path

import pytest

from tenure.server.serving import PORT_FILE, SERVER_FILE, _last_port


def test_it_is_the_one_that_was_written_last(tmp_path: Path) -> None:
    assert _last_port(tmp_path) == 0
    (tmp_path / SERVER_FILE).write_text('{"url": "https://127.0.0.1:8001"}')
    assert _last_port(tmp_path) == 8001, "as older versions wrote it"
    (tmp_path / PORT_FILE).write_text("8002\n")
    assert _last_port(tmp_path) == 8002


@pytest.mark.parametrize("written", ["99999", "-1", "0", "", "https", "65536"])
def test_twin_what_is_no_port_is_none(tmp_path: Path, written: str) -> None:
    (tmp_path / PORT_FILE).write_text(written)
    assert _last_port(tmp_path) == 0
