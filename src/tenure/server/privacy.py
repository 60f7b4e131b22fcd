"""A home is its owner's alone, whoever made its folder: its database holds the values of Secrets."""

import os
import stat
from contextlib import suppress
from pathlib import Path

OTHERS = 0o077
"""What a group and everybody else may do; also the umask of a process that writes into a home."""


def close_to_others(home: Path) -> None:
    """Take from others the way into `home`, where they have one, and every right to what lies in it. Raises OSError
    where the folder cannot be closed, because it is another user's for instance.

    What they hold open stays open to them; nobody can take that.
    """
    home = home.resolve()  # of a link it is the folder that is closed
    if not home.stat().st_mode & OTHERS:
        return  # they come to nothing that lies in it
    _close(home)
    for folder, folders, files in os.walk(home):  # follows no links
        for name in (*folders, *files):
            with suppress(OSError):  # of a run that ends meanwhile, or another user's; the way to it is closed
                _close(Path(folder, name))


def _close(path: Path) -> None:
    mode = path.lstat().st_mode
    if not stat.S_ISLNK(mode) and mode & OTHERS:
        path.chmod(stat.S_IMODE(mode) & ~OTHERS)
