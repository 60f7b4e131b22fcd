"""What is judged in the virtual part, and by what its users would say that it was missed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.honesty.world import OUTPUT_TOKENS, PROMPT_TOKENS, S, Truth
from tenure.promises import (
    Assurance,
    AvailabilityObjective,
    LatencyObjective,
    Load,
    Metric,
    Objective,
    Promise,
    percentile_of,
    poisson_quantile,
)

WINDOW_MS = 4000
DECLARED_PER_S = 1.5
BOUND_MS = 600
GAP_BOUND_MS = 30
AVAILABLE = 0.9
SILENCE_S_MAX = 60
ERROR_NS = 1_000_000
"""Measurement error of the truth itself: what the network adds between user and tap."""


@dataclass(frozen=True)
class Aim:
    """A promise, and whether the users of one window, at least one, really saw it missed, or clearly kept."""

    promise: Promise
    missed: Callable[[Sequence[Truth]], bool]
    clearly_kept: Callable[[Sequence[Truth]], bool]

    def bad(self, users: Sequence[Truth]) -> bool:
        """Missed in a window that was owed."""
        owed = 0 < len(users) <= poisson_quantile(DECLARED_PER_S * WINDOW_MS / 1000, 0.999)
        return owed and self.missed(users)

    def fine(self, users: Sequence[Truth]) -> bool:
        """Kept beyond the error of the truth."""
        return bool(users) and self.clearly_kept(users)


def _promise(objective: Objective) -> Promise:
    load = Load(round(DECLARED_PER_S * 1e6), PROMPT_TOKENS, OUTPUT_TOKENS)
    return Promise(objective, load, Assurance(WINDOW_MS, AVAILABLE, 0.9))


def _first_token_ns(users: Sequence[Truth]) -> float:
    return percentile_of([user.first_after_ns for user in users], 95)


def _gaps_ns(users: Sequence[Truth]) -> list[float]:
    """What users waited between tokens; for ever for those that a failure kept from them."""
    found: list[float] = []
    for user in users:
        missing = max(1, OUTPUT_TOKENS - 1 - len(user.gaps_ns)) if user.failed else 0
        found += [*user.gaps_ns, *[float("inf")] * missing]
    return found


def _long_gap_ns(users: Sequence[Truth]) -> float | None:
    gaps = _gaps_ns(users)
    return percentile_of(gaps, 95) if gaps else None


def _answered(users: Sequence[Truth]) -> float:
    told = [user for user in users if not user.left]  # Who gave up sooner than that has not found out.
    return sum(user.first_after_ns <= SILENCE_S_MAX * S for user in told) / len(told) if told else 1.0


FIRST_TOKEN = Aim(
    _promise(LatencyObjective(Metric.TIME_TO_FIRST_TOKEN, 95, BOUND_MS * 1_000_000)),
    lambda users: _first_token_ns(users) > BOUND_MS * 1e6 + ERROR_NS,
    lambda users: _first_token_ns(users) < BOUND_MS * 1e6 - ERROR_NS,
)
INTER_TOKEN = Aim(
    _promise(LatencyObjective(Metric.INTER_TOKEN_LATENCY, 95, GAP_BOUND_MS * 1_000_000)),
    lambda users: (_long_gap_ns(users) or 0) > GAP_BOUND_MS * 1e6 + ERROR_NS,
    lambda users: (_long_gap_ns(users) or float("inf")) < GAP_BOUND_MS * 1e6 - ERROR_NS,
)
AVAILABILITY = Aim(
    _promise(AvailabilityObjective(round(AVAILABLE * 1e6))),
    lambda users: _answered(users) < AVAILABLE,
    lambda users: _answered(users) >= AVAILABLE,
)
AIMS = (FIRST_TOKEN, INTER_TOKEN, AVAILABILITY)
