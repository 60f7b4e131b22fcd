"""Reads beside the writer: objects, consistent pages as of any version in the log, and the log itself."""

import queue
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenure.store import database
from tenure.store.errors import StoreUnreadableError, VersionExpiredError
from tenure.store.values import Change, Changes, Page, Resource, Stored

CONNECTIONS = 4
# A caller that names no limit still reads in bounded pieces inside.
CHANGES_MAX = 500
PAGE_MAX = 10_000

_LIVE = """
SELECT namespace, name, version, body FROM objects
WHERE resource = :resource AND version <= :at AND (:namespace IS NULL OR namespace = :namespace)
  AND (:name IS NULL OR name = :name) AND (namespace, name) > (:after_namespace, :after_name)
"""
# Objects that changed after :at lie in the log as `previous` of their first change after it.
_AS_OF = f"""
{_LIVE}
UNION ALL
SELECT namespace, name, 0, previous FROM changes AS c
WHERE resource = :resource AND version > :at AND previous IS NOT NULL
  AND (:namespace IS NULL OR namespace = :namespace) AND (:name IS NULL OR name = :name)
  AND (namespace, name) > (:after_namespace, :after_name)
  AND NOT EXISTS (SELECT 1 FROM changes AS e WHERE e.resource = c.resource AND e.namespace = c.namespace
                  AND e.name = c.name AND e.version > :at AND e.version < c.version)
"""


class Reader:
    """A few read connections, shared by all threads. Every method is one short read transaction."""

    def __init__(self, path: Path) -> None:
        """Raises sqlite3.Error when the file cannot be opened at all."""
        self._path = path
        self._free: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        for _ in range(CONNECTIONS):
            self._free.put(database.open_reader(path))

    def close(self) -> None:
        """Close the connections; waits for reads under way."""
        for _ in range(CONNECTIONS):
            self._free.get().close()

    def get(self, resource: Resource, namespace: str, name: str) -> Stored | None:
        """One object as committed; microseconds when cached."""
        with self.snapshot() as db:
            row = db.execute(
                "SELECT version, body FROM objects WHERE resource = ? AND namespace = ? AND name = ?",
                (resource.key, namespace, name),
            ).fetchone()
        return Stored(namespace, name, row[0], row[1]) if row else None

    def page(
        self,
        resource: Resource,
        namespace: str | None,
        name: str | None,
        after: tuple[str, str],
        at: int | None,
        limit: int,
    ) -> Page:
        """Up to `limit` objects after the key `after`, as of version `at` (None: now). Raises VersionExpiredError."""
        with self.snapshot() as db:
            head, compacted = _bounds(db)
            version = head if at is None else at
            _require_in_log(version, head, compacted)
            keys = {"namespace": namespace, "name": name, "after_namespace": after[0], "after_name": after[1]}
            query = f"{_LIVE if version == head else _AS_OF} ORDER BY namespace, name LIMIT :limit"
            rows = db.execute(query, {"resource": resource.key, "at": version, "limit": limit + 1, **keys}).fetchall()
        items = tuple(Stored(*row) for row in rows[:limit])
        return Page(items, version, more=len(rows) > limit)

    def changes(
        self, resource: Resource, after: int, namespace: str | None, name: str | None, limit: int = CHANGES_MAX
    ) -> Changes:
        """The log after version `after`, oldest first. Raises VersionExpiredError when that is compacted or ahead."""
        with self.snapshot() as db:
            head, compacted = _bounds(db)
            _require_in_log(after, head, compacted)
            rows = db.execute(
                "SELECT type, namespace, name, version, body, previous FROM changes "
                "WHERE resource = :resource AND version > :after AND (:namespace IS NULL OR namespace = :namespace) "
                "AND (:name IS NULL OR name = :name) ORDER BY version LIMIT :limit",
                {"resource": resource.key, "after": after, "namespace": namespace, "name": name, "limit": limit},
            ).fetchall()
        items = tuple(Change(*row) for row in rows)
        return Changes(items, through=items[-1].version if len(items) == limit else head)

    def count(self) -> dict[str, int]:
        """Objects by resource."""
        with self.snapshot() as db:
            return dict(db.execute("SELECT resource, count(*) FROM objects GROUP BY resource").fetchall())

    def head(self) -> int:
        """The newest version on disk."""
        with self.snapshot() as db:
            return _bounds(db)[0]

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a read transaction: everything read sees one moment."""
        db = self._free.get()
        try:
            db.execute("BEGIN")
            yield db
        except sqlite3.Error as error:
            raise StoreUnreadableError(f"{self._path} cannot be read: {error}; `tenure doctor` says more") from error
        finally:
            if db.in_transaction:
                db.rollback()
            self._free.put(db)


def _bounds(db: sqlite3.Connection) -> tuple[int, int]:
    compacted = db.execute("SELECT value FROM facts WHERE name = 'compacted'").fetchone()[0]
    return database.newest_version(db), compacted


def _require_in_log(version: int, head: int, compacted: int) -> None:
    if version < compacted:
        raise VersionExpiredError(f"resource version {version} is too old (the log begins after {compacted})")
    if version > head:
        raise VersionExpiredError(f"resource version {version} is ahead of the store's {head}")
