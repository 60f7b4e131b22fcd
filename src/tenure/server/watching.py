"""Watches: the log of changes read by cursor and told line by line, in order, each change once.

A watcher keeps one number, its place in the log, and a bounded batch. A slow client slows only itself: it is read from
disk when it is ready for more, and told 410 when the log has moved past it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from starlette.types import Receive, Scope, Send

from tenure.resources import Kind
from tenure.server.answers import Form, event_text
from tenure.server.pulse import Pulse
from tenure.server.refusals import from_store
from tenure.server.selectors import Selection
from tenure.store import Change, Resource, Store, StoreError

BOOKMARK_SECONDS = 15.0
BATCH_CHANGES = 200


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """What one watch asks for."""

    kind: Kind
    resource: Resource
    namespace: str | None
    selection: Selection
    after: int | None  # None: tell the present state first
    bookmarks: bool
    seconds: float
    form: Form
    include: str
    shown: Callable[[str], str]  # an object's text as it may be shown when it is told


class WatchResponse:
    """An ASGI response that tells changes until the time is over, the client goes or the host closes."""

    def __init__(
        self, store: Store, pulse: Pulse, request: WatchRequest, now_ms: Callable[[], int], on_close: Callable[[], None]
    ) -> None:
        self._store = store
        self._pulse = pulse
        self._request = request
        self._now_ms = now_ms
        self._on_close = on_close
        self._first = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI's signature)
        """Send until done. A client that has gone is noticed at once, also while nothing happens."""
        telling = asyncio.ensure_future(self._tell(send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait((telling, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, leaving):
                task.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)
            self._on_close()

    async def _tell(self, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-cache, private")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        # An empty part makes the headers leave now, so that the client knows that the watch stands.
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        async for lines in self._lines():
            await send({"type": "http.response.body", "body": lines.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _lines(self) -> AsyncIterator[str]:
        request, loop = self._request, asyncio.get_running_loop()
        end = loop.time() + request.seconds
        try:
            cursor = request.after
            if cursor is None:
                async for lines, version in self._present():
                    cursor = version
                    if lines:
                        yield lines
            assert cursor is not None, "the present state has a version"
            bookmark_at = min(end, loop.time() + BOOKMARK_SECONDS)
            while not self._pulse.closing:
                changed = self._pulse.next(request.resource.key)
                batch = self._store.changes(
                    request.resource, cursor, request.namespace, name=request.selection.name, limit=BATCH_CHANGES
                )
                cursor = batch.through
                lines = "".join(self._line(change) for change in batch.items)
                if lines:
                    yield lines
                if len(batch.items) == BATCH_CHANGES:
                    continue
                if loop.time() >= bookmark_at:
                    if request.bookmarks:
                        yield self._bookmark(cursor)
                    if loop.time() >= end:
                        return
                    bookmark_at = min(end, loop.time() + BOOKMARK_SECONDS)
                await _either(changed, bookmark_at - loop.time())
        except StoreError as error:
            yield f'{{"type":"ERROR","object":{json.dumps(from_store(error).to_status())}}}\n'

    async def _present(self) -> AsyncIterator[tuple[str, int]]:
        request = self._request
        after, at, more = ("", ""), None, True
        while more:
            page = await asyncio.to_thread(
                self._store.list,
                request.resource,
                request.namespace,
                name=request.selection.name,
                after=after,
                at=at,
                limit=BATCH_CHANGES,
            )
            chosen = [item for item in page.items if request.selection.matches(item.content)]
            yield "".join(self._event("ADDED", item.body) for item in chosen), page.version
            at, more = page.version, page.more
            if page.items:
                after = (page.items[-1].namespace, page.items[-1].name)

    def _line(self, change: Change) -> str:
        selection = self._request.selection
        if selection.predicate is None:
            return self._event(change.type, change.body)
        before = change.previous_content is not None and selection.matches(change.previous_content)
        after = change.type != "DELETED" and selection.matches(change.content)
        if not (before or after):
            return ""
        if after:
            return self._event("MODIFIED" if before else "ADDED", change.body)
        if change.type == "DELETED":
            return self._event("DELETED", change.body)
        # It no longer matches: gone, as far as this watcher can see. Its last matching state, at this version.
        gone = dict(change.previous_content or {})
        gone["metadata"] = {**gone["metadata"], "resourceVersion": str(change.version)}
        return self._event("DELETED", json.dumps(gone, ensure_ascii=False, separators=(",", ":")))

    def _event(self, type: str, body: str) -> str:
        request = self._request
        text = event_text(
            request.kind, type, request.shown(body), request.form, request.include, self._now_ms(), self._first
        )
        self._first = False
        return text

    def _bookmark(self, version: int) -> str:
        kind = self._request.kind
        metadata = {"resourceVersion": str(version), "creationTimestamp": None}
        bookmark: dict[str, Any] = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
        if self._request.form == "table":
            table = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "columnDefinitions": None}
            row = {"cells": [], "object": bookmark}
            bookmark = {**table, "metadata": {"resourceVersion": str(version)}, "rows": [row]}
        return f'{{"type":"BOOKMARK","object":{json.dumps(bookmark)}}}\n'


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _either(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), max(0.0, seconds))
    except TimeoutError:
        return
