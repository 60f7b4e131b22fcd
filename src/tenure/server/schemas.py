"""/openapi/v3: the index and the documents, made once, with a hash by which clients cache them."""

import hashlib
import json
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tenure.resources import openapi
from tenure.server.answers import raw_response
from tenure.server.refusals import refused


def index() -> dict[str, Any]:
    """GET /openapi/v3."""
    return {
        "paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={_hash(path)}"} for path in openapi.documents()}
    }


async def document(request: Request) -> Response:
    """GET /openapi/v3/apis/GROUP/VERSION."""
    path = request.path_params["path"]
    if path not in openapi.documents():
        step = "/openapi/v3 lists them"
        raise refused(404, "NotFound", f"no OpenAPI document at {path}; {step}", step=step)
    return raw_response(_text(path), 200, {"ETag": f'"{_hash(path)}"'})


async def document_v2(_: Request) -> Response:
    """GET /openapi/v2 is left out: clients that know it know v3 as well."""
    step = "use /openapi/v3"
    raise refused(404, "NotFound", f"OpenAPI v2 is left out of the embedded host; {step}", step=step)


@cache
def _text(path: str) -> str:
    return json.dumps(openapi.document(*openapi.documents()[path]), separators=(",", ":"))


@cache
def _hash(path: str) -> str:
    return hashlib.sha256(_text(path).encode()).hexdigest()[:32].upper()
