"""A scripted model server for the tap's benchmark: answers at once, then a token every `gap` milliseconds.

python benchmarks/tap_upstream.py PORT_FILE GAP_MS
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

EVENT = json.dumps(
    {
        "choices": [{"finish_reason": None, "index": 0, "delta": {"content": " word"}}],
        "created": 1,
        "id": "chatcmpl-0123456789abcdef0123456789abcdef",
        "model": "scripted",
        "object": "chat.completion.chunk",
    }
).encode()
CHUNK = b"data: " + EVENT + b"\n\n"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gap_s: float) -> None:
    """One request a connection; `max_tokens` says how many tokens."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        tokens = json.loads(await reader.readexactly(length))["max_tokens"]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(tokens):
            if at and gap_s:
                await asyncio.sleep(gap_s)
            writer.write(b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK))
            await writer.drain()
        writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, StopIteration):
        pass
    finally:
        writer.close()


async def main() -> None:
    """Serve until killed."""
    gap_s = float(sys.argv[2]) / 1000
    server = await asyncio.start_server(lambda r, w: answer(r, w, gap_s), "127.0.0.1", 0)
    Path(sys.argv[1]).write_text(json.dumps({"port": server.sockets[0].getsockname()[1]}))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
