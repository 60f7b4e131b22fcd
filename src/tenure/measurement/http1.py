"""As much of HTTP/1.1 (RFC 9112) as a pass-through and a load generator need, incremental and bounded.

Own code because both must know the instant at which bytes came and neither may carry a framework: the tap lives beside
every workload. What is ambiguous is refused, never repaired, since a pass-through that guesses can be smuggled through.
"""

from __future__ import annotations

from dataclasses import dataclass, field

HEAD_BYTES_MAX = 64 * 1024


class HttpError(Exception):
    """A message that is not HTTP as we accept it; `status` is what a server answers with."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Head:
    """Start line and headers of one message; names in lower case, values as they came."""

    start: bytes
    headers: list[tuple[bytes, bytes]]

    def get(self, name: bytes) -> bytes | None:
        """The only value of a header, or None. Raises HttpError where it comes twice with different values."""
        values = {value for key, value in self.headers if key == name}
        if len(values) > 1:
            raise HttpError(f"header {name.decode()} appears with different values")
        return next(iter(values), None)

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection stays open after this message."""
        options = (self.get(b"connection") or b"").lower()
        if self.start.endswith(b"HTTP/1.0") or self.start.startswith(b"HTTP/1.0"):
            return b"keep-alive" in options
        return b"close" not in options


def split_head(buffer: bytearray) -> Head | None:
    """Take one head off the front of `buffer`; None when it is not complete yet. Raises HttpError."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > HEAD_BYTES_MAX:
            raise HttpError("the header section is too long", 431)
        return None
    if end > HEAD_BYTES_MAX:
        raise HttpError("the header section is too long", 431)
    lines = bytes(buffer[:end]).split(b"\r\n")
    del buffer[: end + 4]
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        # A space before the colon or a folded line has been used to hide a header from one of two parsers.
        if not colon or not name or name[-1:] in b" \t" or name[:1] in b" \t" or b"\n" in line or b"\r" in line:
            raise HttpError("a header line is malformed")
        headers.append((name.lower(), value.strip()))
    return Head(lines[0], headers)


@dataclass(slots=True)
class Body:
    """Decodes one message body. `remaining` is None while its end is not known by length."""

    chunked: bool = False
    remaining: int | None = 0
    done: bool = False
    _buffer: bytearray = field(default_factory=bytearray)
    _chunk: int = 0
    _state: str = "size"

    @classmethod
    def of_request(cls, head: Head) -> Body:
        """Body that a request head announces. Raises HttpError on both framings at once or on an unknown one."""
        return cls._announced(head, without=0)

    @classmethod
    def of_response(cls, head: Head, method: bytes) -> Body:
        """Body that follows a response head; without any framing it runs until the connection closes."""
        status = status_of(head)
        if method == b"HEAD" or status in (204, 304) or 100 <= status < 200:
            return cls(done=True)
        return cls._announced(head, without=None)

    @classmethod
    def _announced(cls, head: Head, without: int | None) -> Body:
        coding, length = head.get(b"transfer-encoding"), head.get(b"content-length")
        if coding is not None:
            if length is not None or coding.lower() != b"chunked":
                raise HttpError("the length of the message is ambiguous")
            return cls(chunked=True, remaining=None)
        if length is None:
            return cls(remaining=without, done=without == 0)
        if not length.isdigit():
            raise HttpError("content-length is not a number")
        return cls(remaining=int(length), done=int(length) == 0)

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Decode; returns (payload, what belongs to the next message). Raises HttpError on broken chunks."""
        if self.done:
            return b"", data
        if not self.chunked:
            if self.remaining is None:
                return data, b""
            payload, rest = data[: self.remaining], data[self.remaining :]
            self.remaining -= len(payload)
            self.done = self.remaining == 0
            return payload, rest
        self._buffer += data
        decoded = bytearray()
        while self._step(decoded):
            pass
        if self._state != "over":
            return bytes(decoded), b""
        self.done = True
        rest = bytes(self._buffer)
        self._buffer.clear()
        return bytes(decoded), rest

    def _step(self, payload: bytearray) -> bool:
        """Consume one element of the chunked coding; False when more bytes are needed or all is read."""
        buffer = self._buffer
        if self._state == "data":
            taken = buffer[: self._chunk]
            payload += taken
            del buffer[: len(taken)]
            self._chunk -= len(taken)
            if self._chunk:
                return False
            self._state = "end"
            return True
        end = buffer.find(b"\r\n")
        if end < 0:
            if len(buffer) > 4096 and self._state != "data":
                raise HttpError("a chunk header is too long")
            return False
        line = bytes(buffer[:end])
        del buffer[: end + 2]
        if self._state == "size":
            digits = line.split(b";", 1)[0].strip()
            if not digits or len(digits) > 15 or any(c not in b"0123456789abcdefABCDEF" for c in digits):
                raise HttpError("a chunk size is not a number")
            self._chunk = int(digits, 16)
            self._state = "data" if self._chunk else "trailer"
        elif self._state == "end":
            if line:
                raise HttpError("a chunk does not end where its size says")
            self._state = "size"
        elif not line:
            self._state = "over"
        return self._state != "over"

    def end_of_stream(self) -> bool:
        """The connection closed: whether the body was complete by then."""
        if not self.chunked and self.remaining is None:
            self.done = True
        return self.done


def status_of(head: Head) -> int:
    """Status code of a response head. Raises HttpError."""
    parts = head.start.split(b" ", 2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/1.") or not parts[1].isdigit():
        raise HttpError("not an HTTP/1.1 response", 502)
    return int(parts[1])
