"""A model server as a queue with slots, under a speed that faults change; the truth of each request is known."""

from __future__ import annotations

import bisect
import heapq
import random
from dataclasses import dataclass, field

S = 1_000_000_000
START_NS = 1_000_000 * S
FIRST_WORK_NS = 100_000_000
TOKEN_WORK_NS = 12_000_000
OUTPUT_TOKENS = 24
PROMPT_TOKENS = 50
SLOTS = 2
PATIENCE_NS = 2 * S
"""So long users wait for a first token before they give up, where a stall makes them: clients have timeouts."""


@dataclass(frozen=True)
class Episode:
    """A span in which something is wrong with the service."""

    kind: str
    """`slow`, `stall`, `left` (a stall in which users give up), `dead` or `flood`."""
    start_ns: int
    end_ns: int


def episodes(
    source: random.Random, kind: str, windows: int, span_ns: int, *, every: int, length: float
) -> list[Episode]:
    """When something is wrong, in so many windows of that span: for 0.4 to `length` of them, every `every` or so."""
    if not kind:
        return []
    found, at = [], START_NS + int((every / 2 + source.random()) * span_ns)
    while at < START_NS + (windows - 4) * span_ns:
        end = at + int(source.uniform(0.4, length) * span_ns)
        found.append(Episode(kind, at, end))
        at = end + int(source.uniform(0.5, 1.5) * every * span_ns / 2)
    return found


@dataclass
class Truth:
    """One request as its user saw it."""

    number: int
    role: str
    arrival_ns: int
    first_ns: int | None = None
    gaps_ns: list[int] = field(default_factory=list)
    end_ns: int | None = None
    failed: bool = False
    left: bool = False
    """Its user gave up waiting for the first token."""

    @property
    def how(self) -> str:
        """How its end is journalled."""
        return "failed" if self.failed else "abandoned" if self.left else "answered"

    @property
    def first_after_ns(self) -> float:
        """Time to the first token as its user saw it; infinite where none came."""
        return float("inf") if self.failed or self.first_ns is None else self.first_ns - self.arrival_ns

    def newest_ns(self, now_ns: int) -> int:
        """When the newest token came until now; only where one has come."""
        at = self.first_ns or 0
        for gap in self.gaps_ns:
            if at + gap > now_ns:
                break
            at += gap
        return at


class Speed:
    """Work done over time: 1 in peace, a third when slowed, nothing in a stall."""

    def __init__(self, episodes: list[Episode]) -> None:
        self._changes: list[tuple[int, float]] = [(0, 1.0)]
        for episode in sorted(episodes, key=lambda e: e.start_ns):
            if episode.kind in ("slow", "stall", "left"):
                self._changes += [(episode.start_ns, 0.25 if episode.kind == "slow" else 0.0), (episode.end_ns, 1.0)]
        self._starts = [at for at, _ in self._changes]

    def after(self, at_ns: int, work_ns: int) -> int:
        """When work that begins at an instant is done."""
        index = bisect.bisect_right(self._starts, at_ns) - 1
        while True:
            speed = self._changes[index][1]
            end = self._starts[index + 1] if index + 1 < len(self._starts) else None
            possible = float("inf") if end is None else (end - at_ns) * speed
            if possible >= work_ns and speed > 0:
                return at_ns + round(work_ns / speed)
            assert end is not None
            work_ns -= int(possible)
            at_ns, index = end, index + 1


def arrivals(
    source: random.Random, per_second: float, start_ns: int, end_ns: int, episodes: list[Episode]
) -> list[int]:
    """Poisson instants, five times as many in a flood."""
    floods = [e for e in episodes if e.kind == "flood"]
    found, at = [], float(start_ns)
    most = per_second * (5 if floods else 1)
    while (at := at + source.expovariate(most) * S) < end_ns:
        now = 5.0 if any(e.start_ns <= at < e.end_ns for e in floods) else 1.0
        if source.random() < now * per_second / most:
            found.append(int(at))
    return found


def serve(source: random.Random, asked: list[tuple[int, str]], episodes: list[Episode]) -> list[Truth]:
    """Run all requests through the queue; `asked` holds instant and role in order of time."""
    speed, dead = Speed(episodes), [e for e in episodes if e.kind == "dead"]
    free = [0] * SLOTS
    heapq.heapify(free)
    impatient = any(e.kind == "left" for e in episodes)
    truths: list[Truth] = []
    for number, (arrival, role) in enumerate(asked, start=1):
        truth = Truth(number, role, arrival)
        truths.append(truth)
        if any(e.start_ns <= arrival < e.end_ns for e in dead):
            truth.failed, truth.end_ns = True, arrival + 1_000_000
            continue
        slot = heapq.heappop(free)
        at = speed.after(max(arrival, slot), round(FIRST_WORK_NS * source.uniform(0.9, 1.2)))
        if impatient and role == "user" and at > arrival + PATIENCE_NS:
            truth.left, truth.end_ns = True, arrival + PATIENCE_NS
            heapq.heappush(free, max(slot, truth.end_ns))  # The tap lets the slot go with its user.
            continue
        truth.first_ns = at
        for _ in range(OUTPUT_TOKENS - 1):
            then = speed.after(at, round(TOKEN_WORK_NS * source.uniform(0.9, 1.2)))
            truth.gaps_ns.append(then - at)
            at = then
        truth.end_ns = at
        for episode in dead:
            if arrival < episode.start_ns < at:
                _kill(truth, episode.start_ns)
        heapq.heappush(free, truth.end_ns)
    return truths


def _kill(truth: Truth, at_ns: int) -> None:
    """The server dies under a request."""
    truth.failed, truth.end_ns = True, at_ns
    if truth.first_ns is not None and truth.first_ns > at_ns:
        truth.first_ns, truth.gaps_ns = None, []
        return
    kept, reach = [], truth.first_ns or 0
    for gap in truth.gaps_ns:
        reach += gap
        if reach > at_ns:
            break
        kept.append(gap)
    truth.gaps_ns = kept
