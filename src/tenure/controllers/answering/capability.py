"""What the evidence says each shape can do: bounds from measured samples. Pure.

Evidence under a heavier load bounds a lighter one, never the other way round. Windows of the asked length are bounded
by windows; where they are too few, by requests; where those are too few, the most confidence that they carry is said.
Floors of rates rest on what was measured under saturation (`floors.py`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tenure.controllers.answering.available import carry_availability
from tenure.controllers.answering.floors import carry_floor, saturated_like
from tenure.controllers.answering.measured import CONFIDENCE_LEAST, Carried, Measured, RunShape
from tenure.promises import (
    Assurance,
    Bound,
    LatencyObjective,
    Load,
    NoBound,
    Objective,
    RateObjective,
    RequestSample,
    bound_by_requests,
    bound_by_windows,
    readings,
    split,
    window_percentile,
)


@dataclass(frozen=True, slots=True)
class Capability:
    """Under this load this shape keeps these bounds."""

    shape: RunShape
    load: Load
    evidence: Measured
    carried: tuple[Carried, ...]

    @property
    def confidence(self) -> float:
        """The least confidence among its bounds."""
        return min((c.assurance.confidence for c in self.carried), default=1.0)


def capabilities(
    measured: Sequence[Measured], objectives: Sequence[Objective], load: Load, assurance: Assurance
) -> list[Capability]:
    """For each shape, what is carried at the load asked and at each lighter load that was measured.

    At one load the evidence that was measured closest above it is used: it is the least pessimistic that is valid.
    """
    found: list[Capability] = []
    for shape in sorted({m.shape for m in measured}):
        of_shape = [m for m in measured if m.shape == shape]
        lighter = {m.load for m in of_shape if not m.saturated and load.bounds(m.load) and m.load != load}
        for target in (load, *sorted(lighter, key=lambda other: -other.arrivals_micro)):
            capability = _at(shape, target, of_shape, objectives, assurance)
            if capability is not None:
                found.append(capability)
    return found


def _at(
    shape: RunShape,
    target: Load,
    of_shape: Sequence[Measured],
    objectives: Sequence[Objective],
    assurance: Assurance,
) -> Capability | None:
    """The capability by the lightest evidence that carries every objective; None when none does."""
    rates = [o for o in objectives if isinstance(o, RateObjective)]
    saturated = saturated_like(of_shape, target, assurance.window_ms)
    floors = [carry_floor(saturated, objective, assurance) for objective in rates]
    if not all(floors):
        return None
    carried_others = tuple(floor for floor in floors if floor is not None)
    available = carry_availability(of_shape, target, objectives, assurance)
    if available is None:
        return None
    carried_others += available
    latencies = [o for o in objectives if isinstance(o, LatencyObjective)]
    if not latencies and carried_others:
        return Capability(shape, target, carried_others[0].evidence, carried_others)
    enough = [m for m in of_shape if not m.saturated and m.load.bounds(target)]
    for evidence in sorted(enough, key=lambda m: (m.load.arrivals_micro, -m.measured_at_ms)):
        carried = [carry(evidence, objective, assurance) for objective in latencies]
        if all(carried):
            kept = tuple(c for c in carried if c is not None)
            return Capability(shape, target, evidence, (*kept, *carried_others))
    return None


def carry(evidence: Measured, objective: LatencyObjective, assurance: Assurance) -> Carried | None:
    """The tightest honest bound for one objective, at the confidence asked or the most that the evidence carries."""
    owed = evidence.load.output_tokens - 1
    methods = [_by_windows, _by_requests] if evidence.window_ms == assurance.window_ms else [_by_requests]
    least: list[float] = []
    for method in methods:
        answer = method(evidence, objective, owed, assurance, assurance.confidence)
        if isinstance(answer, Bound):
            return Carried(objective, answer, assurance, evidence)
        if answer.reason in ("TooFewWindows", "TooFewRequests"):
            least.append(answer.confidence_carried)
    lesser = math.floor(max(least, default=0.0) * 100) / 100
    if not CONFIDENCE_LEAST <= lesser < assurance.confidence:
        return None
    for method in methods:
        answer = method(evidence, objective, owed, assurance, lesser)
        if isinstance(answer, Bound):
            return Carried(objective, answer, replace(assurance, confidence=lesser), evidence)
    return None


def choosing_windows(windows: int) -> int:
    """How many of the first windows rank the shapes; what ranks a shape does not bound it (promises.shapes)."""
    return max(1, windows // 8)


def _bounding(evidence: Measured) -> Sequence[tuple[RequestSample, ...]]:
    _, bounding = split(evidence.windows, evidence.choosing)
    return bounding


def _by_windows(
    evidence: Measured, objective: LatencyObjective, owed: int, assurance: Assurance, confidence: float
) -> Bound | NoBound:
    found = (window_percentile(window, objective, owed) for window in _bounding(evidence))
    return bound_by_windows([value for value in found if value is not None], assurance.share, confidence)


def _by_requests(
    evidence: Measured, objective: LatencyObjective, owed: int, assurance: Assurance, confidence: float
) -> Bound | NoBound:
    per_request = [readings([sample], objective.metric, owed) for window in _bounding(evidence) for sample in window]
    worst = [max(reading.high for reading in values) for values in per_request if values]
    expected = evidence.load.arrivals_per_window(assurance.window_ms)
    return bound_by_requests(worst, objective.percentile, expected, assurance.share, confidence)
