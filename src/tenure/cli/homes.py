"""What is a home of Tenure, told before one is made of a folder and before one is removed: a mistyped --home names some
other folder."""

import errno
import os
import shutil
from pathlib import Path

from tenure.cli.failures import Failure, conflict, usage

FIRST_MARK = "plane.log"
MARKS = (FIRST_MARK, "tokens/controllers", "keys/history.json")
"""Each is written by the first steps of a start, so that one which failed early can still be purged. `state.db` is none
of them: others have files of that name, and no start writes it first."""
RESTORING = ".tenure-restoring"
"""What a restore unpacks into a folder that has to stay the folder that it is: gone once all of it is in its place."""
_OF_THE_VOLUME = "lost+found"
"""ext4 keeps it in the root of a volume; it is nobody's, and neither makes a folder full nor goes with a home."""
_STAYS = (errno.EBUSY, errno.EACCES, errno.EPERM, errno.ENOTEMPTY)
"""Why an empty folder is not removed: something is mounted there, or what it lies in is somebody else's."""


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


def remove_home(home: Path) -> bool:
    """Remove a home with all that lies in it; whether the folder is gone. What may not be taken away itself, as the
    root of a volume, stays, and is empty. The mark goes last: cut off on the way it is a home, and can be purged."""
    for path in sorted(_held(home), key=lambda path: path.name == FIRST_MARK):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    try:
        home.rmdir()
    except OSError as error:
        if error.errno not in _STAYS:
            raise
        return False
    return True


def require_own(home: Path) -> None:
    """Raises Failure where something of somebody else is at `home`, before anything is written to it: all that lies in
    a home is Tenure's, and goes with it.

    A folder of another user is none that root may take either: its owner could put other keys and tokens in place of
    those that lie in it. A link to a folder is judged by what lies behind it; a link to nothing is none that a folder
    could be made of.
    """
    require_whole(home)
    if not home.is_dir():
        if home.is_symlink() or home.exists():
            raise usage(f"{home} is no folder, and no home can be made of it", _OTHER, "NotAHome")
    elif home.stat().st_uid != os.geteuid():
        said = f"{home} belongs to another user, so nothing is put into it"
        raise usage(said, f"{_OTHER}, such as {home / 'tenure'}", "NotAHome")
    elif not _is_free(home):
        said = f"{home} is not empty and no home of Tenure, so nothing is put into it"
        raise usage(said, f"{_OTHER}, such as {home / 'tenure'}", "NotAHome")


def require_whole(home: Path) -> None:
    """Raises Failure where a restore was cut off: part of a backup is there, and would be taken for all of it."""
    if (home / RESTORING).is_dir():
        said = f"a restore into {home} is under way, or was cut off and left a part of its backup there"
        step = f"where none is under way: tenure --home {home.resolve()} down --purge, then restore it again"
        raise conflict(said, "RestoreCutOff", step)


def make_home(home: Path) -> None:
    """See to it that `home` is there, is its owner's alone and known as a home; raises Failure as `require_own` does.

    The mark comes last: a folder that cannot be closed is marked as no home. A start that is cut off at any point
    leaves an empty folder or a home.
    """
    require_own(home)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    require_own(home)  # somebody may have been faster
    if home.stat().st_mode & 0o077:  # else none of the server's code is loaded
        from tenure.server.privacy import close_to_others

        close_to_others(home)
    if not _is_marked(home):
        mark = os.open(home / FIRST_MARK, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.close(mark)


def has_to_stay(home: Path) -> bool:
    """Whether an empty folder cannot be replaced in one step: a link, where something is mounted, in a folder of
    somebody else. Only trying tells: a folder that is mounted from its own file system looks like any other."""
    if home.is_symlink():
        return True
    mode = home.stat().st_mode
    try:
        home.rmdir()
    except OSError as error:
        if error.errno not in _STAYS:
            raise
        return True
    home.mkdir(mode=mode & 0o7777)
    return False


def is_empty(folder: Path) -> bool:
    """Whether nothing of anybody lies in a folder."""
    return not _held(folder)


def _is_free(folder: Path) -> bool:
    """Whether a folder is a home or empty."""
    return _is_marked(folder) or is_empty(folder)


def _is_marked(folder: Path) -> bool:
    return any((folder / mark).is_file() for mark in MARKS) or (folder / RESTORING).is_dir()


def _held(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name != _OF_THE_VOLUME]


_STEP = "name the home that is meant: tenure --home DIR down --purge, or set TENURE_HOME"
_OTHER = "name an empty folder, or one that is not there yet, with --home DIR or TENURE_HOME"
