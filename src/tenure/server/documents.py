"""Request bodies: bounded, UTF-8, JSON without duplicate keys or numbers that JSON has not; else a clear refusal."""

import json
import math
from typing import Any, NoReturn

from starlette.requests import Request

from tenure.server import protobuf
from tenure.server.refusals import Cause, Refused, bad_request, unsupported_media

# etcd takes 1.5 MiB and the Kubernetes API server 3 MiB; what fits there fits here.
BODY_BYTES_MAX = 3 << 20
DEPTH_MAX = 100


async def read_body(request: Request) -> bytes:
    """The whole body. Raises 413 as soon as it is known to be too large, without reading the rest."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > BODY_BYTES_MAX:
        raise _too_large(int(declared))
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise _too_large(size)
        parts.append(part)
    return b"".join(parts)


def media_type(request: Request) -> str:
    """The content type without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_object(request: Request, *, empty: bool = False) -> dict[str, Any]:
    """A JSON object from the body. `empty` allows none. Raises 400, 413 or 415."""
    body = await read_body(request)
    if empty and not body.strip():
        return {}
    sort = media_type(request)
    if sort == protobuf.MEDIA_TYPE:
        return protobuf.parse_protobuf(body)
    if sort not in ("application/json", ""):
        raise unsupported_media(f"the body is {sort}; this host takes application/json", "send application/json")
    return parse_object(body)


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises 400 with a cause that says what is wrong with the text."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed("NotUtf8", f"the body is not UTF-8 text: byte {error.start} cannot be decoded") from None
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except _DocumentError as error:
        raise _malformed(error.reason, str(error)) from None
    except RecursionError:
        raise _malformed("TooDeep", f"the document is nested deeper than {DEPTH_MAX} levels") from None
    except ValueError as error:
        raise _malformed("NotJson", f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise _malformed("NotAnObject", "the body is JSON but not an object")
    if _deeper_than(document, DEPTH_MAX):
        raise _malformed("TooDeep", f"the document is nested deeper than {DEPTH_MAX} levels")
    if "\\ud" in text.lower():
        try:
            json.dumps(document, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise _malformed("NotUtf8", "a string holds half of a surrogate pair, which is no text") from None
    return document


class _DocumentError(ValueError):
    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _DocumentError("DuplicateKey", f"the key {twice!r} appears twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise _DocumentError("NotJson", f"{name} is no number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _DocumentError("NotJson", f"the number {text} is too large")
    return number


def _deeper_than(document: Any, levels: int) -> bool:
    layer: list[Any] = [document]
    for _ in range(levels):
        layer = [child for node in layer for child in _children(node)]
        if not layer:
            return False
    return True


def _children(node: Any) -> list[Any]:
    members = node.values() if isinstance(node, dict) else node
    return [m for m in members if isinstance(m, dict | list)]


def _malformed(reason: str, message: str) -> Refused:
    return bad_request(Cause("", reason, message))


def _too_large(size: int) -> Refused:
    message = f"the body has {size} bytes or more; this host takes {BODY_BYTES_MAX} at most"
    return Refused(413, "RequestEntityTooLarge", message, Cause("", "DocumentTooLarge", message))
