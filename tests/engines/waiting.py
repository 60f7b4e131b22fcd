"""Waiting for something that happens in another process: looked at often, bounded, and named when it fails."""

import time
from collections.abc import Callable


def eventually(holds: Callable[[], bool], what: str, timeout_s: float = 10.0) -> None:
    """Return as soon as `holds()` is true; fail with `what` after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain until {what}"
        time.sleep(0.01)
