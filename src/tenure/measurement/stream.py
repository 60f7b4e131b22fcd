"""Reading an OpenAI answer as it comes: which bytes are tokens, when each came, and what the server says it counted."""

from __future__ import annotations

import json
import re
from typing import Any

_EVENT_BYTES_MAX = 4 * 1024 * 1024
_CONTENT = re.compile(rb'"(?:content|text|reasoning_content)"\s*:\s*"[^"]')
"""A non-empty content member. Inside a JSON string its quotes would be escaped, so it cannot be faked by an answer; it
spares the usual event, one a token, its parsing."""


class AnswerTimer:
    """Feed it the decoded body of an answer with the instant of each piece; it keeps the timing, not the text.

    One content-bearing event counts as one token, which is how the servers we know stream (llama.cpp, vLLM). Where the
    server reports its own count, `output_tokens` is that count, and a difference is visible beside `events`.
    """

    __slots__ = (
        "_pending",
        "broken",
        "first_ns",
        "gaps_ns",
        "last_ns",
        "prompt_tokens",
        "reported_output_tokens",
        "streaming",
    )

    def __init__(self, streaming: bool) -> None:
        self.streaming = streaming
        self.first_ns: int | None = None
        self.last_ns = 0
        self.gaps_ns: list[int] = []
        self.prompt_tokens: int | None = None
        self.reported_output_tokens: int | None = None
        self.broken = False
        """The server reported an error inside a stream that had begun with status 200."""
        self._pending = bytearray()

    @property
    def events(self) -> int:
        """Tokens seen."""
        return 0 if self.first_ns is None else 1 + len(self.gaps_ns)

    @property
    def output_tokens(self) -> int | None:
        """The server's own count where it gave one, else the tokens seen in a stream, else unknown."""
        if self.reported_output_tokens is not None:
            return self.reported_output_tokens
        return self.events if self.streaming else None

    def feed(self, data: bytes, now_ns: int) -> None:
        """Take a piece of the body that came at `now_ns` (any monotonic origin)."""
        pending = self._pending
        pending += data
        if len(pending) > _EVENT_BYTES_MAX:
            pending.clear()  # Not a stream we understand; timing of the bytes goes on without it.
            return
        if not self.streaming:
            return
        while (end := pending.find(b"\n")) >= 0:
            line = bytes(pending[:end]).rstrip(b"\r")
            del pending[: end + 1]
            if line.startswith(b"data:"):
                self._event(line[5:].strip(), now_ns)

    def finish(self) -> None:
        """The body is complete: read the counts of an answer that was not streamed."""
        if not self.streaming and self._pending:
            self._counts(_object(bytes(self._pending)))
        self._pending.clear()

    def _event(self, payload: bytes, now_ns: int) -> None:
        if payload == b"[DONE]":
            return
        plain = _CONTENT.search(payload) is not None and b'"usage"' not in payload and b'"timings"' not in payload
        event = {} if plain else _object(payload)
        if plain or _bears_content(event):
            if self.first_ns is None:
                self.first_ns = now_ns
            else:
                self.gaps_ns.append(now_ns - self.last_ns)
            self.last_ns = now_ns
        self.broken = self.broken or bool(event.get("error"))
        if "usage" in event or "timings" in event:
            self._counts(event)

    def _counts(self, event: dict[str, Any]) -> None:
        usage, timings = event.get("usage"), event.get("timings")
        if isinstance(usage, dict):
            self.prompt_tokens = _count(usage.get("prompt_tokens"), self.prompt_tokens)
            self.reported_output_tokens = _count(usage.get("completion_tokens"), self.reported_output_tokens)
        elif isinstance(timings, dict):
            # llama.cpp adds these to its last event whether or not usage was asked for; cached tokens count apart.
            evaluated = _count(timings.get("prompt_n"), None)
            if evaluated is not None:
                self.prompt_tokens = evaluated + (_count(timings.get("cache_n"), 0) or 0)
            self.reported_output_tokens = _count(timings.get("predicted_n"), self.reported_output_tokens)


def _object(payload: bytes) -> dict[str, Any]:
    try:
        value = json.loads(payload)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _count(value: object, otherwise: int | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise


def _bears_content(event: dict[str, Any]) -> bool:
    choices = event.get("choices")
    if not isinstance(choices, list):
        return False
    for choice in choices:
        if not isinstance(choice, dict):
            continue
        if choice.get("text"):
            return True
        delta = choice.get("delta")
        if isinstance(delta, dict) and (
            delta.get("content") or delta.get("reasoning_content") or delta.get("tool_calls")
        ):
            return True
    return False
