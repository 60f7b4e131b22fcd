"""Request bodies: bounded, UTF-8, JSON without duplicate keys or numbers that JSON has not; else a clear refusal."""

import asyncio
from typing import Any

from starlette.requests import Request

from tenure.resources.plain_json import JsonRefused, load_json, path_at_end
from tenure.server import protobuf
from tenure.server.refusals import Cause, Refused, bad_body, unsupported_media

# etcd takes 1.5 MiB and the Kubernetes API server 3 MiB; what fits there fits here.
BODY_BYTES_MAX = 3 << 20
AT_ONCE_BYTES_MAX = 128 << 10
"""Larger bodies are read beside the event loop: three megabytes of small objects take over half a second."""


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
    return await parsed(body)


async def parsed(body: bytes) -> dict[str, Any]:
    """As parse_object, which nobody waits for but who sent the body."""
    if len(body) > AT_ONCE_BYTES_MAX:
        return await asyncio.to_thread(parse_object, body)
    return parse_object(body)


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises 400 with a cause that says what is wrong with the text."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"the body is not UTF-8 text: byte {error.start} cannot be decoded"
        raise _malformed("NotUtf8", message, path_at_end(body[: error.start].decode())) from None
    try:
        document = load_json(text)
    except JsonRefused as refused:
        problem = refused.problem
        message = f"the body is not JSON: {refused}" if problem.code == "NotJson" else problem.message
        raise _malformed(problem.code, message, problem.path) from None
    if not isinstance(document, dict):
        raise _malformed("NotAnObject", "the body is JSON but not an object")
    return document


def _malformed(reason: str, message: str, field: str = "") -> Refused:
    return bad_body(Cause(field, reason, message))


def _too_large(size: int) -> Refused:
    message = f"the body has {size} bytes or more; this host takes {BODY_BYTES_MAX} at most"
    return Refused(413, "RequestEntityTooLarge", message, Cause("", "DocumentTooLarge", message))
