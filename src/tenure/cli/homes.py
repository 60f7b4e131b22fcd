"""What is a home of Tenure, told before anything under it is removed: a mistyped --home names some other folder."""

from pathlib import Path

from tenure.cli.failures import Failure, usage

MARKS = ("state.db", "plane.log", "tokens/controllers", "keys/history.json")
"""Each is written by the first steps of a start, so that one which failed early can still be purged."""


def not_a_home(home: Path) -> Failure | None:
    """Why nothing under `home` may be removed; None for a home, and where there is nothing to remove."""
    if home.is_symlink() and home.is_dir():
        return usage(f"{home} is a link to {home.resolve()}, and only a folder itself is removed", _STEP, "NotAHome")
    if not home.is_dir():
        if not home.exists() and not home.is_symlink():
            return None
        return usage(f"{home} is no folder, and no home of Tenure", _STEP, "NotAHome")
    if any((home / mark).is_file() for mark in MARKS) or not any(home.iterdir()):
        return None
    return usage(f"{home} is not empty and no home of Tenure, so nothing in it is removed", _STEP, "NotAHome")


_STEP = "name the home that is meant: tenure --home DIR down --purge, or set TENURE_HOME"
