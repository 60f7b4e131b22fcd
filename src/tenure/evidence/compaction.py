"""Writing the log's file anew while it is in use, without what was given up.

The long part, reading and copying all that was there at the beginning, is done beside the writer. Only the few batches
that came meanwhile are copied while it waits. A crash leaves the old file or the new one; both hold every statement.
"""

import os
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path

from tenure.evidence.frames import FILE_HEAD, Batch, InputRecord, Record, StatementRecord, encode_batch, read_batches
from tenure.evidence.index import Stored
from tenure.evidence.retirement import staying, unsigned


class Rewriting:
    """A file beside the log that becomes the log. Raises OSError."""

    def __init__(self, log: Path, beside: Path) -> None:
        """Use `rewriting`."""
        self._log, self._beside = log, beside
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.stored = Stored(os.fdopen(descriptor, "r+b"))
        self.stored.file.write(FILE_HEAD)
        self.end = len(FILE_HEAD)

    def copy(self, begin: int, end: int, goes: Set[bytes]) -> None:
        """Copy the log's batches between two of its offsets, but for the inputs that go; durable when it returns."""
        for batch in batches(self._log, begin, end):
            kept = staying(batch, goes)
            data, offsets = encode_batch(kept, first_index=batch.first_index)
            self.stored.file.write(data)
            self._note(kept, offsets)
            self.end += len(data)
        self.stored.file.flush()
        os.fsync(self.stored.file.fileno())

    def take_place(self) -> None:
        """Be the log from now on; whoever writes must know before anything else is written."""
        self._beside.replace(self._log)

    def _note(self, records: list[Record], offsets: list[int]) -> None:
        for record, offset in zip(records, offsets, strict=True):
            if isinstance(record, InputRecord):
                self.stored.inputs.add(record.sha256, self.end + offset)
            else:
                self.stored.offsets.append(self.end + offset)


@contextmanager
def rewriting(log: Path) -> Iterator[Rewriting]:
    """A file beside the log; gone afterwards, unless it took the log's place."""
    beside = log.with_name(f".{log.name}.new")  # one name: what a crash left is removed, not left for good
    beside.unlink(missing_ok=True)
    try:
        yield Rewriting(log, beside)
    finally:
        beside.unlink(missing_ok=True)


def sync_folder(log: Path) -> None:
    """Make it durable which file is the log. Raises OSError: a crash could then bring the old one back."""
    folder = os.open(log.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def batches(log: Path, begin: int, end: int) -> Iterator[Batch]:
    """Whole batches between two offsets. Nothing beyond is read: it may be half written."""
    if begin >= end:
        return
    with log.open("rb") as file:
        for batch in read_batches(file, path=str(log), begin=begin):
            assert isinstance(batch, Batch), "whole up to here, as the writer knows"
            yield batch
            if batch.end >= end:
                return


def records(log: Path, begin: int, end: int) -> Iterator[Record]:
    """The records of those batches."""
    for batch in batches(log, begin, end):
        yield from (record for _, record in batch.records)


def rests_on(found: Iterator[Record], goes: Set[bytes]) -> bool:
    """Whether a statement among these stands on something that goes."""
    for record in found:
        statement = unsigned(record) if isinstance(record, StatementRecord) else None
        if statement is not None and any(bytes.fromhex(subject.sha256) in goes for subject in statement.inputs):
            return True
    return False
