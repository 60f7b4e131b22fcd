"""Waiting for something that happens in another process: looked at often, bounded, and named when it fails."""

import time
from collections.abc import Callable

NAP_S, NAP_S_MAX = 0.01, 0.1
# A look at every process of the machine takes milliseconds of the very cores that are waited for.
SHARE = 1 / 5


def eventually(holds: Callable[[], bool], what: str, timeout_s: float = 60.0) -> None:
    """Return as soon as `holds()` is true; fail with `what` after `timeout_s`. Looking takes a share of the time."""
    deadline = time.monotonic() + timeout_s
    begun = time.thread_time()
    while not holds():
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain until {what}"
        looked_s = time.thread_time() - begun
        time.sleep(min(NAP_S_MAX, max(NAP_S, looked_s / SHARE)))
        begun = time.thread_time()
