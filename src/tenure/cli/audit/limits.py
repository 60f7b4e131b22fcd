"""The line that a promise draws, in words and on a chart: a ceiling for a latency, a floor for what is delivered."""

from tenure.cli.words import percent
from tenure.promises import AvailabilityObjective, LatencyObjective, Promise
from tenure.promises import limit_of as objective_limit
from tenure.quantities import Duration, Rate


def limit_of(promise: Promise) -> int:
    """Nanoseconds of a latency, micro-units per second of a rate, millionths of an availability."""
    return objective_limit(promise.objective)


def limit_text(promise: Promise) -> str:
    """≤ 1s, or ≥ 40/s, or ≥ 99.9 %."""
    limit = limit_of(promise)
    match promise.objective:
        case LatencyObjective():
            return f"≤ {Duration(limit)}"
        case AvailabilityObjective():
            return f"≥ {percent(limit / 1e6)}"
    return f"≥ {Rate(limit)}/s"


def seen_text(promise: Promise, seen: float) -> str:
    """A window's figure."""
    match promise.objective:
        case LatencyObjective():
            return f"{seen / 1e6:.0f} ms"
        case AvailabilityObjective():
            return percent(seen / 1e6)
    return f"{seen / 1e6:.3g}/s"


def limit_word(promise: Promise) -> str:
    """What its line is called."""
    return "bound" if isinstance(promise.objective, LatencyObjective) else "floor"
