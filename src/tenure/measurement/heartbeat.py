"""Whether a journal's process is alive: the instant of its newest mark, read from the end of the newest segment.

Cheap enough for every look, where a whole reading is not. It proves less: the line must follow from the one before it,
and nothing is said of what lies further back; the next reading of the journal says that.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from tenure.measurement.journal import SEGMENT_PATTERN, chain_of, split_line

TAIL_BYTES = 256 << 10
"""Marks come twice a second; between two of them lie a few requests, each of a few kilobytes."""


def newest_mark_ms(folder: Path) -> int | None:
    """Unix ms of the newest sign of life that follows from the record before it; None where there is none to be found.

    Reads the newest two segments at most: a segment that was begun just now holds its header alone.
    """
    for path in sorted(folder.glob(SEGMENT_PATTERN), reverse=True)[:2]:
        try:
            found = _in_tail(_tail(path))
        except OSError:
            return None  # deleted by its writer's retention meanwhile, or unreadable: nothing was heard
        if found is not None:
            return found
    return None


def _tail(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
        return file.read().splitlines(keepends=True)


def _in_tail(lines: list[bytes]) -> int | None:
    for before, line in zip(reversed(lines[:-1]), reversed(lines), strict=False):
        parts, previous = split_line(line), split_line(before)
        if parts is None or previous is None or chain_of(previous[1], parts[0]) != parts[1]:
            continue
        try:
            record = json.loads(parts[0])
            if record["kind"] == "mark":
                return int(record["wallNs"]) // 1_000_000
        except (ValueError, KeyError, TypeError):
            continue
    return None
