"""A small disk of its own, which can be filled: a tmpfs where root may mount one."""

import os
import shutil
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


@contextmanager
def breakable_disk(folder: Path, mebibytes: int = 64) -> Iterator[Path]:
    """A disk of its own (ext4 in a file) that `turn_read_only` can break; skips where nobody may mount one."""
    folder.mkdir()
    image = folder.with_suffix(".img")
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("it takes root and mkfs.ext4 to make a disk that can be broken")
    image.write_bytes(b"")
    os.truncate(image, mebibytes << 20)
    made = ["mkfs.ext4", "-q", str(image)]
    mounted = ["mount", "-o", "loop,errors=remount-ro", str(image), str(folder)]
    for command in (made, mounted):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"this system lets root mount no file as a disk: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def turn_read_only(disk: Path) -> None:
    """What the kernel does to a disk on which it found an error: nothing is written any more, open files included."""
    source = subprocess.run(
        ["findmnt", "--noheadings", "--output", "SOURCE", str(disk)], capture_output=True, text=True, check=True
    ).stdout.strip()
    trigger = Path("/sys/fs/ext4") / Path(source).name / "trigger_fs_error"
    if not trigger.exists():
        pytest.skip("this kernel cannot be asked for an error of its disk")
    trigger.write_text("1")
