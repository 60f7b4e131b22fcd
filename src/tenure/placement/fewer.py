"""Fewer members: the largest smaller gang that fits in the time asked for, as a counter-offer on the axis ``less``.

Fewer members fit wherever more do (a level, a spread, a budget are no tighter on them), so the greatest size is found
by halving. Only for a demand of one role: which of several roles could do with less is not known here.
"""

from __future__ import annotations

from dataclasses import replace

from tenure.placement.answers import Silent
from tenure.placement.calendar import Calendar
from tenure.placement.choice import Choice
from tenure.placement.demand import Demand
from tenure.placement.fleet import Fleet
from tenure.placement.question import Question
from tenure.placement.relaxations import Alternative, Step
from tenure.placement.search import Search

LESS = "less"


def fewer_members(
    fleet: Fleet, calendar: Calendar, demand: Demand, *, now_ms: int, seed: int = 0, choice: Choice | None = None
) -> Alternative | None:
    """The demand with as many of its members as fit by its latest start; None where not even one does.

    For a demand that was refused: fewer than its least number is all that is tried. The step's amount is the share of
    members that is given up.
    """
    role = demand.roles[0]
    if len(demand.roles) > 1 or role.least < 2:
        return None
    latest_ms = demand.start_at(now_ms).latest_ms

    def of(count: int) -> Demand:
        fewer = replace(role, count=count, count_min=None, values=())
        return replace(demand, id=f"{demand.id}/fewer", roles=(fewer,))

    question = Question(fleet, calendar, demand, now_ms, seed, choice)

    def fits(count: int) -> bool:
        return Search(replace(question, demand=of(count)), Silent()).start(latest_ms) is not None

    low, high = 0, role.least - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    if low == 0:
        return None
    step = Step(LESS, 1 - low / role.count, f"{low} of {role.count} members")
    return Alternative(of(low), (step,))
