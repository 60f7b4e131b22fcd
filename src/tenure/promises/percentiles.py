"""The one definition of a percentile that every promise, bound and verdict uses.

The p-th percentile of n values is the *nearest rank*: the ceil(n * p / 100)-th smallest value, always a value that was
measured, never an interpolation. It is the definition under which order
statistics give exact bounds.
With few values it leans to the slow side: the p95 of fewer than 20 requests is the slowest of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TypeVar

Number = TypeVar("Number", int, float)


@lru_cache(maxsize=256)
def _exact(percentile: float) -> Fraction:
    """The percentile as people wrote it: 99.9 means 999/10, not the nearest binary fraction."""
    exact = Fraction(str(percentile))
    if not 0 < exact <= 100:
        raise ValueError(f"a percentile lies above 0 and at most at 100, not at {percentile}")
    return exact


def nearest_rank(percentile: float, count: int) -> int:
    """Rank (1 = smallest) of the percentile among `count` values; `count` is at least 1."""
    if count < 1:
        raise ValueError("a percentile needs at least one value")
    scaled = _exact(percentile) * count / 100
    return max(1, -(-scaled.numerator // scaled.denominator))


def percentile_of(values: Sequence[Number], percentile: float) -> Number:
    """Nearest-rank percentile of `values`, in any order. Raises ValueError when there are none."""
    return sorted(values)[nearest_rank(percentile, len(values)) - 1]
