"""The pass-through that one would write first: starlette, uvicorn and httpx2, a key compared, nothing measured.

python benchmarks/tap_peer.py PORT_FILE UPSTREAM_PORT
"""

from __future__ import annotations

import hmac
import json
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

UPSTREAM = f"http://127.0.0.1:{sys.argv[2]}"
CLIENT = httpx2.AsyncClient(timeout=None)


async def forward(request: Request) -> Response:
    """Pass one request on and stream its answer."""
    if not hmac.compare_digest(request.headers.get("authorization", ""), "Bearer tenure-bench"):
        return JSONResponse({"error": {"message": "no"}}, 401)
    sent = CLIENT.build_request(
        request.method,
        UPSTREAM + request.url.path,
        content=await request.body(),
        headers={"content-type": "application/json"},
    )
    answer = await CLIENT.send(sent, stream=True)

    async def body() -> AsyncIterator[bytes]:
        async for piece in answer.aiter_raw():
            yield piece
        await answer.aclose()

    return StreamingResponse(body(), answer.status_code, {"content-type": answer.headers["content-type"]})


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    Path(sys.argv[1]).write_text(json.dumps({"port": listener.getsockname()[1]}))
    app = Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "POST"])])
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
