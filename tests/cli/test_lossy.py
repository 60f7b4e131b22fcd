"""The log of a control plane fails nobody, whatever becomes of its disk."""

import os
from pathlib import Path

import pytest
import structlog

from tenure.cli.lossy import LossyStream

FULL = Path("/dev/full")


def test_lines_come_out_as_they_are_written(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as out:
        structlog.PrintLogger(LossyStream(out.fileno())).msg("naïve")  # type: ignore[arg-type]
    assert (tmp_path / "log").read_text() == "naïve\n"


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_full_disk_loses_lines_and_raises_nothing() -> None:
    fd = os.open(FULL, os.O_WRONLY)
    try:
        structlog.PrintLogger(LossyStream(fd)).msg("the disk is full")  # type: ignore[arg-type]
        with pytest.raises(OSError, match="No space"):
            os.write(fd, b"twin")
    finally:
        os.close(fd)
