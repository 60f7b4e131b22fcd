"""`make fresh`: what a newcomer gets. HEAD is cloned, and under an empty home the README's two commands are run there.

Only committed files are in the clone; its PATH holds the system's own tools and this Python; no cache, no activated
environment and no setting of this shell reaches it, but for what a package client needs to find its index. Each
command's time is printed, and it fails where the tests or the story take longer than the README says.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
SYSTEM_PATH = "/usr/bin:/bin"
PASSED_ON = re.compile(
    r"(PIP_|UV_)\w+|(https?|all|no)_proxy|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|TMPDIR", re.IGNORECASE
)
"""How the package client of whoever runs this finds its index."""
TESTS_TOOK = re.compile(r"\d+ passed.* in ([\d.]+)s")
STORY_TOOK = re.compile(r"What holds now\s+(\d+) s")
"""The heading of the quickstart's last step says when it began, counted from the first."""


@dataclass(frozen=True)
class Step:
    """One of the README's commands; how it says what it took without its set-up, and how long that may be."""

    target: str
    took: re.Pattern[str]
    seconds_max: float


STEPS = (Step("test", TESTS_TOOK, 180), Step("quickstart", STORY_TOOK, 120))


def environment(given: Mapping[str, str], room: Path) -> dict[str, str]:
    """What the newcomer's commands see, of what is given here."""
    kept = {name: value for name, value in given.items() if PASSED_ON.fullmatch(name)}
    return {**kept, "HOME": str(room / "home"), "PATH": f"{room / 'bin'}:{SYSTEM_PATH}", "LANG": "C.UTF-8"}


def verdict(step: Step, code: int, said: str) -> tuple[bool, str]:
    """Whether a command did as the README says, and in words."""
    if code:
        return False, f"make {step.target} ended with {code}"
    found = step.took.findall(said)
    if not found:
        return False, f"make {step.target} did not say how long it took"
    seconds = float(found[-1])
    return seconds <= step.seconds_max, f"{seconds:.0f} s after set-up, of at most {step.seconds_max:.0f}"


def prepare(room: Path) -> Path:
    """The clone, an empty home and this Python on a PATH of its own; data that tests read lies beside it as here."""
    clone = room / "tenure"
    subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
    (room / "home").mkdir()
    (room / "bin").mkdir()
    python = room / "bin" / "python3"
    python.write_text(f'#!/bin/sh\nexec "{_python()}" "$@"\n')
    python.chmod(0o755)
    if (shared := CHECKOUT.parent / "shared").exists():
        (room / "shared").symlink_to(shared)
    return clone


def _python() -> str:
    """The interpreter itself, also where this runs in a virtual environment."""
    return getattr(sys, "_base_executable", sys.executable)


def run(step: Step, clone: Path, room: Path, show: Callable[[str], object] = print) -> tuple[bool, str]:
    """Run one command in the clone, shown as it goes."""
    show(f"$ make {step.target}")
    begun, lines = time.monotonic(), []
    with subprocess.Popen(
        ["make", "--no-print-directory", step.target],
        cwd=clone,
        env=environment(os.environ, room),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            show(line.rstrip("\n"))
    good, words = verdict(step, process.returncode, "".join(lines))
    return good, f"make {step.target}: {words}; {time.monotonic() - begun:.0f} s in all"


def main(arguments: list[str] | None = None) -> int:
    """Exit 0 when both commands pass in time."""
    parser = argparse.ArgumentParser(prog="make fresh", description="Both of the README's commands in a fresh clone.")
    parser.add_argument("--keep", action="store_true", help="leave the clone where it is")
    parser.add_argument("--dry-run", action="store_true", help="clone, say what would be run, and stop")
    wanted = parser.parse_args(arguments)
    room = Path(tempfile.mkdtemp(prefix="tenure-fresh-"))
    try:
        clone = prepare(room)
        print(f"A fresh clone in {clone}, of what is committed; its home is empty.")
        if wanted.dry_run:
            for name, value in environment(os.environ, room).items():
                print(f"  {name}={'...' if PASSED_ON.fullmatch(name) else value}")
            print(*(f"  $ make {step.target}" for step in STEPS), sep="\n")
            return 0
        results = [run(step, clone, room) for step in STEPS]
        print()
        for good, words in results:
            print(f"{'ok  ' if good else 'FAIL'} {words}")
        return 0 if all(good for good, _ in results) else 1
    finally:
        if wanted.keep:
            print(f"Left in {room}")
        else:
            shutil.rmtree(room, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
