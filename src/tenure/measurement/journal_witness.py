"""What others saw of a journal while it was written: heads that were noted elsewhere, and what contradicts them.

A head is the number and chain of the newest record, which pins all before it. Whoever can write a journal can write its
head as well; a copy of it in another process's journal, or in the control plane's store, they have to reach too.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tenure.measurement.journal import HEAD_NAME
from tenure.measurement.journal_reading import Checkpoint, Damage, DamageKind


def head_of(folder: Path, now_ns: int) -> Checkpoint | None:
    """The newest record by the journal's own head, as of `now_ns` (Unix); None where there is none yet.

    Read until two readings agree, because its writer replaces it in place.
    """
    before = b""
    for _ in range(3):
        try:
            text = (folder / HEAD_NAME).read_bytes()
        except OSError:
            return None
        if text == before:
            break
        before = text
    else:
        return None
    parts = before.split()
    if len(parts) != 2 or not parts[0].isdigit():
        return None
    return Checkpoint(int(parts[0]), parts[1].decode("ascii", "replace"), now_ns)


class Witnesses:
    """Heads that were noted elsewhere, compared with a journal's records as these are read."""

    def __init__(self, noted: Iterable[Checkpoint]) -> None:
        # Of two who saw the same record, both are asked.
        self._noted: dict[int, list[Checkpoint]] = {}
        for checkpoint in noted:
            self._noted.setdefault(checkpoint.sequence, []).append(checkpoint)
        self._agreed_ns: int | None = None
        self._against: Checkpoint | None = None

    def compare(self, sequence: int, chain: str) -> None:
        """A record as it is read now, in order."""
        for checkpoint in self._noted.get(sequence, ()):
            if checkpoint.chain != chain:
                self._against = self._against or checkpoint
            elif self._against is None:
                self._agreed_ns = max(self._agreed_ns or 0, checkpoint.at_ns)

    def contradiction(self, last: int, since_ns: int, until_ns: int) -> Damage | None:
        """What is in doubt where a record is another than was seen, or is gone: all since they agreed for the last
        time, because whoever changed it may have written what comes after. `last` is the number of the newest record.
        """
        from_ns = max(since_ns, self._agreed_ns or since_ns)
        if self._against is not None:
            detail = f"record {self._against.sequence} is not the one that was noted while it was written"
            return Damage(DamageKind.ALTERED, from_ns, until_ns, detail)
        gone = max(self._noted, default=0)
        if gone > last:
            detail = f"record {gone}, which was noted while it was written, is gone"
            return Damage(DamageKind.TRUNCATED, from_ns, until_ns, detail)
        return None
