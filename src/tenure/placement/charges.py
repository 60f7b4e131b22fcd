"""What holds draw of a fleet's budgets over time, a line of steps a budget, kept from one calendar to the next.

A calendar knows nothing of budgets, and a fleet nothing of holds, so what both give together is kept beside the
calendar: a new one, with a hold more or less, brings its lines up to date when they are next asked for, by the changes
alone. All of it is remembered work; no answer depends on whether it was there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tenure.placement import over_time
from tenure.placement.fleet import Budget, Fleet
from tenure.placement.holds import Hold
from tenure.placement.ordered import Tree
from tenure.placement.over_time import Step
from tenure.placement.values import FOREVER_MS

Drawn = Callable[[Fleet, Hold], Mapping[str, int]]
"""What a hold draws of each budget of a fleet, by the budget's id."""

Draws = Callable[[Hold], Mapping[str, int]]

KEPT_MAX, PENDING_MAX = 3, 256
"""Fleets (and margins) whose lines are kept, and changes that wait for a question; beyond them it is reckoned anew."""


@dataclass(frozen=True, slots=True)
class Change:
    """A hold that came (or went), beside the others of its group that stood then."""

    hold: Hold
    beside: tuple[Hold, ...]
    came: bool


@dataclass(frozen=True, slots=True)
class _Known:
    fleet: Fleet
    budgets: Mapping[str, Budget]
    margin_ms: int
    lines: Mapping[str, Tree]
    pending: tuple[Change, ...] = ()

    def serves(self, fleet: Fleet, margin_ms: int) -> bool:
        """Whether these are the lines of that fleet too: the same machines under some of the same budgets, as where an
        explanation leaves one out."""
        if self.fleet is fleet or self.fleet.memo is not fleet.memo:
            return self.fleet is fleet and self.margin_ms == margin_ms
        return self.margin_ms == margin_ms and all(self.budgets.get(b.id) is b for b in fleet.budgets)


class Charges:
    """The lines that are known of one calendar's holds."""

    __slots__ = ("_known",)

    def __init__(self, known: tuple[_Known, ...] = ()) -> None:
        self._known = known

    def after(self, changes: Sequence[Change]) -> Charges:
        """What is still known once holds have come and gone."""
        return Charges(
            tuple(
                replace(one, pending=(*one.pending, *changes))
                for one in self._known
                if len(one.pending) + len(changes) <= PENDING_MAX
            )
        )

    def lines(
        self, fleet: Fleet, margin_ms: int, drawn: Drawn, groups: Callable[[], Iterable[Sequence[Hold]]]
    ) -> Mapping[str, Tree]:
        """The line of each budget that is drawn at all, by its id, and perhaps of more. ``groups`` gives all holds,
        alternatives together; it is asked only where nothing is known yet of these machines."""
        known = next((one for one in self._known if one.serves(fleet, margin_ms)), None)
        if known is not None and not known.pending:
            return known.lines
        if known is None:
            budgets = {budget.id: budget for budget in fleet.budgets}
            fresh = _Known(fleet, budgets, margin_ms, _all(groups(), margin_ms, partial(drawn, fleet)))
        else:
            lines, its = dict(known.lines), partial(drawn, known.fleet)
            for change in known.pending:
                for budget, steps in _steps_of(change, margin_ms, its).items():
                    lines[budget] = over_time.changed(lines.get(budget), steps)
            fresh = replace(known, lines=lines, pending=())
        self._known = (fresh, *(one for one in self._known if one is not known))[:KEPT_MAX]
        return fresh.lines


def _all(groups: Iterable[Sequence[Hold]], margin_ms: int, drawn: Draws) -> dict[str, Tree]:
    every: dict[str, list[Step]] = {}
    for alternatives in groups:
        for budget, steps in together(alternatives, margin_ms, drawn).items():
            every.setdefault(budget, []).extend(steps)
    return {budget: over_time.line(steps) for budget, steps in every.items()}


def _steps_of(change: Change, margin_ms: int, drawn: Draws) -> dict[str, list[Step]]:
    """By how much a change changes what its group takes."""
    changed = together((*change.beside, change.hold), margin_ms, drawn)
    for budget, steps in together(change.beside, margin_ms, drawn).items():
        changed.setdefault(budget, []).extend((at_ms, -rise) for at_ms, rise in steps)
    if change.came:
        return changed
    return {budget: [(at_ms, -rise) for at_ms, rise in steps] for budget, steps in changed.items()}


def together(alternatives: Sequence[Hold], margin_ms: int, drawn: Draws) -> dict[str, list[Step]]:
    """The steps of what alternatives take of each budget: at every instant the greatest of those that stand then."""
    spans = [(hold.start_ms, min(FOREVER_MS, hold.end_ms + margin_ms), drawn(hold)) for hold in alternatives]
    if len(spans) == 1:
        ((start_ms, stop_ms, amounts),) = spans
        return {budget: [(start_ms, amount), (stop_ms, -amount)] for budget, amount in amounts.items()}
    steps: dict[str, list[Step]] = {}
    for budget in {budget: None for _, _, amounts in spans for budget in amounts}:
        own = [(start_ms, stop_ms, amounts[budget]) for start_ms, stop_ms, amounts in spans if budget in amounts]
        before = 0
        for at_ms in sorted({at_ms for start_ms, stop_ms, _ in own for at_ms in (start_ms, stop_ms)}):
            now = max((amount for start_ms, stop_ms, amount in own if start_ms <= at_ms < stop_ms), default=0)
            if now != before:
                steps.setdefault(budget, []).append((at_ms, now - before))
            before = now
    return steps
