"""One reader of /proc/PID/stat (proc(5)) for all of this room."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_FIRST = 3
"""The number of the first field behind the name, as proc(5) counts."""
_READ_BYTES = 16384
PARENT, MAJOR_FAULTS, USER_TICKS, SYSTEM_TICKS, START_TICKS, RESIDENT_PAGES, LAST_CPU = 4, 12, 14, 15, 22, 24, 39


@dataclass(frozen=True, slots=True)
class Stat:
    """A process's line: its name, and its other fields by the numbers of proc(5)."""

    name: str
    fields: tuple[str, ...]

    def field(self, number: int) -> int:
        """One of the numeric fields above."""
        return int(self.fields[number - _FIRST])

    @property
    def cpu_ticks(self) -> int:
        """CPU time since its start, in user and kernel mode."""
        return self.field(USER_TICKS) + self.field(SYSTEM_TICKS)


Processes = dict[int, Stat]
"""Every process at one instant, by pid."""


def read_processes(root: Path = Path("/")) -> Processes:
    """One pass over all processes. It is what a look at a contract costs most, so one pass serves all that look."""
    proc, found = str(root / "proc"), {}
    for name in os.listdir(proc) if os.path.isdir(proc) else ():
        if name.isdigit() and (stat := read_stat(f"{proc}/{name}")) is not None:
            found[int(name)] = stat
    return found


def read_stat(folder: Path | str) -> Stat | None:
    """The stat of the process whose folder this is; None where it is gone, or is not a whole line.

    The name stands in parentheses and may hold anything, also spaces, parentheses and bytes that are no text.
    """
    text = read_text(f"{folder}/stat")
    if text is None:
        return None
    head, closed, tail = text.rpartition(")")
    fields = tuple(tail.split())
    if not closed or len(fields) <= LAST_CPU - _FIRST:
        return None
    return Stat(head.partition("(")[2], fields)


def read_text(path: str) -> str | None:
    """A small file of the kernel's in one read, bytes that are no text replaced; None where it cannot be read.

    Hundreds are read at each look, so no file object is made for them.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        parts = []
        while part := os.read(descriptor, _READ_BYTES):
            parts.append(part)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return b"".join(parts).decode(errors="replace")
