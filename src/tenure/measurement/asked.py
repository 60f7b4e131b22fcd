"""One request on its way through the tap, and the answers that the tap gives itself."""

from __future__ import annotations

import json
import re

from tenure.measurement.http1 import Head, HttpError

_REASONS = {
    400: b"Bad Request",
    401: b"Unauthorized",
    413: b"Content Too Large",
    431: b"Request Header Fields Too Large",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
}


_STREAM = re.compile(rb'"stream"\s*:\s*true')


PARSED_BYTES_MAX = 65_536
"""Parsing more would hold up the answers that pass meanwhile; in a longer body the pattern alone is believed."""


def asks_for_stream(payload: bytes) -> bool:
    """Whether a request's body asks for its answer token by token; the pattern spares the others their parsing."""
    if _STREAM.search(payload) is None:
        return False
    if len(payload) > PARSED_BYTES_MAX:
        return True
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and body.get("stream") is True


def error_response(status: int, code: str, message: str, *, close: bool) -> bytes:
    """An answer of our own, in OpenAI's shape, so that any client library shows its message."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    body = json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()
    reason = _REASONS.get(status, b"Error")
    extra = b"WWW-Authenticate: Bearer\r\n" if status == 401 else b""
    connection = b"close" if close else b"keep-alive"
    return (
        b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%sConnection: %s\r\n\r\n"
        % (status, reason, len(body), extra, connection)
    ) + body


class Asked:
    """One request on its way through: what the journal will say of it."""

    __slots__ = (
        "arrival_ns",
        "close_after",
        "head",
        "method",
        "number",
        "path",
        "request_id",
        "role",
        "started_ns",
        "streamed",
    )

    def __init__(self, head: Head, arrival_ns: int, started_ns: int) -> None:
        parts = head.start.split(b" ")
        if len(parts) != 3 or parts[2] not in (b"HTTP/1.1", b"HTTP/1.0") or not parts[1].startswith(b"/"):
            raise HttpError("the request line is malformed")
        self.head, self.method, self.path = head, parts[0], parts[1]
        self.arrival_ns, self.started_ns = arrival_ns, started_ns
        self.close_after = not head.keeps_alive
        self.request_id = (head.get(b"x-request-id") or b"")[:64].decode("ascii", "replace")
        self.role = ""
        self.number = 0
        self.streamed = False

    @property
    def measured(self) -> bool:
        """Whether it asks the model for something: these are journalled, listings and health are not."""
        return self.method == b"POST" and self.path.startswith(b"/v1/")
