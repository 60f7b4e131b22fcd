"""What the evidence carries of an availability: how many of the measured windows were answered. Pure.

Windows under a load as heavy or heavier count together, whichever trial, commissioning or contract they are from: each
says as much as the other. With n windows all answered the share s with s^n = 1 - c is carried, and no more.
"""

from collections.abc import Sequence
from dataclasses import replace

from tenure.controllers.answering.measured import Carried, Measured
from tenure.promises import (
    Assurance,
    AvailabilityObjective,
    Bound,
    Load,
    Method,
    Objective,
    samples_needed,
    share_carried_micro,
    window_share_micro,
)
from tenure.promises.objectives import MICRO

SHARE_LEAST_MICRO = MICRO // 2
"""Less than every second window is no availability; the answer is then a longer trial."""


def carry_availability(
    measured: Sequence[Measured], target: Load, objectives: Sequence[Objective], assurance: Assurance
) -> tuple[Carried, ...] | None:
    """The most that is carried of the availability asked, if one is; None where that is too little to offer."""
    objective = next((o for o in objectives if isinstance(o, AvailabilityObjective)), None)
    if objective is None:
        return ()
    enough = _enough(measured, target, assurance)
    kept, count = _counted(enough, objective)
    carried = share_carried_micro(kept, count, assurance.confidence)
    if carried < SHARE_LEAST_MICRO:
        return None
    # What is promised is never more than what is asked, so its budget is the one that was asked for.
    promised = min(carried, objective.share_micro) / MICRO
    bound = Bound(
        value=-float(carried),
        method=Method.BY_WINDOWS,
        share=promised,
        confidence=assurance.confidence,
        rank=kept,
        count=count,
        content=promised,
    )
    return (Carried(objective, bound, replace(assurance, share=promised), _pooled(enough)),)


def lacking_windows(objective: AvailabilityObjective, assurance: Assurance) -> int:
    """How many windows, all of them answered, would carry it."""
    return samples_needed(objective.share_micro / MICRO, assurance.confidence)


def _enough(measured: Sequence[Measured], target: Load, assurance: Assurance) -> list[Measured]:
    return [m for m in measured if not m.saturated and m.load.bounds(target) and m.window_ms == assurance.window_ms]


def _counted(measured: Sequence[Measured], objective: AvailabilityObjective) -> tuple[int, int]:
    """How many windows were available, of how many in which somebody asked. Those that chose a shape bound nothing."""
    shares = [window_share_micro(window) for m in measured for window in m.windows[m.choosing :]]
    told = [share for share in shares if share is not None]
    return sum(share >= objective.share_micro for share in told), len(told)


def _pooled(measured: Sequence[Measured]) -> Measured:
    """All of it as one, under the lightest of its loads: what is said of the evidence counts every window of it."""
    lightest = min(measured, key=lambda m: m.load.arrivals_micro)
    return replace(
        lightest,
        windows=tuple(window for m in measured for window in m.windows[m.choosing :]),
        choosing=0,
        measured_at_ms=max(m.measured_at_ms for m in measured),
    )
