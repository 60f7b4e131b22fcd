"""What is a home of Tenure, told before one is made of a folder and before one is removed: a mistyped --home names some
other folder."""

import os
from pathlib import Path

from tenure.cli.failures import Failure, usage

FIRST_MARK = "plane.log"
MARKS = (FIRST_MARK, "tokens/controllers", "keys/history.json")
"""Each is written by the first steps of a start, so that one which failed early can still be purged. `state.db` is none
of them: others have files of that name, and no start writes it first."""


def not_a_home(home: Path) -> Failure | None:
    """Why nothing under `home` may be removed; None for a home, and where there is nothing to remove."""
    if home.is_symlink() and home.is_dir():
        return usage(f"{home} is a link to {home.resolve()}, and only a folder itself is removed", _STEP, "NotAHome")
    if not home.is_dir():
        if not home.exists() and not home.is_symlink():
            return None
        return usage(f"{home} is no folder, and no home of Tenure", _STEP, "NotAHome")
    if _is_free(home):
        return None
    return usage(f"{home} is not empty and no home of Tenure, so nothing in it is removed", _STEP, "NotAHome")


def require_own(home: Path) -> None:
    """Raises Failure where something of somebody else is at `home`, before anything is written to it: all that lies in
    a home is Tenure's, and goes with it.

    A link to a folder is judged by what lies behind it; a link to nothing is none that a folder could be made of.
    """
    if not home.is_dir():
        if home.is_symlink() or home.exists():
            raise usage(f"{home} is no folder, and no home can be made of it", _OTHER, "NotAHome")
    elif not _is_free(home):
        said = f"{home} is not empty and no home of Tenure, so nothing is put into it"
        raise usage(said, f"{_OTHER}, such as {home / 'tenure'}", "NotAHome")


def make_home(home: Path) -> None:
    """See to it that `home` is there, is its owner's alone and known as a home; raises Failure as `require_own` does.

    The mark comes first. A start that is cut off at any point leaves an empty folder or a home.
    """
    require_own(home)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(home / FIRST_MARK, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if home.stat().st_mode & 0o077:  # else none of the server's code is loaded
        from tenure.server.privacy import close_to_others

        close_to_others(home)


def _is_free(folder: Path) -> bool:
    """Whether a folder is a home or empty."""
    return any((folder / mark).is_file() for mark in MARKS) or not any(folder.iterdir())


_STEP = "name the home that is meant: tenure --home DIR down --purge, or set TENURE_HOME"
_OTHER = "name an empty folder, or one that is not there yet, with --home DIR or TENURE_HOME"
