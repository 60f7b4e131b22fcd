"""May single requests stand for one another? A test on the order in which they were measured.

Bartels' rank version of von Neumann's ratio (R. Bartels, "The rank version of von Neumann's ratio test for randomness",
JASA 77, 1982): the sum of squared differences of neighbouring ranks over their sum of squares. Near 2 for a random
order, smaller where neighbours resemble each other, as waiting in one queue or a drifting clock rate makes them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from enum import StrEnum
from statistics import NormalDist

_SIGNIFICANCE = 0.01
"""Chance of refusing a trial whose requests are exchangeable. A refusal costs a longer trial, never a wrong bound."""

_FEWEST = 20
"""Below this the test has next to no power, and passing it would mean nothing."""


class Exchangeability(StrEnum):
    """What the order of the samples says."""

    PLAUSIBLE = "plausible"
    REFUTED = "refuted"
    UNTESTED = "untested"


def rank_von_neumann_z(values: Sequence[float]) -> float:
    """Standard score of the ratio; strongly negative means positive autocorrelation. 0 where all values are equal."""
    count = len(values)
    ranks = _mid_ranks(values)
    mean = (count + 1) / 2
    spread = sum((rank - mean) ** 2 for rank in ranks)
    if spread == 0:
        return 0.0
    ratio = sum((b - a) ** 2 for a, b in itertools.pairwise(ranks)) / spread
    variance = 4 * (count - 2) * (5 * count**2 - 2 * count - 9) / (5 * count * (count + 1) * (count - 1) ** 2)
    return (ratio - 2) / math.sqrt(variance)


def exchangeability(values: Sequence[float]) -> Exchangeability:
    """Verdict over the samples in the order of their arrival, one-sided at a significance of 0.01."""
    if len(values) < _FEWEST:
        return Exchangeability.UNTESTED
    threshold = NormalDist().inv_cdf(_SIGNIFICANCE)
    return Exchangeability.REFUTED if rank_von_neumann_z(values) < threshold else Exchangeability.PLAUSIBLE


def _mid_ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, ties sharing the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in order[start : end + 1]:
            ranks[place] = (start + end) / 2 + 1
        start = end + 1
    return ranks
