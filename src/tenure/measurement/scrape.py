"""The workload's own metrics: Prometheus text or OpenMetrics, read over HTTP, mapped onto what the objectives need.

Own small parser: what is wanted is counters and gauges by name, summed over their labels. A line that does not parse is
skipped and counted, since a page that changed its form must not look like a page of zeros.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from tenure.measurement.http1 import Body, HttpError, split_head, status_of

_LINE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[^"}]|"(?:\\.|[^"\\])*")*\})?\s+(\S+)(?:\s+\S+)*\s*$')
"""Name, labels, value; a time and, in OpenMetrics, an exemplar with labels and a value of its own may follow."""
_PAGE_BYTES_MAX = 8 << 20
ACCEPT = "application/openmetrics-text; version=1.0.0,text/plain;q=0.5"
"""OpenMetrics 1.0 where a server has it, else the older text."""


class ScrapeError(Exception):
    """The page could not be had; the message says why."""


@dataclass(frozen=True, slots=True)
class MetricsMap:
    """Names under which a runtime publishes what is needed; declared by its Runtime manifest. None: it does not."""

    output_tokens: str
    """Counter of generated tokens. A counter that the page does not have under its name is looked for under that name
    and `_total`."""
    output_seconds: str | None = None
    """Counter of the seconds spent generating them, summed over requests."""
    running: str | None = None
    """Gauge of requests being served."""
    waiting: str | None = None
    """Gauge of requests in the queue."""


LLAMA_CPP = MetricsMap(
    output_tokens="llamacpp:tokens_predicted_total",
    output_seconds="llamacpp:tokens_predicted_seconds_total",
    running="llamacpp:requests_processing",
    waiting="llamacpp:requests_deferred",
)
VLLM = MetricsMap(
    output_tokens="vllm:generation_tokens_total",
    running="vllm:num_requests_running",
    waiting="vllm:num_requests_waiting",
)


@dataclass(frozen=True, slots=True)
class Scrape:
    """The mapped values, asked for at one instant (Unix ns) and read within `took_ns`: a busy server answers late.
    None where the page does not hold the name."""

    at_ns: int
    output_tokens: float | None
    output_seconds: float | None
    running: float | None
    waiting: float | None
    took_ns: int = 0

    def as_record(self) -> dict[str, float | None]:
        """Plain JSON, for a journal."""
        return {
            "atNs": self.at_ns,
            "outputTokens": self.output_tokens,
            "outputSeconds": self.output_seconds,
            "running": self.running,
            "waiting": self.waiting,
            "tookNs": self.took_ns,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Scrape:
        """Inverse of `as_record`."""
        return cls(
            at_ns=record["atNs"],
            output_tokens=_figure(record["outputTokens"]),
            output_seconds=_figure(record["outputSeconds"]),
            running=_figure(record["running"]),
            waiting=_figure(record["waiting"]),
            took_ns=record.get("tookNs", 0),
        )


class MetricsState(StrEnum):
    """What a series of scrapes says of the page itself."""

    LIVE = "live"
    ABSENT = "absent"
    FROZEN = "frozen"
    """The tap saw tokens and the counters did not move."""
    REPLAYED = "replayed"
    """A counter went backwards although the process is the same."""


VALUE_MAX = 2**53
"""Beyond this a float skips whole numbers, and canonical JSON holds none."""


def _is_figure(value: float) -> bool:
    """Whether a figure can be reckoned with: no NaN, nothing infinite, nothing beyond what is exact."""
    return math.isfinite(value) and abs(value) < VALUE_MAX


def _figure(value: Any) -> float | None:
    return value if isinstance(value, int | float) and _is_figure(value) else None


def parse_metrics(text: str) -> tuple[dict[str, float], int]:
    """Sum of each metric over its labels, and how many lines were not understood. NaN and the like are no figure."""
    values: dict[str, float] = {}
    strange = 0
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.match(line)
        try:
            value = float(match[3]) if match else None
        except ValueError:
            value = None
        if match is None or value is None:
            strange += 1
        elif _is_figure(value):
            values[match[1]] = values.get(match[1], 0.0) + value
    return values, strange


async def fetch(url: str, timeout_s: float = 2.0, key: str | None = None) -> str:
    """Text of a page over HTTP, asked for with a bearer key where one is given. Raises ScrapeError."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ScrapeError(f"{url!r} is no http or https address")
    try:
        async with asyncio.timeout(timeout_s):
            context = ssl.create_default_context() if secure else None
            reader, writer = await asyncio.open_connection(
                parts.hostname, parts.port or (443 if secure else 80), ssl=context
            )
            try:
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", f"Accept: {ACCEPT}", "Connection: close"]
                lines += [f"Authorization: Bearer {key}"] if key else []
                writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
                return await _page(reader)
            finally:
                writer.close()
    except (OSError, TimeoutError, HttpError) as error:
        raise ScrapeError(f"{url}: {error or 'no answer in time'}") from error


async def _page(reader: asyncio.StreamReader) -> str:
    buffer, head, body, text = bytearray(), None, Body(), bytearray()
    while not (head and body.done):
        data = await reader.read(65536)
        if not data:
            if head is None or not body.end_of_stream():
                raise HttpError("the answer broke off")
            break
        if head is None:
            buffer += data
            head = split_head(buffer)
            if head is None:
                continue
            if status_of(head) != 200:
                raise HttpError(f"status {status_of(head)}")
            body, data = Body.of_response(head, b"GET"), bytes(buffer)
        text += body.feed(data)[0]
        if len(text) > _PAGE_BYTES_MAX:
            raise HttpError("the page is too long")
    return text.decode("utf-8", "replace")


async def scrape(url: str, names: MetricsMap, timeout_s: float = 2.0, key: str | None = None) -> Scrape:
    """One reading of a metrics page. Raises ScrapeError when there is no page or the counter of tokens is not on it."""
    at_ns, began_ns = time.time_ns(), time.monotonic_ns()
    values, _ = parse_metrics(await fetch(url, timeout_s, key))
    found = mapped(values, names, at_ns)
    if found.output_tokens is None:
        raise ScrapeError(f"{url}: there is no {names.output_tokens}")
    return replace(found, took_ns=time.monotonic_ns() - began_ns)


def mapped(values: Mapping[str, float], names: MetricsMap, at_ns: int) -> Scrape:
    """The values under their mapped names."""

    def value(name: str | None) -> float | None:
        return None if name is None else values.get(name)

    def counter(name: str | None) -> float | None:
        # Asked for OpenMetrics, client_golang adds this to the names of counters that lack it.
        found = value(name)
        return found if found is not None or name is None else values.get(f"{name}_total")

    return Scrape(
        at_ns,
        counter(names.output_tokens),
        counter(names.output_seconds),
        value(names.running),
        value(names.waiting),
    )


def state_of(scrapes: Sequence[Scrape], tap_tokens: int, edge_tokens: int = 0) -> MetricsState:
    """State of the page over a span with these scrapes, in which the tap saw so many tokens completed, and so many more
    too close to its edges to tell.

    A counter that falls has been reset by a restart only if what it then shows can have come since; a page that is
    played back shows more.
    """
    counts = _counts(scrapes)
    if len(counts) < 2:
        return MetricsState.ABSENT
    for earlier, later in itertools.pairwise(counts):
        if later < earlier and later > tap_tokens + edge_tokens:
            return MetricsState.REPLAYED
    if tap_tokens > 0 and counts[0] == counts[-1]:
        return MetricsState.FROZEN
    return MetricsState.LIVE


def increase(scrapes: Sequence[Scrape]) -> tuple[float, bool]:
    """How much the counter of tokens rose over these scrapes, from zero after a reset, and whether there was one."""
    total, reset = 0.0, False
    for earlier, later in itertools.pairwise(_counts(scrapes)):
        reset = reset or later < earlier
        total += later if later < earlier else later - earlier
    return total, reset


def _counts(scrapes: Sequence[Scrape]) -> list[float]:
    return [scrape.output_tokens for scrape in scrapes if scrape.output_tokens is not None]
