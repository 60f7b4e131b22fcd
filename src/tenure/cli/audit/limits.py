"""The line that a promise draws, in words and on a chart: a ceiling for a latency, a floor for a rate."""

from tenure.promises import LatencyObjective, Promise
from tenure.quantities import Duration, Rate


def limit_of(promise: Promise) -> int:
    """Nanoseconds of a latency, micro-units per second of a rate."""
    objective = promise.objective
    return objective.bound_ns if isinstance(objective, LatencyObjective) else objective.floor_micro


def limit_text(promise: Promise) -> str:
    """≤ 1s, or ≥ 40/s."""
    if isinstance(promise.objective, LatencyObjective):
        return f"≤ {Duration(promise.objective.bound_ns)}"
    return f"≥ {Rate(promise.objective.floor_micro)}/s"


def seen_text(promise: Promise, seen: float) -> str:
    """A window's figure."""
    return f"{seen / 1e6:.0f} ms" if isinstance(promise.objective, LatencyObjective) else f"{seen / 1e6:.3g}/s"


def limit_word(promise: Promise) -> str:
    """What its line is called."""
    return "bound" if isinstance(promise.objective, LatencyObjective) else "floor"
