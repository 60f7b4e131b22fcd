"""A file out of a Python package, through the user's own package client, so that mirrors, proxies and credentials work.

The package is fetched as data: without dependencies, without running anything of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from tenure.catalog.cache import CHUNK_BYTES, PackageLocation

POLL_S = 0.2
PIP_RESUMES_FROM = (25, 1)
OUTPUT_LINES_MAX = 3


class PackageError(Exception):
    """The client could not get the package, or the package has no such file. The message carries the client's words."""


def download_member(location: PackageLocation, target: Path, *, told: Callable[[int, int | None], None]) -> None:
    """Put the package's file at `target`. `told` gets the bytes on disk so far and, once known, their number.

    Raises PackageError; OSError where `target` cannot be written.
    """
    target.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target.parent) as folder:
        room = Path(folder)
        (room / "out").mkdir()
        (room / "tmp").mkdir()
        command = client_command(location, room / "out")
        _run(command, room, told)
        _extract(location, room / "out", target, told)


def client_command(location: PackageLocation, out: Path) -> list[str]:
    """pip of this environment, else any pip, else uv. Raises PackageError where there is none."""
    requirement = f"{location.name}=={location.version}"
    found = _pip()
    if found is not None:
        pip, version = found
        command = [*pip, "download", "--no-deps", "--only-binary=:all:", "--no-input", "--progress-bar=off"]
        if version >= PIP_RESUMES_FROM:
            command += ["--resume-retries", "5"]
        return [*command, "--dest", str(out), requirement]
    uv = shutil.which("uv")
    if uv is not None:
        command = [uv, "pip", "install", "--python", sys.executable, "--no-deps", "--only-binary=:all:"]
        return [*command, "--target", str(out), requirement]
    raise PackageError("no package client: neither pip nor uv is installed")


def _pip() -> tuple[list[str], tuple[int, ...]] | None:
    """How pip is called, and its version; asked once, because it takes its time to start."""
    found = shutil.which("pip3") or shutil.which("pip")
    for pip in ([sys.executable, "-m", "pip"], *([[found]] if found is not None else [])):
        said = subprocess.run([*pip, "--version"], capture_output=True, text=True, check=False)
        if said.returncode == 0:
            return pip, _version_in(said.stdout)
    return None


def _version_in(said: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in said.split()[1].split(".")[:2])
    except (IndexError, ValueError):
        return (0,)


def _run(command: list[str], room: Path, told: Callable[[int, int | None], None]) -> None:
    """Run the client with its temporary files in our room, so that its progress can be seen from outside."""
    log_path = room / "log"
    environment = {**os.environ, "TMPDIR": str(room / "tmp")}
    with log_path.open("wb") as log:
        client = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment
        )
        try:
            while client.poll() is None:
                try:
                    client.wait(POLL_S)
                except subprocess.TimeoutExpired:
                    told(_size(room / "tmp") + _size(room / "out"), None)
        finally:
            if client.poll() is None:
                client.kill()
                client.wait()
    if client.returncode != 0:
        lines = log_path.read_text(errors="replace").strip().splitlines()
        said = " / ".join(line.strip() for line in lines[-OUTPUT_LINES_MAX:])
        raise PackageError(f"{Path(command[0]).name} ended with {client.returncode}: {said}")


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def _extract(location: PackageLocation, out: Path, target: Path, told: Callable[[int, int | None], None]) -> None:
    unpacked = out / location.path
    if unpacked.is_file():
        os.replace(unpacked, target)
        return
    wheels = sorted(out.glob("*.whl"))
    if not wheels:
        raise PackageError("the client brought no wheel")
    try:
        with zipfile.ZipFile(wheels[0]) as wheel:
            total = wheel.getinfo(location.path).file_size
            with wheel.open(location.path) as reader, target.open("wb") as writer:
                done = 0
                while chunk := reader.read(CHUNK_BYTES):
                    writer.write(chunk)
                    done += len(chunk)
                    told(done, total)
    except KeyError:
        raise PackageError(f"{wheels[0].name} holds no {location.path}") from None
    except zipfile.BadZipFile as error:
        raise PackageError(f"{wheels[0].name} is torn: {error}") from None
