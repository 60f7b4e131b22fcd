"""What evidence costs: per decision and per window when written, per statement when a stranger checks it.

Writing is beside its limit (one fdatasync of the same bytes on the same disk) and a peer (SQLite in WAL mode with full
sync, a table of the same bytes: durable, but without proof of anything). Checking a signature is beside
securesystemslib. Verifying 10,000 statements has an aim, 5 s.
Prints a table, and JSON with --json; the status is 1 when the aim is missed.

    python -m benchmarks.evidence [--statements 10000] [--folder DIR] [--json FILE]
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from securesystemslib.dsse import Envelope as PeerEnvelope
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

from benchmarks.stated import AT_MS, REQUESTS, SOURCE, a_decision, a_log, a_window
from tenure.controllers.contract.checking import Recomputing
from tenure.evidence import (
    Draft,
    KeyRing,
    LogReader,
    export_bundle,
    sign_statement,
    verify_bundle,
    verify_envelope,
)
from tenure.quantities import SystemClock


@dataclass(frozen=True, slots=True)
class Row:
    """One measured cost. `limit`, `peer` and `aim` are in the same unit, where there are any."""

    what: str
    ours: float
    unit: str
    limit: float | None = None
    peer: float | None = None
    note: str = ""
    aim: float | None = None

    @property
    def missed(self) -> bool:
        """Whether it costs more than it may."""
        return self.aim is not None and self.ours > self.aim


VERIFYING_SECONDS = 5.0
VERIFYING_STATEMENTS = 10_000
"""A week of a contract that is judged every minute."""


def median_us(call: Callable[[int], Any], count: int) -> float:
    """Median time of `call(k)` over `count` calls, in microseconds."""
    times = []
    for number in range(count):
        begin = time.perf_counter_ns()
        call(number)
        times.append(time.perf_counter_ns() - begin)
    return statistics.median(times) / 1000


def raw_sync_us(folder: Path, data: bytes, count: int) -> float:
    """The limit: append `data` and fdatasync."""
    with (folder / "raw").open("wb", buffering=0) as file:

        def write(_: int) -> None:
            file.write(data)
            os.fdatasync(file.fileno())

        return median_us(write, count)


def sqlite_us(folder: Path, data: bytes, count: int) -> float:
    """The peer: one durable insert."""
    connection = sqlite3.connect(folder / "peer.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, data BLOB)")
    try:
        return median_us(lambda _: connection.execute("INSERT INTO entry (data) VALUES (?)", (data,)), count)
    finally:
        connection.close()


def writing(folder: Path, count: int) -> Iterator[Row]:
    """Appends: alone, as windows, in bulk, from threads."""
    size = [0.0]

    def grown(log_file: Path, before: int, over: int) -> bytes:
        size[0] = (log_file.stat().st_size - before) / over
        return os.urandom(max(1, round(size[0])))

    with a_log(folder / "alone") as (log, _):
        path = folder / "alone" / "evidence" / "log"
        before = path.stat().st_size
        ours = median_us(lambda number: log.append(a_decision(number)), count)
        data = grown(path, before, count)
        peer, limit = sqlite_us(folder, data, count), raw_sync_us(folder, data, count)
        yield Row("one decision, durable", ours, "us", limit, peer, f"{size[0]:.0f} bytes")
        windows = [a_window(number) for number in range(count)]
        before = path.stat().st_size
        ours = median_us(lambda number: log.append_all(windows[number]), count)
        data = grown(path, before, count)
        (folder / "peer.db").unlink()
        peer, limit = sqlite_us(folder, data, count), raw_sync_us(folder, data, count)
        what = f"one window, durable: 3 verdicts, {REQUESTS} requests of 64 tokens"
        yield Row(what, ours, "us", limit, peer, f"{size[0]:.0f} bytes")
    with a_log(folder / "bulk") as (log, _):
        drafts = [Draft(a_decision(number)) for number in range(5000)]
        begin = time.perf_counter_ns()
        for first in range(0, len(drafts), 500):
            log.append_all(drafts[first : first + 500])
        yield Row("one decision of 500 in a write", (time.perf_counter_ns() - begin) / 1000 / len(drafts), "us")
    with a_log(folder / "threads") as (log, _):
        threads = [
            threading.Thread(target=lambda k=k: [log.append(a_decision(k * 1000 + n)) for n in range(count // 4)])
            for k in range(16)
        ]
        begin = time.perf_counter_ns()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = (time.perf_counter_ns() - begin) / 1000
        yield Row("one decision, 16 threads that share syncs", took / (16 * (count // 4)), "us")


def signing(folder: Path) -> Iterator[Row]:
    """Signatures, alone."""
    key = KeyRing.open(folder / "signing", clock=SystemClock()).signing
    statement = a_decision(1)
    envelope = sign_statement(statement, key=key)
    peer_key = SSlibKey(key.id, "ed25519", "ed25519", {"public": key.public.raw.hex()})

    def peer_verify(_: int) -> None:
        PeerEnvelope.from_dict(copy.deepcopy(envelope)).verify([peer_key], 1)

    yield Row("sign a statement", median_us(lambda _: sign_statement(statement, key=key), 2000), "us")
    ours = median_us(lambda _: verify_envelope(envelope, keys=(key.public,)), 2000)
    note = "ours also checks canonical form and fields"
    yield Row("verify an envelope", ours, "us", None, median_us(peer_verify, 2000), note)


def checking(folder: Path, statements: int) -> Iterator[Row]:
    """Opening, proving, exporting and verifying a log of `statements`."""
    with a_log(folder / "large") as (log, keys):
        windows = (statements + 2) // 3
        for first in range(0, windows, 100):
            batch = [draft for number in range(first, min(windows, first + 100)) for draft in a_window(number)]
            log.append_all(batch)
        count = log.size
        ours = median_us(lambda number: log.inclusion_proof(number * 7919 % count), 2000)
        length = 32 * len(log.inclusion_proof(count // 2))
        yield Row("prove inclusion", ours, "us", note=f"{length} bytes")
        begin = time.perf_counter_ns()
        LogReader.open(folder / "large" / "evidence", keys=keys).close()
        seconds = (time.perf_counter_ns() - begin) / 1e9
        yield Row(f"open a log of {count} statements", seconds, "s", note="reads and checks all of it")
        path = folder / "bundle.jsonl"
        begin = time.perf_counter_ns()
        summary = export_bundle(log, path, sources=[SOURCE], keys=keys, at_ms=AT_MS)
        yield Row("export them", (time.perf_counter_ns() - begin) / 1e9, "s", note=f"{summary.bytes / 2**20:.0f} MiB")
        for what, how in (("verify them", None), ("verify them and recompute every verdict", Recomputing())):
            begin = time.perf_counter_ns()
            report = verify_bundle(path, public_key=keys.signing.public, recompute=how, processes=os.cpu_count() or 1)
            seconds = (time.perf_counter_ns() - begin) / 1e9
            if not report.ok:
                raise SystemExit(f"the bundle does not hold: {report.failures[0]}")
            note = f"{report.recomputed} recomputed" if how else ""
            yield Row(what, seconds, "s", note=note, aim=VERIFYING_SECONDS * count / VERIFYING_STATEMENTS)


def show(rows: list[Row]) -> None:
    """The table."""
    print(f"{'what':<66}{'ours':>11}{'limit':>11}{'SQLite/peer':>13}{'aim':>9}{'':>8}  note")
    for row in rows:
        cells = (number(row.limit, row.unit), number(row.peer, row.unit), number(row.aim, row.unit))
        met = "" if row.aim is None else "missed" if row.missed else "met"
        ours = number(row.ours, row.unit)
        print(f"{row.what:<66}{ours:>11}{cells[0]:>11}{cells[1]:>13}{cells[2]:>9}{met:>8}  {row.note}")


def number(value: float | None, unit: str) -> str:
    """A figure with its unit."""
    if value is None:
        return "–"
    return f"{value:.1f} {unit}" if unit == "us" else f"{value:.2f} {unit}"


def main() -> int:
    """Run all of it; 1 when an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statements", type=int, default=10_000)
    parser.add_argument("--appends", type=int, default=200)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk that shall be measured")
    parser.add_argument("--json", type=Path, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        rows = [*writing(folder, arguments.appends), *signing(folder), *checking(folder, arguments.statements)]
    show(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) | {"missed": row.missed} for row in rows], indent=2) + "\n")
    return int(any(row.missed for row in rows))


if __name__ == "__main__":
    sys.exit(main())
