"""The tap: a pass-through in front of an OpenAI endpoint that admits the contract's keys and journals each request.

    python -m tenure.measurement.tap CONFIG.json

It stands beside the workload and needs nothing else of Tenure: with server and controllers dead it goes on, and the
windows that passed meanwhile are judged from its journal. Standard library only, to stay small. SIGTERM ends it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from tenure.measurement.answerer import Answerer
from tenure.measurement.asked import Asked
from tenure.measurement.journal import JournalWriter, clocks
from tenure.measurement.keys import KeyRing
from tenure.measurement.passthrough import Caller
from tenure.measurement.sketch import EXACT_GAPS, Sketch
from tenure.measurement.stream import AnswerTimer
from tenure.measurement.tap_config import TapConfig, TapConfigError

CONNECTIONS_WAITING = 256


class Tap:
    """State shared by the connections: keys, journal, what is in flight."""

    def __init__(self, config: TapConfig, journal: JournalWriter) -> None:
        self.config = config
        self.keys = KeyRing(config.mac_key, list(config.keys))
        self.upstream_key = config.upstream_key_file.read_bytes().strip() if config.upstream_key_file else b""
        self._journal = journal
        self._callers: set[Caller] = set()
        self._answerers: set[Answerer] = set()
        self.buffered_bytes = 0
        """Bytes of bodies that are not complete yet, over all connections."""
        self._number = 0
        self._refused = 0

    def admit(self, caller: Caller) -> bool:
        """Count a connection in, unless there are too many."""
        if len(self._callers) >= self.config.connections_max:
            self._refused += 1
            return False
        self._callers.add(caller)
        return True

    def forget(self, caller: Caller) -> None:
        """A connection is gone."""
        self._callers.discard(caller)

    def started(self, answerer: Answerer) -> None:
        """Journal the arrival, before anything is sent on: no later death can hide it."""
        asked = answerer.asked
        if not asked.measured:
            return
        self._answerers.add(answerer)
        self._note_start(asked)

    def _note_start(self, asked: Asked) -> None:
        self._number += 1
        asked.number = self._number
        fields = {"id": asked.number, "arrivalNs": asked.arrival_ns, "role": asked.role, "stream": asked.streamed}
        self._journal.append("start", fields | ({"requestId": asked.request_id} if asked.request_id else {}))

    def turned_away(self, asked: Asked, status: int) -> None:
        """Journal a request that the tap itself had no room for: to its user the service failed."""
        if not asked.role or not asked.measured:
            return
        self._note_start(asked)
        self._note_end(asked, AnswerTimer(streaming=False), status, "failed", time.monotonic_ns())

    def first_token(self, answerer: Answerer, now_ns: int) -> None:
        """Journal the first token, so that a long answer's is known before its end."""
        if answerer.asked.measured:
            after_ns = now_ns - answerer.asked.started_ns
            self._journal.append("first", {"id": answerer.asked.number, "afterNs": after_ns})

    def ended(self, answerer: Answerer, how: str) -> None:
        """Journal the whole measurement of a request."""
        asked, timer = answerer.asked, answerer.timer
        self._answerers.discard(answerer)
        if not asked.measured:
            return
        ended_ns = time.monotonic_ns()
        if how == "abandoned" and answerer.held_ns is not None:
            ended_ns = answerer.held_ns  # Who took no more of it had gone by then; the server was not asked for more.
        self._note_end(asked, timer, answerer.status, how, ended_ns)

    def _note_end(self, asked: Asked, timer: AnswerTimer, status: int, how: str, ended_ns: int) -> None:
        gaps = timer.gaps_ns
        exact = len(gaps) <= EXACT_GAPS
        first = None if timer.first_ns is None else timer.first_ns - asked.started_ns
        fields = {
            "id": asked.number,
            "arrivalNs": asked.arrival_ns,
            "role": asked.role,
            "status": status,
            "how": "failed" if timer.broken and how == "answered" else how,
            "stream": asked.streamed,
            "streamed": timer.streaming,
            "firstNs": first,
            "gapsNs": gaps if exact else None,
            "endNs": ended_ns - asked.started_ns,
            "promptTokens": timer.prompt_tokens,
            "outputTokens": timer.output_tokens,
        }
        if not exact:
            fields["gapSketch"] = Sketch(gaps).as_record()
        if asked.request_id:
            fields["requestId"] = asked.request_id
        self._journal.append("end", fields)

    def mark(self) -> None:
        """Journal that the tap is alive, the clocks, and how far each open answer is."""
        fields: dict[str, Any] = clocks() | {"inFlight": [answerer.progress() for answerer in self._answerers]}
        if self._journal.lost:
            fields["lost"] = self._journal.lost
        if arriving := sorted(at for caller in self._callers if (at := caller.arriving_ns) is not None):
            fields["arriving"] = arriving  # the windows that they belong to are not complete yet
        if self._refused:
            # Nobody read whether they were users; the windows around them cannot be vouched for.
            fields["refused"], self._refused = self._refused, 0
        self._journal.append("mark", fields)

    def close_idle(self) -> None:
        """Close connections that for too long neither ask, complete or not, nor take anything of their answer: slow
        senders hold no memory for ever, and who reads no more holds neither a slot nor the verdicts on a window."""
        now_ns = time.monotonic_ns()
        limit = now_ns - self.config.idle_ms * 1_000_000
        for caller in [c for c in self._callers if c.idle_since_ns(now_ns) < limit]:
            caller.cut()


async def serve(config: TapConfig, stop: asyncio.Event | None = None) -> None:
    """Run the tap until SIGTERM, SIGINT, the end of its parent, or `stop`. Raises OSError where it cannot listen or
    journal.

    It listens before it opens the journal: where another tap has the port, this one must not write beside it. Who
    connects meanwhile waits in the backlog.
    """
    host = config.listen_host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, config.listen_port), family=family, backlog=CONNECTIONS_WAITING) as listening:
        await _serve_on(listening, config, stop or asyncio.Event())


async def _serve_on(listening: socket.socket, config: TapConfig, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    journal = JournalWriter(config.journal_folder, segment_bytes=config.segment_bytes, retain_bytes=config.retain_bytes)
    tap = Tap(config, journal)
    server = await loop.create_server(lambda: Caller(tap), sock=listening, backlog=CONNECTIONS_WAITING)
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except (RuntimeError, ValueError, NotImplementedError):
            break  # Not the main thread: whoever runs us there uses `stop`.
    if config.announce_file is not None:
        _announce(config.announce_file, server.sockets[0].getsockname()[1])
    pulse = loop.create_task(_pulse(tap, journal, stop))
    try:
        await stop.wait()
    finally:
        server.close()
        pulse.cancel()
        tap.mark()
        journal.close()


async def _pulse(tap: Tap, journal: JournalWriter, stop: asyncio.Event) -> None:
    """Marks at a steady pace, and the sync to disk in another thread."""
    config = tap.config
    due_ns = time.monotonic_ns()
    synced_ns = due_ns
    while not stop.is_set():
        tap.mark()
        tap.close_idle()
        now_ns = time.monotonic_ns()
        if now_ns - synced_ns >= config.sync_ms * 1_000_000:
            synced_ns = now_ns
            await asyncio.to_thread(journal.sync)
        if config.parent_pid is not None and os.getppid() != config.parent_pid:
            stop.set()
        due_ns = max(due_ns + config.mark_ms * 1_000_000, time.monotonic_ns())
        await asyncio.sleep((due_ns - time.monotonic_ns()) / 1e9)


def _announce(path: Path, port: int) -> None:
    """Say which port was taken, in one atomic step."""
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps({"port": port, "pid": os.getpid()}))
    draft.replace(path)


def main(arguments: list[str]) -> int:
    """Command line; exit codes 0, 2 for a wrong configuration, 70 when it cannot listen or journal."""
    if len(arguments) != 1:
        print("usage: python -m tenure.measurement.tap CONFIG.json", file=sys.stderr)
        return 2
    try:
        config = TapConfig.read(Path(arguments[0]))
    except (TapConfigError, OSError) as error:
        print(f"tap: {arguments[0]}: {error}", file=sys.stderr)
        return 2
    try:
        asyncio.run(serve(config))
    except OSError as error:
        print(f"tap: {error}", file=sys.stderr)
        return 70
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
