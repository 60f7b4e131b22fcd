"""Choosing a shape and bounding it must not rest on the same samples: the best of several is flattered by luck.

So the choice is made on one part of the windows and the bound on the other, which the choice has not seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from tenure.promises.percentiles import percentile_of

Key = TypeVar("Key")
Sample = TypeVar("Sample")


def split(windows: Sequence[Sample], choosing: int | None = None) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """The first `choosing` windows (default: a quarter, at least one) to choose by, the rest to bound by."""
    if choosing is None:
        choosing = max(1, len(windows) // 4)
    return windows[:choosing], windows[choosing:]


def choose(candidates: Mapping[Key, Mapping[str, Sequence[float]]], bounds: Mapping[str, float]) -> list[Key]:
    """Order shapes, best first, by the headroom they showed in the choosing windows.

    `candidates` maps a shape to each objective's window percentiles, `bounds` an objective to what is asked. The
    headroom of a shape is that of its tightest objective: the bound over the median of its windows. Median, because it
    is a ranking and not a promise. Ties keep the order given, so list the cheapest first.
    """

    def headroom(shape: Key) -> float:
        shown = candidates[shape]
        ratios = [bounds[name] / max(percentile_of(list(shown[name]), 50), 1e-9) for name in bounds if shown.get(name)]
        return min(ratios, default=0.0)

    return sorted(candidates, key=headroom, reverse=True)
