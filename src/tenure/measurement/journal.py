"""The tap's journal: append-only, rotated, each record numbered without gaps and chained to the one before.

A line is `JSON TAB CHAIN`, where CHAIN is a BLAKE2b digest over the previous chain and this line's JSON. So a torn last
line, a changed byte, a missing record and a journal cut short are each visible to a reader, and two numbers (sequence
and chain) pin everything before them. Beside the segments, `head` holds the newest two numbers, rewritten in place with
every record: it is what shows that a journal was cut at a line's end.

Records reach the kernel before the next event is handled, so the death of the process loses none; the disk is synced
every few seconds, so the death of the machine loses at most those, visibly. A full disk stops the journal, never the
traffic: numbers go on, and the reader sees the gap.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

SEGMENT_PATTERN = "journal-*.jsonl"
HEAD_NAME = "head"
_HEAD_BYTES = 64
GENESIS = "0" * 16


def chain_of(previous: str, text: bytes) -> str:
    """Chain value of a record after `previous`."""
    return blake2b(previous.encode() + text, digest_size=8).hexdigest()


def segment_path(folder: Path, number: int) -> Path:
    """Segments sort by name in the order in which they were written."""
    return folder / f"journal-{number:08d}.jsonl"


def segment_number(path: Path) -> int:
    """Inverse of `segment_path`."""
    return int(path.stem.removeprefix("journal-"))


def split_line(line: bytes) -> tuple[bytes, str] | None:
    """JSON and chain of a complete line, or None for anything else."""
    text, tab, chain = line.rstrip(b"\n").rpartition(b"\t")
    if not tab or not line.endswith(b"\n") or len(chain) != 16:
        return None
    return text, chain.decode("ascii", "replace")


def clocks() -> dict[str, int]:
    """Three clocks: wall against boot time tells a jump, boot time against monotonic tells a sleep."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    monotonic = time.monotonic_ns()
    return {
        "wallNs": time.time_ns(),
        "monotonicNs": monotonic,
        "bootNs": monotonic if boot is None else time.clock_gettime_ns(boot),
    }


class JournalWriter:
    """Appends records to a folder; one writer at a time. Each start opens a new segment, whose header says why."""

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = 4 << 20,
        retain_bytes: int = 256 << 20,
        read_clocks: Callable[[], dict[str, int]] = clocks,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._clocks = folder, read_clocks
        self._segment_bytes = segment_bytes
        self._retain_bytes = max(retain_bytes, 2 * segment_bytes)
        self._file = -1
        self._written = 0
        self._unsynced = False
        self.lost = 0
        """Records that could not be written since the start."""
        self.sequence, self.chain = 0, GENESIS
        lost = self._resume()
        self._head = os.open(folder / HEAD_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        self._open_segment({"reason": "start", "pid": os.getpid(), "lostBefore": lost})

    def _resume(self) -> int:
        """Continue behind the last whole record; numbers that only `head` still knows are skipped, so they show."""
        last = newest_record(self._folder)
        if last is not None:
            self.sequence, self.chain = last
        try:
            text = (self._folder / HEAD_NAME).read_text().split()
            known = int(text[0])
        except (OSError, ValueError, IndexError):
            return 0
        lost = max(0, known - self.sequence)
        self.sequence += lost
        return lost

    def append(self, kind: str, fields: Mapping[str, Any]) -> int:
        """Write one record and return its number. Never raises: what cannot be written is counted in `lost`."""
        self.sequence += 1
        text = json.dumps({"seq": self.sequence, "kind": kind, **fields}, separators=(",", ":")).encode()
        chain = chain_of(self.chain, text)
        line = text + b"\t" + chain.encode() + b"\n"
        try:
            written = os.write(self._file, line)
            if written != len(line):
                os.ftruncate(self._file, self._written)
                raise OSError("short write")
        except OSError:
            self.lost += 1
            return self.sequence
        self.chain = chain
        self._written += len(line)
        self._unsynced = True
        self._note_head()
        if self._written >= self._segment_bytes and kind != "open":
            self._rotate()
        return self.sequence

    def sync(self) -> None:
        """Bring what was appended to the disk; call it outside the event loop."""
        if self._unsynced and self._file >= 0:
            self._unsynced = False
            try:
                os.fdatasync(self._file) if hasattr(os, "fdatasync") else os.fsync(self._file)
            except OSError:
                self._unsynced = True

    def close(self) -> None:
        """Write the record of an orderly end and let go of the files."""
        self.append("close", self._clocks())
        self.sync()
        os.close(self._file)
        os.close(self._head)
        self._file = -1

    def _note_head(self) -> None:
        try:
            os.pwrite(self._head, f"{self.sequence} {self.chain}\n".ljust(_HEAD_BYTES).encode(), 0)
        except OSError:
            self.lost += 1

    def _open_segment(self, fields: Mapping[str, Any]) -> None:
        numbers = [segment_number(path) for path in self._folder.glob(SEGMENT_PATTERN)]
        number = max(numbers, default=0) + 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._file = os.open(segment_path(self._folder, number), flags, 0o600)
        self._written = 0
        self.append("open", {"segment": number, "previous": self.chain, **self._clocks(), **fields})

    def _rotate(self) -> None:
        self.sync()
        old = self._file
        try:
            retired = self._retire()
            self._open_segment({"reason": "rotation", "retired": retired})
        except OSError:
            # No new segment can be made: go on in this one, which is better than losing records.
            self._file = old
            return
        os.close(old)

    def _retire(self) -> int:
        """Delete the oldest segments beyond the retention; the next header declares how many are gone for good."""
        paths = sorted(self._folder.glob(SEGMENT_PATTERN))
        sizes = {path: path.stat().st_size for path in paths}
        total = sum(sizes.values()) + self._segment_bytes
        retired = 0
        for path in paths[:-1]:
            if total <= self._retain_bytes:
                break
            total -= sizes[path]
            path.unlink()
            retired += 1
        return retired


def newest_record(folder: Path) -> tuple[int, str] | None:
    """Sequence and chain of the last whole line in the folder, its chain not recomputed; None where there is none."""
    for path in sorted(folder.glob(SEGMENT_PATTERN), reverse=True):
        for line in reversed(path.read_bytes().splitlines(keepends=True)):
            parts = split_line(line)
            if parts is None:
                continue
            try:
                return int(json.loads(parts[0])["seq"]), parts[1]
            except (ValueError, KeyError, TypeError):
                continue
    return None
