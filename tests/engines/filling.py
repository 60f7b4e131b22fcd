"""A disk that takes nothing more from one process: its file size limit (setrlimit(2)), which needs no privilege.

Python ignores SIGXFSZ, so a write past the limit is short where some of it fits, and fails with EFBIG where none does:
exactly what a disk does that runs full in the middle of a write.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_room(pid: int, bytes_left: int = 0) -> Iterator[None]:
    """While the block lasts, no file of the process grows beyond so many bytes."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (bytes_left, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
