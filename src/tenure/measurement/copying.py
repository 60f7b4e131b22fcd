"""The file of measurements, copied while it may be written, and looked through before it is trusted."""

import sqlite3
from pathlib import Path


class MeasurementsDamagedError(Exception):
    """The file cannot be read through, or not copied."""


def copy_measurements(source: Path, target: Path) -> None:
    """As it is at one instant; nothing where there is none. Raises MeasurementsDamagedError."""
    if not source.exists():
        return
    try:
        reader = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)
        copy = sqlite3.connect(target)
        try:
            reader.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
        finally:
            copy.close()
            reader.close()
    except sqlite3.Error as error:
        raise MeasurementsDamagedError(f"{source.name}: {error}") from error
    check_measurements(target)


def check_measurements(path: Path) -> None:
    """Read it through; one that is not there is whole. Raises MeasurementsDamagedError."""
    if not path.exists():
        return
    try:
        copy = sqlite3.connect(path)
        try:
            (said,) = copy.execute("PRAGMA integrity_check").fetchone()
        finally:
            copy.close()
    except sqlite3.Error as error:
        raise MeasurementsDamagedError(f"{path.name}: {error}") from error
    if said != "ok":
        raise MeasurementsDamagedError(f"{path.name}: {said}")
