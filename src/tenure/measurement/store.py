"""The store of measurements: what was measured of which model, how it was run, on what, under which load, beside whom.

One SQLite file of its own (measurements.db in TENURE_HOME), because evidence outlives any one server's state and grows
at another pace. Samples are kept whole, compressed: a bound must be recomputable from them by a stranger.
Also the judged windows of running contracts, with a mergeable sketch of each, for status, audit and the next offers.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.measurement.journals_seen import JournalsSeen
from tenure.measurement.sketch import Sketch
from tenure.promises import Load, RequestSample, Tally, WindowVerdict

_SCHEMA = """
CREATE TABLE IF NOT EXISTS evidence (
  id INTEGER PRIMARY KEY,
  model_digest TEXT NOT NULL, runtime TEXT NOT NULL, runtime_version TEXT NOT NULL,
  shape TEXT NOT NULL, hardware_class TEXT NOT NULL, neighbours TEXT NOT NULL,
  arrivals_micro INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
  window_ms INTEGER NOT NULL, measured_at_ms INTEGER NOT NULL, origin TEXT NOT NULL,
  windows BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS evidence_key ON evidence (model_digest, hardware_class, runtime);
CREATE TABLE IF NOT EXISTS judged_window (
  contract TEXT NOT NULL, promise TEXT NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,
  settled INTEGER NOT NULL, verdict TEXT NOT NULL, record TEXT NOT NULL, sketch TEXT,
  PRIMARY KEY (contract, promise, start_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS judged_window_time ON judged_window (contract, settled, start_ms);
"""
_VERSION = 1
NEWEST_MAX = 200
"""Measurements of one model, runtime and hardware beside such neighbours that answers read; older ones are pruned."""
SATURATION = "saturation"


@dataclass(frozen=True, slots=True)
class EvidenceKey:
    """What makes two measurements comparable, apart from the load."""

    model_digest: str
    runtime: str
    runtime_version: str
    shape: tuple[tuple[str, int], ...]
    """The tunable figures by name, for instance (("slots", 2), ("threads", 1)); sorted by name."""
    hardware_class: str
    """The kind of hardware it ran on, as placement names it: two machines of one class are interchangeable."""
    neighbours: str
    """`quiet`, or what kept the cores outside the allocation busy, for instance `memory`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(sorted(self.shape)))


@dataclass(frozen=True, slots=True)
class Evidence:
    """Windows that were measured under one key and one load."""

    key: EvidenceKey
    load: Load
    window_ms: int
    windows: tuple[tuple[RequestSample, ...], ...]
    measured_at_ms: int
    origin: str = "trial"
    """`trial`, `commissioning`, `service`, or `saturation`: asked without a pause, so that it bounds floors of rates
    and no latency; its load is what was answered."""
    id: int = 0
    """Number in the store; 0 before it is added."""


class MeasurementStore:
    """All evidence and judged windows of one TENURE_HOME. Safe to use from several threads of one process."""

    def __init__(self, path: Path | str) -> None:
        """Open or make the file. Raises sqlite3.DatabaseError on a file that is none, ValueError on a newer version."""
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA busy_timeout=5000")
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise ValueError(f"{path} was written by a newer Tenure (version {version}, known {_VERSION})")
        self._connection.executescript(_SCHEMA)
        self._connection.execute(f"PRAGMA user_version={_VERSION}")
        self.journals = JournalsSeen(self._connection, self._lock)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def add(self, evidence: Evidence) -> int:
        """Append one measurement; returns its number. Nothing is ever overwritten."""
        key, load = evidence.key, evidence.load
        samples = [[sample.as_record() for sample in window] for window in evidence.windows]
        blob = zlib.compress(json.dumps(samples, separators=(",", ":")).encode(), 6)
        row = (
            *(key.model_digest, key.runtime, key.runtime_version, _shape_text(key.shape)),
            *(key.hardware_class, key.neighbours),
            *(load.arrivals_micro, load.prompt_tokens, load.output_tokens),
            *(evidence.window_ms, evidence.measured_at_ms, evidence.origin, blob),
        )
        with self._lock:
            cursor = self._connection.execute(
                "INSERT INTO evidence (model_digest, runtime, runtime_version, shape, hardware_class, neighbours,"
                " arrivals_micro, prompt_tokens, output_tokens, window_ms, measured_at_ms, origin, windows)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                row,
            )
        return cursor.lastrowid or 0

    def find(
        self,
        *,
        model_digest: str,
        hardware_class: str | None = None,
        runtime: str | None = None,
        runtime_version: str | None = None,
        shape: tuple[tuple[str, int], ...] | None = None,
        neighbours: str | None = None,
        at_least: Load | None = None,
        origins: Sequence[str] = (),
        newest: int = NEWEST_MAX,
    ) -> list[Evidence]:
        """Evidence for what is named (None: any), newest first. `at_least` keeps only loads as heavy on every axis."""
        wanted: dict[str, Any] = {
            "model_digest": model_digest,
            "hardware_class": hardware_class,
            "runtime": runtime,
            "runtime_version": runtime_version,
            "shape": None if shape is None else _shape_text(tuple(sorted(shape))),
            "neighbours": neighbours,
        }
        named = {column: value for column, value in wanted.items() if value is not None}
        clauses = [f"{column} = ?" for column in named]
        values: list[Any] = list(named.values())
        if at_least is not None:
            clauses += ["arrivals_micro >= ?", "prompt_tokens >= ?", "output_tokens >= ?"]
            values += [at_least.arrivals_micro, at_least.prompt_tokens, at_least.output_tokens]
        if origins:
            clauses.append(f"origin IN ({','.join('?' * len(origins))})")
            values += origins
        query = f"SELECT * FROM evidence WHERE {' AND '.join(clauses)} ORDER BY measured_at_ms DESC, id DESC LIMIT ?"
        with self._lock:
            rows = self._connection.execute(query, [*values, newest]).fetchall()
        return [_evidence(row) for row in rows]

    def get(self, number: int) -> Evidence | None:
        """One measurement by its number."""
        with self._lock:
            row = self._connection.execute("SELECT * FROM evidence WHERE id = ?", (number,)).fetchone()
        return None if row is None else _evidence(row)

    def prune(self) -> int:
        """Delete measurements that no answer reads any more, since as many newer ones of their kind are there; returns
        how many."""
        with self._lock:
            cursor = self._connection.execute(
                "DELETE FROM evidence WHERE id IN (SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY"
                " model_digest, hardware_class, runtime, runtime_version, neighbours"
                " ORDER BY measured_at_ms DESC, id DESC) AS place FROM evidence) WHERE place > ?)",
                (NEWEST_MAX,),
            )
        return cursor.rowcount

    def record_windows(
        self, contract: str, verdicts: Sequence[WindowVerdict], sketches: Mapping[tuple[str, int], Sketch] | None = None
    ) -> None:
        """Keep the verdicts of one pass, all of them or, after a crash, none.

        `sketches` of the values behind them, by promise and start of the window in Unix ms.
        """
        known = sketches or {}
        with self._lock:  # from beginning to end: what others write is none of this transaction
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for verdict in verdicts:
                    self.record_window(contract, verdict, known.get((verdict.promise, verdict.window.start_ms)))
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def record_window(self, contract: str, verdict: WindowVerdict, sketch: Sketch | None = None) -> bool:
        """Keep a verdict on a window. One that is settled is never changed; returns whether this one was kept."""
        window = verdict.window
        text = None if sketch is None else json.dumps(sketch.as_record(), separators=(",", ":"))
        row = (
            *(contract, verdict.promise, window.start_ms, window.end_ms),
            *(int(verdict.settled), str(verdict.verdict), json.dumps(verdict.as_record()), text),
        )
        with self._lock:
            cursor = self._connection.execute(
                "INSERT INTO judged_window VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET settled=excluded.settled,"
                " verdict=excluded.verdict, record=excluded.record, sketch=excluded.sketch WHERE settled = 0",
                row,
            )
        return cursor.rowcount > 0

    def verdicts(self, contract: str, promise: str | None = None, since_ms: int = 0) -> list[WindowVerdict]:
        """Verdicts on a contract's windows that began at or after an instant, in order of time."""
        query = "SELECT record FROM judged_window WHERE contract = ? AND start_ms >= ?"
        values: list[Any] = [contract, since_ms]
        if promise is not None:
            query += " AND promise = ?"
            values.append(promise)
        with self._lock:
            rows = self._connection.execute(query + " ORDER BY start_ms, promise", values).fetchall()
        return [WindowVerdict.from_record(json.loads(record)) for (record,) in rows]

    def tally(self, contract: str, promise: str, since_ms: int = 0) -> Tally:
        """Counts of the settled windows that began at or after an instant, without reading each of them."""
        blind = "CASE verdict WHEN 'Unverifiable' THEN json_extract(record, '$.fault') = 'Operator' ELSE 0 END"
        query = (
            f"SELECT COUNT(*), TOTAL(verdict <> 'Unverifiable') + TOTAL({blind}),"
            f" TOTAL(verdict = 'Breached') + TOTAL({blind}), TOTAL(verdict = 'Breached')"
            " FROM judged_window WHERE contract = ? AND promise = ? AND start_ms >= ? AND settled = 1"
        )
        with self._lock:
            windows, owed, used, breached = self._connection.execute(query, (contract, promise, since_ms)).fetchone()
        return Tally(windows, int(owed), int(used), int(breached))

    def newest(self, contract: str, promise: str, count: int, *, settled: bool = False) -> list[WindowVerdict]:
        """The newest verdicts on a promise in order of time; those still open among them, unless only settled ones."""
        among = "contract = ? AND promise = ?" + (" AND settled = 1" if settled else "")
        query = f"SELECT record FROM judged_window WHERE {among} ORDER BY start_ms DESC LIMIT ?"
        with self._lock:
            rows = self._connection.execute(query, (contract, promise, count)).fetchall()
        return [WindowVerdict.from_record(json.loads(record)) for (record,) in reversed(rows)]

    def newest_settled_ms(self, contract: str) -> int | None:
        """End of the newest window of a contract that is settled for every promise judged in it; None without any."""
        query = (
            "SELECT end_ms FROM judged_window AS w WHERE contract = ? AND settled = 1 AND NOT EXISTS (SELECT 1 FROM"
            " judged_window AS o WHERE o.contract = w.contract AND o.settled = 0 AND o.start_ms = w.start_ms)"
            " ORDER BY start_ms DESC LIMIT 1"
        )
        with self._lock:
            row = self._connection.execute(query, (contract,)).fetchone()
        return None if row is None else int(row[0])

    def judged_since(self, contract: str, from_ms: int, promises: int) -> dict[int, bool]:
        """Starts of the windows judged so far that began at or after an instant, and whether each is settled for all
        of so many promises."""
        query = (
            "SELECT start_ms, MIN(settled) = 1 AND COUNT(*) >= ? FROM judged_window"
            " WHERE contract = ? AND start_ms >= ? GROUP BY start_ms"
        )
        with self._lock:
            rows = self._connection.execute(query, (promises, contract, from_ms)).fetchall()
        return {int(start_ms): bool(settled) for start_ms, settled in rows}

    def oldest_open_ms(self, contract: str) -> int | None:
        """Start of the oldest window that is not settled yet for some promise; None when all judged ones are."""
        with self._lock:
            (found,) = self._connection.execute(
                "SELECT MIN(start_ms) FROM judged_window WHERE contract = ? AND settled = 0", (contract,)
            ).fetchone()
        return None if found is None else int(found)

    def merged(self, contract: str, promise: str, from_ms: int, to_ms: int) -> Sketch:
        """All values of a promise's metric in windows that began in a span, to 1 %, from the sketches of them."""
        whole = Sketch()
        with self._lock:
            rows = self._connection.execute(
                "SELECT sketch FROM judged_window WHERE contract = ? AND promise = ? AND start_ms >= ?"
                " AND start_ms < ? AND sketch IS NOT NULL",
                (contract, promise, from_ms, to_ms),
            ).fetchall()
        for (text,) in rows:
            whole.merge(Sketch.from_record(json.loads(text)))
        return whole

    def settled_between(self, contract: str, promise: str, from_ms: int, to_ms: int) -> bool:
        """Whether no window of a promise that began in a span is still open: what is known of it changes no more."""
        with self._lock:
            (opened,) = self._connection.execute(
                "SELECT COUNT(*) FROM judged_window WHERE contract = ? AND promise = ? AND start_ms >= ?"
                " AND start_ms < ? AND settled = 0",
                (contract, promise, from_ms, to_ms),
            ).fetchone()
        return not opened

    def retire(self, contract: str, before_ms: int) -> int:
        """Delete the windows of a contract that ended before an instant (its retention); returns how many.

        A window that is not settled stays: it is still owed a verdict.
        """
        with self._lock:
            cursor = self._connection.execute(
                "DELETE FROM judged_window WHERE contract = ? AND settled = 1 AND start_ms < ? AND end_ms <= ?",
                (contract, before_ms, before_ms),
            )
        return cursor.rowcount


def _shape_text(shape: tuple[tuple[str, int], ...]) -> str:
    return json.dumps(dict(shape), sort_keys=True, separators=(",", ":"))


def _evidence(row: Sequence[Any]) -> Evidence:
    samples = json.loads(zlib.decompress(row[13]))
    return Evidence(
        key=EvidenceKey(row[1], row[2], row[3], tuple(json.loads(row[4]).items()), row[5], row[6]),
        load=Load(row[7], row[8], row[9]),
        window_ms=row[10],
        windows=tuple(tuple(RequestSample.from_record(record) for record in window) for window in samples),
        measured_at_ms=row[11],
        origin=row[12],
        id=row[0],
    )
