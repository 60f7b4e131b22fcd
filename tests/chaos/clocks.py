"""A Python whose wall clock is off by as much as a file says, for every process that it starts."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SHIFT = """
import time
from pathlib import Path

_file, _ns, _s = Path({file!r}), time.time_ns, time.time


def _off():
    try:
        return float(_file.read_text())
    except (OSError, ValueError):
        return 0.0


time.time_ns = lambda: _ns() + int(_off() * 1e9)
time.time = lambda: _s() + _off()
"""


@dataclass(frozen=True)
class ShiftedClock:
    """`python` is the interpreter; `set` says how many seconds its wall clock is off from now on."""

    python: str
    file: Path

    def set(self, seconds: float) -> None:
        partial = self.file.with_suffix(".partial")
        partial.write_text(str(seconds))
        partial.replace(self.file)


def shifted_clock(folder: Path) -> ShiftedClock:
    """An interpreter of its own that sees the packages of this one."""
    base = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([base, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    file = folder / "off"
    (packages / "shifted_clock.py").write_text(SHIFT.format(file=str(file)))
    (packages / "shifted.pth").write_text("\n".join([*filter(None, sys.path), "import shifted_clock", ""]))
    return ShiftedClock(str(folder / "bin" / "python"), file)
