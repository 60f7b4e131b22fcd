"""Reading a command's log back: CRI lines across rotated files, oldest first, followed where asked."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import BinaryIO

from tenure.engines.runstate import LogLine

FOLLOW_INTERVAL_S = 0.1


def parse(line: bytes) -> tuple[LogLine, bool] | None:
    """One stored line and whether it is whole. None where it is not in the format."""
    parts = line.rstrip(b"\n").split(b" ", 3)
    if len(parts) != 4:
        return None
    stamp, stream, tag, text = parts
    try:
        moment = datetime.fromisoformat(stamp.decode()[:26] + "+00:00")
    except ValueError:
        return None
    at_ms = round(moment.timestamp() * 1000)
    return LogLine(at_ms, stream.decode(), text.decode(errors="replace")), tag == b"F"


def read_lines(path: str, *, tail: int | None, goes_on: Callable[[], bool]) -> Iterator[LogLine]:
    """Lines of a log; at most the last `tail` of those there are now; then new ones for as long as `goes_on` says."""
    stored: deque[LogLine] = deque(maxlen=tail)
    joiner = _Joiner()
    for older in reversed(_rotated(path)):
        if (past := _open(older)) is not None:  # it may have been rotated away just now
            with past:
                stored.extend(joiner.lines(past.read()))
    file: BinaryIO | None = None
    try:
        file = _open(path)
        if file is not None:
            stored.extend(joiner.lines(file.read()))
        yield from stored
        last_turn = False
        while not last_turn:
            last_turn = not goes_on()
            fresh = _open(path)
            if file is not None:
                yield from joiner.lines(file.read())
            if fresh is None:
                time.sleep(0 if last_turn else FOLLOW_INTERVAL_S)
                continue
            if file is None or os.fstat(fresh.fileno()).st_ino != os.fstat(file.fileno()).st_ino:
                if file is not None:
                    file.close()
                file = fresh
                yield from joiner.lines(file.read())
            else:
                fresh.close()
            if not last_turn:
                time.sleep(FOLLOW_INTERVAL_S)
    finally:
        if file is not None:
            file.close()


class _Joiner:
    """Joins what arrives in pieces, and lines that were stored in parts, into whole lines."""

    def __init__(self) -> None:
        self._rest = b""
        self._parts: dict[str, str] = {}

    def lines(self, data: bytes) -> list[LogLine]:
        *stored, self._rest = (self._rest + data).split(b"\n")
        whole: list[LogLine] = []
        for parsed in map(parse, stored):
            if parsed is None:
                continue
            line, complete = parsed
            begun = self._parts.pop(line.stream, "")
            if complete:
                whole.append(LogLine(line.at_ms, line.stream, begun + line.text) if begun else line)
            else:
                self._parts[line.stream] = begun + line.text
        return whole


def _open(path: str) -> BinaryIO | None:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        return None


def _rotated(path: str) -> list[str]:
    found: list[str] = []
    while os.path.exists(older := f"{path}.{len(found) + 1}"):
        found.append(older)
    return found
