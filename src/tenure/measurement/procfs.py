"""One reader of /proc/PID/stat (proc(5)) for all of this room."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_FIRST = 3
"""The number of the first field behind the name, as proc(5) counts."""
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


def read_stat(folder: Path) -> Stat | None:
    """The stat of the process whose folder this is; None where it is gone, or is not a whole line.

    The name stands in parentheses and may hold anything, also spaces, parentheses and bytes that are no text.
    """
    try:
        text = (folder / "stat").read_text(errors="replace")
    except OSError:
        return None
    head, closed, tail = text.rpartition(")")
    fields = tuple(tail.split())
    if not closed or len(fields) <= LAST_CPU - _FIRST:
        return None
    return Stat(head.partition("(")[2], fields)
