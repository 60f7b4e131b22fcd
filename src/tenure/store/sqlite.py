"""The store as its users see it: reads at once, writes as futures, the log by cursor."""

import os
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from tenure.quantities import Clock, SystemClock
from tenure.store import database, rules
from tenure.store.errors import StoreUnreadableError, StoreUnwritableError
from tenure.store.reader import CHANGES_MAX, PAGE_MAX, Reader
from tenure.store.transaction import Transaction
from tenure.store.values import (
    Changes,
    Deleted,
    JsonObject,
    Page,
    Part,
    Propagation,
    Resource,
    Statistics,
    Stored,
)
from tenure.store.watermark import Watermark
from tenure.store.writer import LogBounds, Writer

R = TypeVar("R")
Listener = Callable[[int, frozenset[str]], None]

ROOM_BYTES = 1 << 20
"""More than any group of writes usually takes."""

NAMESPACES = Resource("", "v1", "Namespace", "namespaces", namespaced=False)


class Store:
    """Objects of some resources in one SQLite file, with one growing version over all of them.

    Reads may come from any thread and take one short transaction. Writes return futures (`.result()`, or
    `asyncio.wrap_future`) that are done once the write is on disk. `refusal` says why writes are refused, if they are.
    """

    def __init__(
        self,
        path: Path,
        resources: Iterable[Resource],
        *,
        clock: Clock | None = None,
        bounds: LogBounds | None = None,
    ) -> None:
        """Open or create the file. Raises StoreInUseError, and StoreUnreadableError where nothing can be read.

        A file that is damaged, or behind its watermark, or on a disk that takes no writes, opens for reading.
        """
        self.path = path
        self.resources = {r.key: r for r in (NAMESPACES, *resources)}
        self._listeners: list[Listener] = []
        self._refusal: StoreUnwritableError | None = None
        self._writer: Writer | None = None
        self._closed = False
        self._watermark = self._lock()
        try:
            self._open(clock or SystemClock(), bounds or LogBounds())
        except BaseException:
            self.close()
            raise

    @property
    def refusal(self) -> StoreUnwritableError | None:
        """Why writes are refused; None when they are taken."""
        return self._writer.refusal if self._writer else self._refusal

    @property
    def trouble(self) -> StoreUnwritableError | None:
        """Why writes are refused, or why the newest one failed; None while writes succeed."""
        return self.refusal or (self._writer.trouble if self._writer else None)

    def try_writing(self) -> None:
        """Find out whether the disk takes writes again, by some that change nothing. Waits; StoreUnwritableError.

        The file keeps room for itself, so a small write into it says nothing: there must be room beside it too.
        """
        room = self.path.with_name(self.path.name + ".room")
        try:
            with room.open("wb") as out:
                out.write(bytes(ROOM_BYTES))
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            raise StoreUnwritableError(f"{self.path.parent} takes no writes: {error.strerror}") from None
        finally:
            with suppress(OSError):
                room.unlink(missing_ok=True)
        self._submit(Transaction.touch, dry_run=False).result()

    @property
    def version(self) -> int:
        """The version of the newest committed change."""
        return self._writer.version if self._writer else self._reader.head()

    def get(self, resource: Resource, namespace: str, name: str) -> Stored | None:
        """The object, or None. Cluster-scoped objects lie in namespace ''."""
        return self._reader.get(resource, namespace, name)

    def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        name: str | None = None,
        after: tuple[str, str] = ("", ""),
        at: int | None = None,
        limit: int = PAGE_MAX,
    ) -> Page:
        """Objects in order of (namespace, name), after that key, as of version `at` (default: now).

        Raises VersionExpiredError when the log no longer reaches back to `at`.
        """
        return self._reader.page(resource, namespace, name, after, at, min(limit, PAGE_MAX))

    def changes(
        self,
        resource: Resource,
        after: int,
        namespace: str | None = None,
        *,
        name: str | None = None,
        limit: int = CHANGES_MAX,
    ) -> Changes:
        """What happened after version `after`, oldest first. Raises VersionExpiredError."""
        return self._reader.changes(resource, after, namespace, name, limit)

    def create(self, resource: Resource, content: JsonObject, *, dry_run: bool = False) -> Future[Stored]:
        """Add an object. ObjectExistsError, ObjectNotFoundError (its namespace), NamespaceTerminatingError."""
        return self._submit(lambda txn: rules.create(txn, resource, content), dry_run)

    def update(
        self, resource: Resource, content: JsonObject, part: Part = "main", *, dry_run: bool = False
    ) -> Future[Stored]:
        """Compare-and-swap on metadata.resourceVersion. ObjectConflictError, ObjectNotFoundError, FieldRefusedError."""
        return self._submit(lambda txn: rules.update(txn, resource, content, part), dry_run)

    def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        propagation: Propagation = "Background",
        uid: str | None = None,
        version: str | None = None,
        dry_run: bool = False,
    ) -> Future[Deleted]:
        """Remove an object or mark it. ObjectNotFoundError, ObjectConflictError, ObjectProtectedError."""
        return self._submit(
            lambda txn: rules.delete(txn, resource, namespace, name, propagation, uid, version), dry_run
        )

    def compact(self, through: int) -> None:
        """Forget the log up to and including `through`, as the bounds do by themselves. Waits until it is done."""
        self._require_writer().request_compaction(through).result()

    def on_commit(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(version, resource keys)` on the write thread after each commit, until the result is called.

        It must return at once and never raise; it says that there is something to read, not what.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def statistics(self) -> Statistics:
        """Figures for people and /metrics."""
        writer = self._writer
        wal = self.path.with_name(self.path.name + "-wal")
        return Statistics(
            version=self.version,
            compacted_version=writer.compacted_version if writer else 0,
            log_changes=writer.log_changes if writer else 0,
            log_bytes=writer.log_bytes if writer else 0,
            commits=writer.commits if writer else 0,
            writes=writer.writes if writer else 0,
            waiting_writes=writer.waiting_writes if writer else 0,
            commit_seconds=writer.commit_seconds if writer else 0.0,
            objects=self._reader.count(),
            file_bytes=sum(p.stat().st_size for p in (self.path, wal) if p.exists()),
        )

    def close(self) -> None:
        """Finish queued writes and close the file; the log stays for those who resume. Closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        if hasattr(self, "_reader"):
            self._reader.close()
        if self._writer:
            self._writer.close()
        self._watermark.close()

    def _lock(self) -> Watermark:
        path = self.path.with_name(self.path.name + ".watermark")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return Watermark(path)
        except OSError as error:
            if not self.path.exists():
                raise StoreUnreadableError(f"{self.path} can neither be read nor made: {error}") from None
            self._refusal = StoreUnwritableError(f"{self.path.parent} may not be written: {error}")
        try:
            return Watermark(path, writable=False)
        except OSError as error:
            raise StoreUnreadableError(f"{path} cannot be read: {error}") from None

    def _open(self, clock: Clock, bounds: LogBounds) -> None:
        if self._refusal is None:
            self._refusal = self._reason_to_refuse()
        if self._refusal is None:
            try:
                self._writer = Writer(self.path, self._watermark, self.resources, clock, bounds, self._committed)
            except sqlite3.Error as error:
                self._refusal = database.unwritable(error, self.path)
        try:
            self._reader = Reader(self.path)
            with self._reader.snapshot() as db:
                database.check_format(db, self.path)
        except sqlite3.Error as error:
            raise StoreUnreadableError(f"{self.path} cannot be read: {error}; restore a backup") from None
        if self._writer:
            self._writer.start()

    def _reason_to_refuse(self) -> StoreUnwritableError | None:
        """Judge the file before anything writes to it, so that evidence of damage is not overwritten."""
        noted = self._watermark.read()
        if not self.path.exists():
            if noted != 0:
                text = f"{self.path} is gone although writes were acknowledged; restore a backup with `tenure restore`"
                raise StoreUnreadableError(text)
            return None
        try:
            reader = database.open_reader(self.path)
        except sqlite3.Error as error:
            return database.unwritable(error, self.path)
        try:
            return self._judge(reader, noted)
        finally:
            reader.close()

    def _judge(self, db: sqlite3.Connection, noted: int | None) -> StoreUnwritableError | None:
        if not db.execute("SELECT 1 FROM sqlite_schema").fetchone():
            if noted == 0:
                return None  # killed before its tables were made
            raise StoreUnreadableError(f"{self.path} is empty although writes were acknowledged; restore a backup")
        database.check_format(db, self.path)
        damage = database.damage(db)
        if damage:
            return StoreUnwritableError(f"{self.path} is damaged ({damage}); restore a backup with `tenure restore`")
        newest = database.newest_version(db)
        if noted is None:
            text = f"the version noted beside {self.path} is damaged, so lost writes could not be seen"
            return StoreUnwritableError(f"{text}; restore a backup with `tenure restore`")
        if newest < noted:
            text = f"{self.path} ends at version {newest} but {noted} was acknowledged: its last writes were lost"
            return StoreUnwritableError(f"{text}; restore a backup with `tenure restore`")
        return None

    def _committed(self, version: int, touched: frozenset[str]) -> None:
        for listener in tuple(self._listeners):
            listener(version, touched)

    def _require_writer(self) -> Writer:
        if self._writer is None:
            assert self._refusal is not None, "a store without a writer says why"
            raise self._refusal
        return self._writer

    def _submit(self, step: Callable[[Transaction], R], dry_run: bool) -> Future[R]:
        return self._require_writer().submit(step, dry_run=dry_run)
