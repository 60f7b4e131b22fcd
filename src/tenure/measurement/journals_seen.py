"""Up to where each contract's journals were read, kept apart from them: what shows that one was cut or written anew.

A part of the store of measurements, in its file and under its lock.
"""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tenure.measurement.journal_reading import Checkpoint, Damage, DamageKind, JournalReading

SCHEMA = """
CREATE TABLE IF NOT EXISTS journal_seen (
  contract TEXT NOT NULL, journal TEXT NOT NULL, sequence INTEGER NOT NULL, chain TEXT NOT NULL, at_ns INTEGER NOT NULL,
  doubt_kind TEXT, doubt_from_ns INTEGER, doubt_to_ns INTEGER, doubt_detail TEXT,
  PRIMARY KEY (contract, journal)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal_noted (
  contract TEXT NOT NULL, journal TEXT NOT NULL, sequence INTEGER NOT NULL, chain TEXT NOT NULL, at_ns INTEGER NOT NULL,
  PRIMARY KEY (contract, journal, sequence, chain)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest record that was read of a journal, and the span of it that is in doubt for good, if any is."""

    checkpoint: Checkpoint
    doubt: Damage | None = None


class JournalsSeen:
    """The checkpoints of all contracts' journals."""

    def __init__(self, connection: sqlite3.Connection, lock: AbstractContextManager[object]) -> None:
        self._connection, self._lock = connection, lock
        connection.executescript(SCHEMA)

    def get(self, contract: str, journal: str) -> Seen | None:
        """What was seen last of one of a contract's journals; None before its first reading."""
        query = "SELECT * FROM journal_seen WHERE contract = ? AND journal = ?"
        with self._lock:
            row = self._connection.execute(query, (contract, journal)).fetchone()
        if row is None:
            return None
        _, _, sequence, chain, at_ns, kind, from_ns, to_ns, detail = row
        doubt = None if kind is None else Damage(DamageKind(kind), from_ns, to_ns, detail)
        return Seen(Checkpoint(sequence, chain, at_ns), doubt)

    def note(self, contract: str, journal: str, head: Checkpoint) -> None:
        """Keep a head that was seen between two readings; the next reading must bear it out."""
        row = (contract, journal, head.sequence, head.chain, head.at_ns)
        with self._lock:
            self._connection.execute("INSERT OR IGNORE INTO journal_noted VALUES (?,?,?,?,?)", row)

    def noted(self, contract: str, journal: str) -> list[Checkpoint]:
        """The heads that were seen since the newest reading, the oldest first."""
        query = "SELECT sequence, chain, at_ns FROM journal_noted WHERE contract = ? AND journal = ? ORDER BY sequence"
        with self._lock:
            return [Checkpoint(*row) for row in self._connection.execute(query, (contract, journal))]

    def remember(self, contract: str, journal: str, reading: JournalReading, now_ms: int) -> None:
        """Keep how far a reading came. Call it once the verdicts on what it shows are durable.

        Where the reading was of another journal than the one seen before, all of it until `now_ms` (Unix ms) stays in
        doubt, also for windows that are not over yet.
        """
        before = self.get(contract, journal)
        newest = reading.newest or (before.checkpoint if before else None)
        if newest is None:
            return
        doubt, found = before.doubt if before else None, reading.disowned
        if found is not None:
            since = min(found.from_ns, doubt.from_ns) if doubt else found.from_ns
            doubt = Damage(found.kind, since, min(found.to_ns, now_ms * 1_000_000), found.detail)
        row = (contract, journal, newest.sequence, newest.chain, newest.at_ns)
        more = (str(doubt.kind), doubt.from_ns, doubt.to_ns, doubt.detail) if doubt else (None, None, None, None)
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO journal_seen VALUES (?,?,?,?,?,?,?,?,?)", (*row, *more))
            # What was noted before the reading has been compared in it; what it contradicts is in doubt by now.
            self._connection.execute(
                "DELETE FROM journal_noted WHERE contract = ? AND journal = ?", (contract, journal)
            )
