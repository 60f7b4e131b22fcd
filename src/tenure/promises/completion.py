"""Will it be done in time? A forecast from progress, for work with a deadline.

The work done so far is cut into blocks of equal amount; their durations give a prediction interval for the rest:
mean * r plus or minus t * sd * sqrt(r + r^2 / n), for r blocks to come after n measured ones (batch means; A. Law,
"Simulation Modeling and Analysis", chapter 9). Unlike the bounds on latencies this assumes something: that blocks are
alike and, being sums of many steps, near normal. So a forecast is called a forecast, never a bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from statistics import fmean, stdev

_BLOCKS_MAX = 20
_BLOCKS_MIN = 4
"""With fewer, the interval is so wide that it says nothing."""


@dataclass(frozen=True, slots=True)
class ProgressMark:
    """How much was done at an instant (Unix ms), in whatever unit the work counts itself."""

    at_ms: int
    done: float


class Outlook(StrEnum):
    """How a deadline stands."""

    DONE = "Done"
    MISSED = "Missed"
    ON_TIME = "OnTime"
    """Even the late end of the forecast lies before the deadline."""
    AT_RISK = "AtRisk"
    """The deadline lies inside the forecast."""
    WILL_MISS = "WillMiss"
    """Even the early end of the forecast lies behind the deadline: time to renegotiate."""
    UNKNOWN = "Unknown"
    """Too little progress, or none lately, to forecast from."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the work will be done: between `early_ms` and `late_ms` with this confidence."""

    early_ms: int
    likely_ms: int
    late_ms: int
    confidence: float
    blocks: int


def forecast(marks: Sequence[ProgressMark], total: float, confidence: float = 0.9) -> Forecast | None:
    """Forecast from marks in order of time towards `total`; None without enough progress.

    Work that was lost (restored from a checkpoint) shows as `done` falling: only what came after the last fall counts,
    and of it only what went beyond.
    """
    run = _since_last_fall(marks)
    if len(run) < 2 or run[-1].done <= run[0].done:
        return None
    blocks = min(_BLOCKS_MAX, len(run) - 1)
    if blocks < _BLOCKS_MIN:
        return None
    durations = _block_durations(run, blocks)
    size = (run[-1].done - run[0].done) / blocks
    remaining = max(0.0, total - run[-1].done) / size
    mean, spread = fmean(durations), stdev(durations)
    reach = student_quantile((1 + confidence) / 2, blocks - 1) * spread
    reach *= math.sqrt(remaining + remaining**2 / blocks)
    now_ms = run[-1].at_ms
    return Forecast(
        early_ms=now_ms + max(0, round(mean * remaining - reach)),
        likely_ms=now_ms + round(mean * remaining),
        late_ms=now_ms + round(mean * remaining + reach),
        confidence=confidence,
        blocks=blocks,
    )


def outlook(
    marks: Sequence[ProgressMark],
    total: float,
    deadline_ms: int,
    now_ms: int,
    finished_ms: int | None = None,
    confidence: float = 0.9,
) -> tuple[Outlook, Forecast | None]:
    """How a deadline stands now, and the forecast that it rests on.

    A run that stands still is not on time because it once was fast: the time since its last mark is added to the
    forecast's late end, and to its likely one.
    """
    if finished_ms is not None:
        return (Outlook.DONE if finished_ms <= deadline_ms else Outlook.MISSED), None
    if now_ms > deadline_ms:
        return Outlook.MISSED, None
    found = forecast(marks, total, confidence)
    if found is None:
        return Outlook.UNKNOWN, None
    still_ms = max(0, now_ms - marks[-1].at_ms)
    late_ms, early_ms = found.late_ms + still_ms, max(found.early_ms, now_ms)
    if late_ms <= deadline_ms:
        return Outlook.ON_TIME, found
    return (Outlook.WILL_MISS if early_ms > deadline_ms else Outlook.AT_RISK), found


def _since_last_fall(marks: Sequence[ProgressMark]) -> Sequence[ProgressMark]:
    falls = [place for place, (before, after) in enumerate(pairwise(marks), start=1) if after.done < before.done]
    return marks[falls[-1] :] if falls else marks


def _block_durations(run: Sequence[ProgressMark], blocks: int) -> list[float]:
    """Milliseconds that each block of equal work took, by linear interpolation between marks."""
    start, end = run[0].done, run[-1].done
    edges, at = [float(run[0].at_ms)], 0
    for block in range(1, blocks):
        target = start + (end - start) * block / blocks
        while run[at + 1].done < target:
            at += 1
        before, after = run[at], run[at + 1]
        share = (target - before.done) / (after.done - before.done)
        edges.append(before.at_ms + share * (after.at_ms - before.at_ms))
    edges.append(float(run[-1].at_ms))
    return [later - earlier for earlier, later in pairwise(edges)]


@lru_cache(maxsize=256)
def student_quantile(probability: float, freedom: int) -> float:
    """Quantile of Student's t for probabilities of at least one half, by Simpson's rule and bisection (to 1e-9)."""
    if not 0.5 <= probability < 1 or freedom < 1:
        raise ValueError(f"no quantile for probability {probability} and {freedom} degrees of freedom")
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)

    def beyond_half(t: float) -> float:
        # Substituting t = sqrt(v) tan(u) makes the integrand cos(u)^(v-1): smooth, however heavy the tail.
        top, steps = math.atan(t / math.sqrt(freedom)), 200
        width = top / steps
        weights = (1 if k in (0, steps) else 4 if k % 2 else 2 for k in range(steps + 1))
        total = math.fsum(w * math.cos(k * width) ** (freedom - 1) for k, w in enumerate(weights))
        return scale * math.sqrt(freedom) * total * width / 3

    low, high = 0.0, 1.0
    while beyond_half(high) < probability - 0.5:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond_half(middle) < probability - 0.5 else (low, middle)
    return (low + high) / 2
