"""Copies of a store: taken while it runs, verified before they are called copies, and put back with care."""

import os
import sqlite3
from pathlib import Path

from tenure.store import database
from tenure.store.errors import StoreUnreadableError
from tenure.store.sqlite import Store
from tenure.store.watermark import Watermark

# Pages copied between two looks at the clock; readers and the writer go on meanwhile.
_PAGES_A_STEP = 1024


def back_up(store: Store, target: Path) -> int:
    """Write a verified copy of a running store to `target` (which must not exist); returns the version it ends at.

    Raises FileExistsError, StoreUnreadableError when the copy does not verify, OSError.
    """
    return back_up_file(store.path, target)


def back_up_file(source: Path, target: Path) -> int:
    """As `back_up`, for the file of a store that may or may not be running."""
    if target.exists():
        raise FileExistsError(f"{target} exists; choose another name")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        reader = database.open_reader(source)
        try:
            os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            copy = sqlite3.connect(partial, isolation_level=None)
            try:
                reader.backup(copy, pages=_PAGES_A_STEP)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
            finally:
                copy.close()
        finally:
            reader.close()
        version = verify(partial)
        _sync(partial)
        os.rename(partial, target)
        _sync(target.parent)
    except sqlite3.Error as error:
        raise StoreUnreadableError(f"{source} could not be copied: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return version


def verify(path: Path) -> int:
    """The version that a copy ends at. Raises StoreUnreadableError when it is no whole store."""
    try:
        db = database.open_reader(path)
    except sqlite3.Error as error:
        raise StoreUnreadableError(f"{path} cannot be read: {error}") from None
    try:
        database.check_format(db, path)
        damage = database.damage(db)
        if damage:
            raise StoreUnreadableError(f"{path} is damaged: {damage}")
        return database.newest_version(db)
    except sqlite3.Error as error:
        raise StoreUnreadableError(f"{path} cannot be read: {error}") from None
    finally:
        db.close()


def restore(source: Path, target: Path) -> int:
    """Put a copy in place of a store that is not running; returns the version that writing goes on from.

    What was there is kept beside it as `*.before-restore`. Versions never go back: the restored store goes on above
    all that either knew, and no watch resumes across it (every cursor gets VersionExpiredError and lists again).
    Raises StoreInUseError, StoreUnreadableError, OSError.
    """
    kept = verify(source)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    watermark = Watermark(target.with_name(target.name + ".watermark"))
    try:
        floor = max(kept, watermark.read() or 0, _newest_of(target)) + 1
        partial = target.with_name(target.name + ".restoring")
        partial.unlink(missing_ok=True)
        back_up_file(source, partial)
        db = sqlite3.connect(partial, isolation_level=None)
        try:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM changes")
            db.execute("UPDATE facts SET value = ? WHERE name IN ('floor', 'compacted')", (floor,))
            db.execute("COMMIT")
        finally:
            db.close()
        _sync(partial)
        for suffix in ("", "-wal", "-shm"):
            old = target.with_name(target.name + suffix)
            if old.exists():
                os.replace(old, target.with_name(f"{target.name}.before-restore{suffix}"))
        os.rename(partial, target)
        _sync(target.parent)
        watermark.note(floor)
    except sqlite3.Error as error:
        raise StoreUnreadableError(f"{source} could not be put back: {error}") from error
    finally:
        watermark.close()
    return floor


def _newest_of(path: Path) -> int:
    try:
        db = database.open_reader(path)
    except sqlite3.Error:
        return 0
    try:
        return database.newest_version(db)
    except sqlite3.Error:
        return 0
    finally:
        db.close()


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
