"""Files that a command writes where its user said: what cannot be written is named as its user named it."""

from pathlib import Path

from tenure.cli.failures import DISK_FULL, Failure, unverifiable, usage


def write_text(option: str, path: Path, text: str) -> None:
    """Write `text` to the file that `option` names. Raises Failure."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritable(f"{option} {path}", error) from None


def unwritable(named: str, error: OSError) -> Failure:
    """What `named` (an option and its path, or a path) means for the command when it cannot be written."""
    said = f"{named}: cannot be written: {(error.strerror or str(error)).lower()}"
    return unverifiable(said, "DiskFull") if error.errno in DISK_FULL else usage(said, reason="FileUnwritable")
