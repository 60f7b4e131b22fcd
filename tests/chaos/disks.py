"""A small disk of its own, which can be filled: a tmpfs where root may mount one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

BLOCK = 1 << 16


@contextmanager
def small_disk(folder: Path, mebibytes: int = 48) -> Iterator[Path]:
    """An empty disk of so many MiB mounted at `folder`; skips where nobody may mount one."""
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk of its own to fill")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0700", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"this system lets root mount no tmpfs: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """No byte is left on the disk while the block lasts."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as out, suppress(OSError):
        while True:
            out.write(b"\0" * BLOCK)
    with ballast.open("ab", buffering=0) as out, suppress(OSError):
        while True:
            out.write(b"\0" * 512)
    try:
        yield
    finally:
        ballast.unlink()
