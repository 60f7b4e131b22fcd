"""The one write thread: many waiting writers share one commit, and so one sync of the disk."""

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tenure.quantities import Clock, format_instant
from tenure.store import collector, database
from tenure.store.errors import StoreBusyError, StoreUnwritableError
from tenure.store.transaction import Transaction
from tenure.store.values import Resource
from tenure.store.watermark import Watermark

R = TypeVar("R")
log = logging.getLogger(__name__)

_SIZE = "length(body) + coalesce(length(previous), 0)"
GROUP_WRITES_MAX = 256
WAITING_WRITES_MAX = 4096


@dataclass(frozen=True, slots=True)
class LogBounds:
    """How much of the log is kept for watches to resume from; the older of what exceeds either bound goes.

    Bounds in size, not in age: a clock that jumps must not expire anybody's watch.
    """

    changes: int = 200_000
    bytes: int = 64 << 20


@dataclass(slots=True)
class _Waiting:
    step: Callable[[Transaction], Any]
    dry_run: bool
    future: Future[Any] = field(default_factory=Future)


class _Undone(Exception):  # noqa: N818
    """Rolls a dry run back; carries its outcome."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome


class Writer:
    """Owns the write connection, the version counter and the queue. Every write of the store passes here."""

    def __init__(
        self,
        path: Path,
        watermark: Watermark,
        resources: Mapping[str, Resource],
        clock: Clock,
        bounds: LogBounds,
        on_commit: Callable[[int, frozenset[str]], None],
    ) -> None:
        """Opens `path` for writing (sqlite3.Error when that fails) and starts the thread."""
        self._path = path
        self._watermark = watermark
        self._resources = resources
        self._clock = clock
        self._bounds = bounds
        self._on_commit = on_commit
        self._db = database.open_writer(path)
        self._queue: deque[_Waiting] = deque()
        self._compactions: deque[tuple[int, Future[None]]] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._unsettled_uids: set[str] = set()
        self._unsettled_namespaces: set[str] = set()
        self._sweep_due = True
        self.refusal: StoreUnwritableError | None = None
        self.trouble: StoreUnwritableError | None = None
        """Why the newest write failed; None again once one succeeds. Unlike a refusal it is tried again."""
        self.commits = 0
        self.writes = 0
        self.commit_seconds = 0.0
        facts = dict(self._db.execute("SELECT name, value FROM facts"))
        count, bytes_, newest = self._db.execute(
            f"SELECT count(*), coalesce(sum({_SIZE}), 0), coalesce(max(version), 0) FROM changes"
        ).fetchone()
        self.log_changes, self.log_bytes = count, bytes_
        self.compacted_version: int = facts["compacted"]
        self.version: int = max(newest, facts["floor"])
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)

    def start(self) -> None:
        """Start the thread; its first act is to finish what a crash left unfinished."""
        self._thread.start()
        self.submit(lambda _: None)

    @property
    def waiting_writes(self) -> int:
        """How many writes are queued now."""
        return len(self._queue)

    def submit(self, step: Callable[[Transaction], R], *, dry_run: bool = False) -> Future[R]:
        """Queue one write. The future is done after the commit is on disk; its error is a StoreError or a bug.

        Raises StoreBusyError when too many are waiting, StoreUnwritableError when writes are refused altogether.
        """
        if self.refusal is not None:
            raise self.refusal
        waiting = _Waiting(step, dry_run)
        with self._wake:
            if self._closing:
                raise StoreUnwritableError("the store is closing")
            if len(self._queue) >= WAITING_WRITES_MAX:
                raise StoreBusyError(f"{WAITING_WRITES_MAX} writes are waiting; try again shortly")
            self._queue.append(waiting)
            self._wake.notify()
        return waiting.future

    def request_compaction(self, through: int) -> Future[None]:
        """Have the write thread forget the log up to and including `through` after its next commit."""
        future: Future[None] = Future()
        with self._wake:
            self._compactions.append((through, future))
            self._wake.notify()
        return future

    def close(self) -> None:
        """Finish what is queued, then close the file (which folds the WAL into it)."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()
        self._db.close()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._queue or self._compactions or self._closing or self._unsettled):
                    self._wake.wait()
                if self._closing and not self._queue:
                    return
                group = [self._queue.popleft() for _ in range(min(len(self._queue), GROUP_WRITES_MAX))]
                compactions, self._compactions = self._compactions, deque()
            self._commit(group)
            for through, future in compactions:
                self._maintain(lambda through=through: self.compact_through(min(through, self.version)))  # type: ignore[misc]
                future.set_result(None)

    @property
    def _unsettled(self) -> bool:
        return self.refusal is None and bool(self._unsettled_uids or self._unsettled_namespaces)

    def _commit(self, group: list[_Waiting]) -> None:
        started = time.perf_counter()
        try:
            if self.refusal is not None:
                raise self.refusal
            self._db.execute("BEGIN IMMEDIATE")
            txn = self._transaction()
            outcomes = [(waiting, *self._step(txn, waiting)) for waiting in group]
            self._settle(txn)
            self._db.execute("COMMIT")
        except (sqlite3.Error, StoreUnwritableError) as error:
            self._fail(group, error)
            return
        self._committed(txn, len(group), time.perf_counter() - started)
        for waiting, outcome, problem in outcomes:
            if not waiting.future.set_running_or_notify_cancel():
                continue
            if problem is not None:
                waiting.future.set_exception(problem)
            else:
                waiting.future.set_result(outcome)
        self._maintain(self._compact)

    def _maintain(self, work: Callable[[], None]) -> None:
        """Housekeeping whose failure is nobody's answer: a full disk is told to the next writer."""
        try:
            work()
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if database.is_lasting(error):
                self.refusal = database.unwritable(error, self._path)

    def _transaction(self) -> Transaction:
        now = format_instant(self._clock.now_ms() // 1000 * 1000)  # Kubernetes' metadata has whole seconds
        txn = Transaction(self._db, self._resources, self.version, now)
        txn.unsettled_uids = set(self._unsettled_uids)
        txn.unsettled_namespaces = set(self._unsettled_namespaces)
        return txn

    def _settle(self, txn: Transaction) -> None:
        if self._sweep_due:
            collector.everything(txn)
        if not (txn.unsettled_uids or txn.unsettled_namespaces):
            return
        _, problem = self._step(txn, _Waiting(collector.settle, dry_run=False))
        if problem is not None:  # a bug, and no reason to lose the writes of others
            log.error("the sweep after a deletion failed", exc_info=problem)
            txn.unsettled_uids, txn.unsettled_namespaces = set(), set()

    def _step(self, txn: Transaction, waiting: _Waiting) -> tuple[Any, BaseException | None]:
        before = txn.version, txn.log_changes, txn.log_bytes
        self._db.execute("SAVEPOINT step")
        try:
            outcome = waiting.step(txn)
            if waiting.dry_run:
                raise _Undone(outcome)
        except (sqlite3.Error, StoreUnwritableError):
            raise  # the group fails as one
        except Exception as problem:
            self._db.execute("ROLLBACK TO step")
            self._db.execute("RELEASE step")
            txn.version, txn.log_changes, txn.log_bytes = before
            return (problem.outcome, None) if isinstance(problem, _Undone) else (None, problem)
        self._db.execute("RELEASE step")
        return outcome, None

    def _committed(self, txn: Transaction, writes: int, seconds: float) -> None:
        self._sweep_due = False
        self.trouble = None
        self._unsettled_uids = txn.unsettled_uids
        self._unsettled_namespaces = txn.unsettled_namespaces
        self.commits += 1
        self.writes += writes
        self.commit_seconds += seconds
        if txn.version == self.version:
            return
        self.version = txn.version
        self.log_changes += txn.log_changes
        self.log_bytes += txn.log_bytes
        try:
            self._watermark.note(txn.version)
        except OSError as error:  # this write is on disk; the next could be lost without a witness
            text = f"the version beside {self._path} cannot be noted: {error}"
            self.refusal = StoreUnwritableError(text)
        self._on_commit(self.version, frozenset(txn.touched))

    def _fail(self, group: list[_Waiting], error: sqlite3.Error | StoreUnwritableError) -> None:
        # What was to be settled is found again by a sweep in the next commit that succeeds.
        self._sweep_due = True
        self._unsettled_uids, self._unsettled_namespaces = set(), set()
        refusal = error if isinstance(error, StoreUnwritableError) else database.unwritable(error, self._path)
        self.trouble = refusal
        if isinstance(error, sqlite3.Error) and database.is_lasting(error):
            self.refusal = refusal
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        for waiting in group:
            if waiting.future.set_running_or_notify_cancel():
                waiting.future.set_exception(refusal)

    def _compact(self) -> None:
        """Drop the oldest of the log once it is a tenth beyond its bounds, so that it is rarely done."""
        bounds = self._bounds
        if self.log_changes <= bounds.changes * 1.1 and self.log_bytes <= bounds.bytes * 1.1:
            return
        through, changes, bytes_ = 0, self.log_changes, self.log_bytes
        rows = self._db.execute(f"SELECT version, {_SIZE} FROM changes ORDER BY version")
        for version, size in rows:
            if changes <= bounds.changes and bytes_ <= bounds.bytes:
                break
            through, changes, bytes_ = version, changes - 1, bytes_ - size
        rows.close()
        self.compact_through(through)

    def compact_through(self, version: int) -> None:
        """Forget changes up to and including `version`. On the write thread, outside a transaction."""
        if version <= self.compacted_version:
            return
        self._db.execute("BEGIN IMMEDIATE")
        changes, bytes_ = self._db.execute(
            f"SELECT count(*), coalesce(sum({_SIZE}), 0) FROM changes WHERE version <= ?", (version,)
        ).fetchone()
        self._db.execute("DELETE FROM changes WHERE version <= ?", (version,))
        self._db.execute("UPDATE facts SET value = ? WHERE name = 'compacted'", (version,))
        self._db.execute("UPDATE facts SET value = ? WHERE name = 'floor'", (self.version,))
        self._db.execute("COMMIT")
        self.compacted_version = version
        self.log_changes -= changes
        self.log_bytes -= bytes_
