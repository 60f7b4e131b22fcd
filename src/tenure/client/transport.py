"""Times and options of the HTTP clients, and how their failures read."""

import random
from typing import Any

import httpx2

from tenure.client.connection import Connection

# Loopback answers in milliseconds; a remote API server may take a while for a large list.
TIMEOUT = httpx2.Timeout(60, connect=5)
# A watch is silent between bookmarks, which come at least once a minute from Kubernetes.
WATCH_TIMEOUT = httpx2.Timeout(120, connect=5)
BACKOFF_SECONDS_MAX = 10.0
# Idle connections are dropped here before hosts drop them there (ours after 75 s), so that no write goes into a
# connection that is just being closed.
LIMITS = httpx2.Limits(max_connections=200, max_keepalive_connections=20, keepalive_expiry=30)


def http_options(connection: Connection) -> dict[str, Any]:
    """Keyword arguments for an httpx2 client of this connection."""
    return {
        "base_url": connection.url,
        "headers": {"User-Agent": "tenure", "Accept": "application/json", **connection.headers},
        "timeout": TIMEOUT,
        "limits": LIMITS,
        **connection.options,
    }


def pause_seconds(failures: int) -> float:
    """How long to wait after so many failures in a row: twice as long each time, up to ten seconds, never in step."""
    return random.uniform(0.5, 1) * min(BACKOFF_SECONDS_MAX, 0.1 * float(2 ** min(failures, 10)))


def never_sent(error: Exception) -> bool:
    """Whether the request certainly did not reach the host, so that sending it again cannot apply it twice."""
    return isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)


def watch_timeout(seconds: float | None) -> httpx2.Timeout:
    """Times of a watch that its caller ends after `seconds`, if at all."""
    if seconds is None or seconds + 1 >= 120:
        return WATCH_TIMEOUT
    return httpx2.Timeout(seconds + 1, connect=5)
