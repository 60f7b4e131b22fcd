"""Where a control plane logs to: a stream that loses lines where the disk of its log takes none, and fails nobody.

The log lies on the disk of the home, and that a disk is full is just what there is to log then.
"""

import os
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, weakref_slot=True)
class LossyStream:
    """A text stream onto a file descriptor, unbuffered: nothing is kept that could fail later."""

    fd: int

    def write(self, text: str) -> int:
        """All of it, or as much as fits; says that all was taken."""
        rest = text.encode("utf-8", "backslashreplace")
        with suppress(OSError):
            while rest:
                rest = rest[os.write(self.fd, rest) :]
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""
