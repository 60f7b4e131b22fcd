"""The best of several shapes is chosen on windows that its bound does not use."""

from __future__ import annotations

import math
import random

from tenure.promises import Bound, bound_by_windows, choose, split


def test_the_parts_are_disjoint_and_whole() -> None:
    choosing, bounding = split(range(12))
    assert list(choosing) + list(bounding) == list(range(12))
    assert len(choosing) == 3


def test_the_shape_with_most_headroom_on_its_tightest_objective_is_first() -> None:
    shown = {"one": {"ttft": [100.0], "itl": [50.0]}, "two": {"ttft": [300.0], "itl": [10.0]}, "none": {}}
    assert choose(shown, {"ttft": 400, "itl": 60}) == ["two", "one", "none"]


def test_a_tie_goes_to_the_first_listed() -> None:
    assert choose({"cheap": {"ttft": [1.0]}, "dear": {"ttft": [1.0]}}, {"ttft": 5}) == ["cheap", "dear"]


def test_choosing_and_bounding_on_the_same_windows_would_flatter() -> None:
    """Six equal shapes: the lowest of their bounds covers less than each says; the bound of the chosen one does not."""
    source, rounds, honest, flattered = random.Random(2), 400, 0, 0
    quantile = -math.log(1 - 0.8)
    for _ in range(rounds):
        windows = {shape: [source.expovariate(1) for _ in range(12)] for shape in range(6)}
        parts = {shape: split(values, 4) for shape, values in windows.items()}
        best = choose({shape: {"x": list(part[0])} for shape, part in parts.items()}, {"x": 1.0})[0]
        bound = bound_by_windows(list(parts[best][1]), 0.8, 0.8)
        assert isinstance(bound, Bound)
        honest += bound.value >= quantile
        lowest = min(bound_by_windows(values, 0.8, 0.8).value for values in windows.values())  # type: ignore[union-attr]
        flattered += lowest >= quantile
    assert honest / rounds >= 0.8 - 0.06
    assert flattered / rounds < 0.74
