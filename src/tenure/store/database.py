"""The SQLite file: its tables, how it is opened, and what its failures mean in words."""

import sqlite3
from pathlib import Path

from tenure.store.errors import StoreUnreadableError, StoreUnwritableError

APPLICATION_ID = 0x7E4_0DB
FORMAT = 1
BUSY_MS = 5_000
# Readers are short and the writer checkpoints at every 1,000 pages; this bounds the file that a burst leaves behind.
WAL_BYTES_MAX = 64 << 20

SCHEMA = """
CREATE TABLE objects (
  resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  uid TEXT NOT NULL, version INTEGER NOT NULL, deleting INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (resource, namespace, name)
) WITHOUT ROWID;
CREATE UNIQUE INDEX objects_by_uid ON objects (uid);
CREATE INDEX objects_deleting ON objects (resource, namespace, name) WHERE deleting;
CREATE TABLE changes (
  version INTEGER PRIMARY KEY, type TEXT NOT NULL,
  resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  body TEXT NOT NULL, previous TEXT
);
CREATE INDEX changes_by_resource ON changes (resource, version);
CREATE INDEX changes_by_object ON changes (resource, namespace, name, version);
CREATE TABLE owners (
  owner_uid TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (owner_uid, resource, namespace, name)
) WITHOUT ROWID;
CREATE INDEX owners_by_object ON owners (resource, namespace, name);
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO facts VALUES ('compacted', 0), ('floor', 0);
"""


def open_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes; creates the file when it is absent. Raises sqlite3.Error."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_MAX}")
        db.execute("PRAGMA temp_store = MEMORY")
        if (
            db.execute("PRAGMA application_id").fetchone()[0] == 0
            and not db.execute("SELECT 1 FROM sqlite_schema").fetchone()
        ):
            db.executescript(
                f"BEGIN; {SCHEMA} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; COMMIT;"
            )
    except BaseException:
        db.close()
        raise
    return db


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads. Raises sqlite3.Error.

    A read-only disk has no room for SQLite's shared index of the WAL; without a WAL the file cannot change under us
    there, and is opened as immutable.
    """
    options: dict[str, object] = {"uri": True, "isolation_level": None, "check_same_thread": False}
    uri = path.absolute().as_uri()
    db = sqlite3.connect(f"{uri}?mode=ro", timeout=BUSY_MS / 1000, **options)  # type: ignore[call-overload]
    try:
        db.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError:
        db.close()
        wal = path.with_name(path.name + "-wal")
        if wal.exists() and wal.stat().st_size:
            raise
        db = sqlite3.connect(f"{uri}?mode=ro&immutable=1", **options)  # type: ignore[call-overload]
        db.execute("SELECT 1 FROM sqlite_schema").fetchone()
    opened: sqlite3.Connection = db
    return opened


def check_format(db: sqlite3.Connection, path: Path) -> None:
    """Raises StoreUnreadableError when the file is someone else's or newer than this program."""
    application = db.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID:
        raise StoreUnreadableError(f"{path} is a database of another program; choose another home")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > FORMAT:
        raise StoreUnreadableError(f"{path} has format {version}, this program knows {FORMAT}: use the newer version")


def newest_version(db: sqlite3.Connection) -> int:
    """The version of the last change, also where the log was compacted after it."""
    newest = db.execute("SELECT max(version) FROM changes").fetchone()[0] or 0
    return max(int(newest), int(db.execute("SELECT value FROM facts WHERE name = 'floor'").fetchone()[0]))


def damage(db: sqlite3.Connection) -> str:
    """What SQLite's own check finds wrong; empty when nothing is."""
    try:
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == "ok" else str(found)


def unwritable(error: sqlite3.Error, path: Path) -> StoreUnwritableError:
    """A failed write in words: which disk, what to do."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name == "SQLITE_FULL":
        text = f"the disk of {path} is full; free some space, writes then go on by themselves"
    elif name.startswith(("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN")):
        text = f"{path} may not be written ({error}); make its disk and folder writable, then restart"
    elif name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        text = f"{path} is damaged ({error}); restore a backup with `tenure restore`"
    elif name.startswith("SQLITE_IOERR"):
        text = f"the disk of {path} failed ({error}, {name}); free space or replace it"
    else:
        text = f"{path} could not be written: {error}"
    return StoreUnwritableError(text)


def is_lasting(error: sqlite3.Error) -> bool:
    """Whether the file itself is hurt, so that trying again could make it worse."""
    name = getattr(error, "sqlite_errorname", "") or ""
    # After a failed sync the kernel may have dropped the pages it could not write: no later success is to be believed.
    return name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC"))
