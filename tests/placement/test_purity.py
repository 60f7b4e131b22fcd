"""The room stands alone: it imports nothing of Tenure but quantities and topology, and how these give their names.

It reads no clock.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOM = Path(__file__).resolve().parents[2] / "src/tenure/placement"
ALLOWED = ("tenure.lazily", "tenure.placement", "tenure.quantities", "tenure.topology")


def test_importing_it_loads_no_other_room_and_no_numpy() -> None:
    script = (
        "import sys, tenure.placement; print(*sorted(m for m in sys.modules if m.startswith(('tenure.', 'numpy'))))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if not name.startswith(ALLOWED)] == []


def test_no_file_of_it_reads_a_clock_or_does_input_and_output() -> None:
    forbidden = ("import time", "from time", "datetime", "open(", "import os", "random.random", "socket", "subprocess")
    found = [
        f"{path.name}: {word}"
        for path in sorted(ROOM.rglob("*.py"))
        for word in forbidden
        if any(line.strip().startswith(word) or f" {word}" in line for line in path.read_text().splitlines())
    ]
    assert found == []
