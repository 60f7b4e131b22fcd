"""Which trial would tell enough: shapes, loads and windows. Pure.

Each shape is measured at the load asked; the one with the most slots also at twice that, because evidence under a
heavier load bounds a lighter one and lets the next, larger need be answered without waiting.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tenure.controllers.answering.capability import choosing_windows
from tenure.controllers.answering.floors import saturated_like
from tenure.controllers.answering.measured import Measured, RunShape
from tenure.controllers.answering.need import Need
from tenure.promises import Load, RateObjective, samples_needed
from tenure.promises.objectives import MICRO

WINDOWS_SPARE = 1
"""One window more than the least, so that one without a request costs no confidence."""
MEASURED_MS_MAX = 60_000
"""What a trial measures of one shape and load unless its user buys more: `tenure trial --for 10m`."""
START_AND_WARM_MS = 30_000
"""A server that shares its core with others takes several times as long to start and to answer its first requests; what
a trial does not need of its hold is given back when it is done."""
HEAVIER = 2


@dataclass(frozen=True, slots=True)
class TrialStep:
    """One shape under one load, or under saturation with prompts and answers of that load's lengths."""

    shape: RunShape
    load: Load
    saturated: bool = False
    ahead: bool = False
    """For needs that may come: this one is answered without it."""


@dataclass(frozen=True, slots=True)
class TrialWish:
    """What a trial would measure: so many windows of each step."""

    steps: tuple[TrialStep, ...]
    windows: int
    window_ms: int
    reason: str

    @property
    def shapes(self) -> tuple[RunShape, ...]:
        """The shapes in the order in which they are measured."""
        return tuple(dict.fromkeys(step.shape for step in self.steps))

    @property
    def cores(self) -> int:
        """Whole cores that the largest shape needs."""
        return max((shape.threads for shape in self.shapes), default=1)

    @property
    def duration_ms(self) -> int:
        """How long the hold is needed, starting and draining included."""
        return len(self.steps) * (self.windows + 2) * self.window_ms + len(self.shapes) * START_AND_WARM_MS


def trial_wish(
    need: Need, shapes: Sequence[RunShape], measured: Sequence[Measured], measure_for_ms: int | None
) -> TrialWish | None:
    """The trial that the evidence calls for; None when every shape was measured at the load asked or heavier.

    `measure_for_ms`: what its user wants measured in all, whatever is known already.
    """
    assert need.load is not None, "only inference is trialled"
    longer = measure_for_ms is not None
    steps = [*_under_load(need, shapes, measured, longer=longer), *_saturated(need, shapes, measured, longer=longer)]
    steps = _in_turn(steps)
    if not steps:
        return None
    load = need.load
    window_ms = need.assurance.window_ms
    if measure_for_ms is not None:
        windows = max(1, measure_for_ms // (window_ms * len(steps)))
        reason = "its user asked for a longer measurement"
    else:
        windows = max(1, min(_windows_needed(need), MEASURED_MS_MAX // window_ms))
        lacking = len({step.shape for step in steps})
        how = "under saturation" if all(step.saturated for step in steps) else f"at {load.arrivals_per_second:g}/s"
        reason = f"{lacking} of {len(shapes)} shapes were never measured here {how}"
    return TrialWish(tuple(steps), windows, window_ms, reason)


def _in_turn(steps: Sequence[TrialStep]) -> list[TrialStep]:
    """In the order in which they are measured: shape by shape, each started once, and last what no need calls for yet,
    with the shape that it is of. A slow machine may have no time for that."""
    shapes = list(dict.fromkeys(step.shape for step in steps))
    ahead = {step.shape for step in steps if step.ahead}
    return sorted(steps, key=lambda step: (step.shape in ahead, shapes.index(step.shape), step.ahead))


def _under_load(
    need: Need, shapes: Sequence[RunShape], measured: Sequence[Measured], *, longer: bool
) -> list[TrialStep]:
    """What latencies need. A need for floors of rates alone is under no declared load."""
    load = need.load
    assert load is not None
    if need.objectives and all(isinstance(objective, RateObjective) for objective in need.objectives):
        return []
    known = {m.shape for m in measured if not m.saturated and m.load.bounds(load)}
    wanted = [shape for shape in shapes if longer or shape not in known]
    steps = [TrialStep(shape, load) for shape in wanted]
    most = max(wanted, key=lambda shape: (shape.threads, shape.slots), default=None)
    if most is not None and most not in known:
        heavier = Load(load.arrivals_micro * HEAVIER, load.prompt_tokens, load.output_tokens)
        steps.append(TrialStep(most, heavier, ahead=True))
    return steps


def _saturated(
    need: Need, shapes: Sequence[RunShape], measured: Sequence[Measured], *, longer: bool
) -> list[TrialStep]:
    """What floors of rates need."""
    load = need.load
    assert load is not None
    if not any(isinstance(objective, RateObjective) for objective in need.objectives):
        return []
    known = {m.shape for m in saturated_like(measured, load, need.assurance.window_ms)}
    return [TrialStep(shape, load, saturated=True) for shape in shapes if longer or shape not in known]


def _windows_needed(need: Need) -> int:
    """Windows that bound, those expected to pass without a request (Poisson), a spare one, and those that choose."""
    assert need.load is not None
    asked_for = need.availability
    share = max(need.assurance.share, asked_for.share_micro / MICRO if asked_for is not None else 0.0)
    bounding = samples_needed(share, need.assurance.confidence)
    asked = 1 - math.exp(-need.load.arrivals_per_window(need.assurance.window_ms))
    measured = math.ceil(bounding / asked) + WINDOWS_SPARE
    return measured + choosing_windows(measured + 1)
