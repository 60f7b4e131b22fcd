"""Mergeable summary of durations with a stated relative error, for answers too long and windows too many to keep whole.

Logarithmic buckets as in DDSketch (Masson, Rim, Lee, VLDB 2019): bucket i holds (g^(i-1), g^i] with g = (1+a)/(1-a), so
that any value is known within a share `a` of itself. Values decode to the upper edge of their bucket: a sketch may
report a duration up to 2a too long, never too short, so it cannot turn a breach into a kept promise.

Exact gaps are kept for answers up to `EXACT_GAPS` tokens (the journal's size stays near 10 bytes a token); beyond that,
and for windows kept for the length of a contract, this.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

RELATIVE_ERROR = 0.01
_GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA = math.log(_GAMMA)
EXACT_GAPS = 512


class Sketch:
    """Counts by bucket. Some 1,600 buckets span a microsecond to a year, so it is bounded by nature."""

    __slots__ = ("counts", "infinite", "zeros")

    def __init__(self, values: Iterable[float] = ()) -> None:
        self.counts: dict[int, int] = {}
        self.zeros = 0
        self.infinite = 0
        for value in values:
            self.add(value)

    def add(self, value: float) -> None:
        """Take one duration in ns: zero, positive, or infinite for what never came."""
        if value == math.inf:
            self.infinite += 1
        elif value < 1:
            self.zeros += 1
        else:
            bucket = math.ceil(math.log(value) / _LOG_GAMMA)
            self.counts[bucket] = self.counts.get(bucket, 0) + 1

    def merge(self, other: Sketch) -> None:
        """Add all of another sketch's values to this one."""
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.zeros += other.zeros
        self.infinite += other.infinite

    @property
    def count(self) -> int:
        """How many values it holds."""
        return self.zeros + sum(self.counts.values()) + self.infinite

    def at_rank(self, rank: int) -> tuple[float, float]:
        """Interval that holds the rank-th smallest value (1 = smallest). Raises ValueError beyond the count."""
        if not 1 <= rank <= self.count:
            raise ValueError(f"no value of rank {rank} among {self.count}")
        if rank <= self.zeros:
            return 0.0, 0.0
        seen = self.zeros
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if rank <= seen:
                return _GAMMA ** (bucket - 1), _GAMMA**bucket
        return math.inf, math.inf

    def values_ns(self) -> list[int]:
        """The values, each as the upper edge of its bucket, in ascending order; infinite ones left out."""
        expanded = [0] * self.zeros
        for bucket in sorted(self.counts):
            expanded += [math.ceil(_GAMMA**bucket)] * self.counts[bucket]
        return expanded

    def as_record(self) -> dict[str, int]:
        """Plain JSON: bucket number to count."""
        record = {str(bucket): self.counts[bucket] for bucket in sorted(self.counts)}
        if self.zeros:
            record["zero"] = self.zeros
        if self.infinite:
            record["infinite"] = self.infinite
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, int]) -> Sketch:
        """Inverse of `as_record`."""
        sketch = cls()
        for bucket, count in record.items():
            if bucket == "zero":
                sketch.zeros = count
            elif bucket == "infinite":
                sketch.infinite = count
            else:
                sketch.counts[int(bucket)] = count
        return sketch
